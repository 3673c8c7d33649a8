//! The order of a table's rows, and the headings that change it.

use super::page_query::PageQuery;
use crate::http_types::QueryError;
use maud::{Markup, html};
use std::cmp::Ordering;

/// What the rows of a table can be sorted by.
pub(super) trait Column: Copy + Eq + 'static {
    /// Every column, with its name in a query and whether people look for its
    /// highest or newest values first.
    const ALL: &'static [(Self, &'static str, bool)];
}

/// A column and a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sort<C> {
    pub(super) column: C,
    pub(super) descending: bool,
}

impl<C: Column> Sort<C> {
    /// Parses `points`, or `-points` for descending order.
    pub(super) fn parse(word: &str) -> Result<Self, QueryError> {
        let (wanted, descending) = match word.strip_prefix('-') {
            Some(name) => (name, true),
            None => (word, false),
        };
        let found = C::ALL.iter().find(|(_, name, _)| *name == wanted);
        let column = found.map(|(column, ..)| *column).ok_or_else(|| {
            let known: Vec<&str> = C::ALL.iter().map(|(_, name, _)| *name).collect();
            QueryError::new(
                "unknown sort column",
                format!(
                    "use one of {}, with a leading - for descending order",
                    known.join(", ")
                ),
            )
        })?;
        Ok(Self { column, descending })
    }

    /// Compares two values; unknown ones come last in either direction.
    pub(super) fn compare<T: PartialOrd>(self, a: Option<T>, b: Option<T>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => {
                let ascending = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
                match self.descending {
                    true => ascending.reverse(),
                    false => ascending,
                }
            }
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }
}

/// A heading that sorts by its column; a second click reverses the direction.
pub(super) fn heading<C: Column>(
    query: &PageQuery,
    sort: Option<Sort<C>>,
    column: C,
    label: &str,
    class: &str,
) -> Markup {
    let found = C::ALL.iter().find(|(known, ..)| *known == column);
    let (name, highest_first) = found.map_or(("", false), |(_, name, first)| (*name, *first));
    let current = sort.filter(|sort| sort.column == column);
    let sign = match current.map_or(highest_first, |sort| !sort.descending) {
        true => "-",
        false => "",
    };
    let link = query.link_with("sort", &format!("{sign}{name}"));
    let (direction, mark) = match current.map(|sort| sort.descending) {
        Some(true) => (Some("descending"), "\u{a0}▼"),
        Some(false) => (Some("ascending"), "\u{a0}▲"),
        None => (None, ""),
    };
    html! {
        th class=(class) scope="col" aria-sort=[direction] {
            a href=(link) { (label) span aria-hidden="true" { (mark) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Points;

    impl Column for Points {
        const ALL: &'static [(Self, &'static str, bool)] = &[(Self, "points", true)];
    }

    fn sort(word: &str) -> Sort<Points> {
        Sort::parse(word).unwrap()
    }

    #[test]
    fn a_minus_means_descending_and_an_unknown_word_names_the_known_ones() {
        assert!(!sort("points").descending);
        assert!(sort("-points").descending);
        for odd in ["", "-", "--points", "Points", "<b>"] {
            let message = Sort::<Points>::parse(odd).unwrap_err().to_string();
            assert!(message.contains("one of points"), "{message}");
            assert!(!message.contains("<b>"), "{message}");
        }
    }

    #[test]
    fn unknown_values_come_last_in_either_direction() {
        for word in ["points", "-points"] {
            assert_eq!(sort(word).compare(Some(1.0), None), Ordering::Less);
            assert_eq!(sort(word).compare(None, Some(1.0)), Ordering::Greater);
        }
        let descending = sort("-points").compare(Some(2.0), Some(1.0));
        assert_eq!(descending, Ordering::Less);
    }

    #[test]
    fn a_heading_names_its_direction_and_links_to_the_other() {
        let query = PageQuery::new("/x".to_owned(), Some("sort=-points"));
        let html = |sort| heading(&query, sort, Points, "Points", "number").into_string();
        let sorted = html(Some(sort("-points")));
        assert!(sorted.contains("aria-sort=\"descending\""), "{sorted}");
        assert!(sorted.contains("href=\"/x?sort=points\""), "{sorted}");
        let unsorted = html(None);
        assert!(!unsorted.contains("aria-sort"), "{unsorted}");
        assert!(unsorted.contains("sort=-points"), "{unsorted}");
    }
}
