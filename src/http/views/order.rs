//! The order of a table's rows, and the headings that change it.

use super::address::Address;
use maud::{Markup, html};
use std::cmp::Ordering;

/// What the rows of a table can be ordered by.
pub(in crate::http) trait Column: Copy + Eq + 'static {
    /// Every column that can be asked for.
    const ALL: &'static [Self];

    /// Its word in an address.
    fn as_str(self) -> &'static str;

    /// Whether most or newest is what people look for first.
    fn begins_with_the_most(self) -> bool;
}

/// One column, upwards or downwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Order<C> {
    pub(super) column: C,
    pub(super) descending: bool,
}

impl<C: Column> Order<C> {
    /// Reads `points`, or `-points` for downwards.
    pub(in crate::http) fn parse(word: &str) -> Result<Self, String> {
        let (name, descending) = match word.strip_prefix('-') {
            Some(name) => (name, true),
            None => (word, false),
        };
        let found = C::ALL.iter().find(|column| column.as_str() == name);
        match found {
            Some(column) => Ok(Self {
                column: *column,
                descending,
            }),
            None => {
                let known: Vec<&str> = C::ALL.iter().map(|column| column.as_str()).collect();
                Err(format!(
                    "sort names no column of this table; write one of {}, with a - before it for downwards",
                    known.join(", ")
                ))
            }
        }
    }

    /// How two values stand to each other; what is unknown comes last in
    /// either direction.
    pub(super) fn compare<T: PartialOrd>(self, a: Option<T>, b: Option<T>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => {
                let upwards = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
                match self.descending {
                    true => upwards.reverse(),
                    false => upwards,
                }
            }
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

/// The headings of one table.
pub(super) struct Headings<'a, C> {
    pub(super) address: &'a Address,
    pub(super) order: Option<Order<C>>,
}

impl<C: Column> Headings<'_, C> {
    /// A heading that orders by its column; a second time, the other way round.
    pub(super) fn sorting(&self, column: C, label: &str, class: &str) -> Markup {
        let current = self.order.filter(|order| order.column == column);
        let descending = match current {
            Some(order) => !order.descending,
            None => column.begins_with_the_most(),
        };
        let sign = if descending { "-" } else { "" };
        let link = self
            .address
            .with("sort", &format!("{sign}{}", column.as_str()));
        let (standing, mark) = match current.map(|order| order.descending) {
            Some(true) => (Some("descending"), "\u{a0}▼"),
            Some(false) => (Some("ascending"), "\u{a0}▲"),
            None => (None, ""),
        };
        html! {
            th class=(class) scope="col" aria-sort=[standing] {
                a href=(link) { (label) span aria-hidden="true" { (mark) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Only {
        Points,
    }

    impl Column for Only {
        const ALL: &'static [Self] = &[Self::Points];

        fn as_str(self) -> &'static str {
            "points"
        }

        fn begins_with_the_most(self) -> bool {
            true
        }
    }

    #[test]
    fn a_minus_means_downwards_and_an_odd_word_names_the_known_ones() {
        assert!(!Order::<Only>::parse("points").unwrap().descending);
        assert!(Order::<Only>::parse("-points").unwrap().descending);
        for odd in ["", "-", "--points", "Points", "<b>"] {
            let message = Order::<Only>::parse(odd).unwrap_err();
            assert!(message.contains("one of points"), "{message}");
            assert!(!message.contains("<b>"), "{message}");
        }
    }

    #[test]
    fn the_unknown_comes_last_in_either_direction() {
        for word in ["points", "-points"] {
            let order = Order::<Only>::parse(word).unwrap();
            assert_eq!(order.compare(Some(1.0), None), Ordering::Less);
            assert_eq!(order.compare(None, Some(1.0)), Ordering::Greater);
        }
        let down = Order::<Only>::parse("-points").unwrap();
        assert_eq!(down.compare(Some(2.0), Some(1.0)), Ordering::Less);
    }

    #[test]
    fn a_heading_says_its_direction_and_leads_to_the_other() {
        let address = Address::new("/x".to_owned(), Some("sort=-points"));
        let headings = Headings {
            address: &address,
            order: Order::<Only>::parse("-points").ok(),
        };
        let heading = headings
            .sorting(Only::Points, "Points", "number")
            .into_string();
        assert!(heading.contains("aria-sort=\"descending\""), "{heading}");
        assert!(heading.contains("href=\"/x?sort=points\""), "{heading}");
        let unsorted = Headings::<Only> {
            address: &address,
            order: None,
        };
        let heading = unsorted
            .sorting(Only::Points, "Points", "number")
            .into_string();
        assert!(!heading.contains("aria-sort"), "{heading}");
        assert!(heading.contains("sort=-points"), "{heading}");
    }
}
