//! The columns of a table, and the order of its rows.

use super::page_query::PageQuery;
use crate::http_types::QueryError;
use maud::{Markup, html};
use secure_score_model::Points;
use std::cmp::Ordering;

/// A column of a table. `K` reads the value to sort by from a row.
pub(super) struct Column<K: 'static> {
    pub(super) label: &'static str,
    /// Its name in the `sort` parameter.
    name: &'static str,
    class: &'static str,
    /// Whether people look for the highest or newest values first.
    highest_first: bool,
    /// Nothing where the rows cannot be sorted by it.
    key: Option<K>,
}

/// A value to sort by; a column has values of one variant.
#[derive(Debug, PartialEq, PartialOrd)]
pub(super) enum SortKey {
    Text(String),
    Integer(i64),
    Number(f64),
}

/// Text to sort by, without regard to case.
pub(super) fn text(text: &str) -> Option<SortKey> {
    Some(SortKey::Text(text.to_lowercase()))
}

/// A number to sort by.
pub(super) fn integer(number: impl Into<Option<i64>>) -> Option<SortKey> {
    number.into().map(SortKey::Integer)
}

/// Points to sort by.
pub(super) fn points(points: Option<Points>) -> Option<SortKey> {
    number(points.map(Points::get))
}

/// A number that is not whole to sort by.
pub(super) fn number(number: Option<f64>) -> Option<SortKey> {
    number.map(SortKey::Number)
}

impl<K> Column<K> {
    /// A column that the rows can be sorted by.
    pub(super) const fn new(
        name: &'static str,
        label: &'static str,
        class: &'static str,
        highest_first: bool,
        key: K,
    ) -> Self {
        Self {
            label,
            name,
            class,
            highest_first,
            key: Some(key),
        }
    }

    /// A column that they cannot be sorted by.
    pub(super) const fn unsorted(label: &'static str) -> Self {
        Self {
            label,
            name: "",
            class: "",
            highest_first: false,
            key: None,
        }
    }

    /// Its heading in a table whose order is fixed.
    pub(super) fn plain_heading(&self) -> Markup {
        html! { th class=[Some(self.class).filter(|it| !it.is_empty())] scope="col" { (self.label) } }
    }
}

/// A column and a direction.
pub(super) struct Sort<K: 'static> {
    column: &'static Column<K>,
    descending: bool,
}

impl<K> Sort<K> {
    /// Parses a `sort` parameter: `points`, or `-points` for descending order.
    pub(super) fn parse(word: &str, columns: &'static [Column<K>]) -> Result<Self, QueryError> {
        let (name, descending) = match word.strip_prefix('-') {
            Some(name) => (name, true),
            None => (word, false),
        };
        let sorting = || columns.iter().filter(|it| it.key.is_some());
        match sorting().find(|it| it.name == name) {
            Some(column) => Ok(Self { column, descending }),
            None => {
                let known: Vec<&str> = sorting().map(|it| it.name).collect();
                let known = known.join(", ");
                Err(QueryError::new(
                    format!("unknown sort column {name:?}"),
                    format!("use one of {known}, with a leading - for descending order"),
                ))
            }
        }
    }

    /// Sorts rows; those with an unknown value come last in either direction.
    pub(super) fn sort<R>(&self, rows: &mut [R], value: impl Fn(&K, &R) -> Option<SortKey>) {
        let Some(key) = &self.column.key else { return };
        // Each key is made once: one of a title is a new text.
        rows.sort_by_cached_key(|row| Rank {
            value: value(key, row),
            descending: self.descending,
        });
    }
}

/// The place of a row in one direction.
struct Rank {
    value: Option<SortKey>,
    descending: bool,
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let (Some(value), Some(others)) = (&self.value, &other.value) else {
            return other.value.is_some().cmp(&self.value.is_some());
        };
        let ascending = value.partial_cmp(others).unwrap_or(Ordering::Equal);
        match self.descending {
            true => ascending.reverse(),
            false => ascending,
        }
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Rank {}

/// A heading that sorts by its column; a second click reverses the direction.
pub(super) fn heading<K>(
    query: &PageQuery,
    sort: Option<&Sort<K>>,
    column: &'static Column<K>,
) -> Markup {
    let Column { label, class, .. } = column;
    if column.key.is_none() {
        return html! { th scope="col" { (label) } };
    }
    let current = sort.filter(|sort| sort.column.name == column.name);
    let sign = match current.map_or(column.highest_first, |sort| !sort.descending) {
        true => "-",
        false => "",
    };
    let link = query.link_with("sort", &format!("{sign}{}", column.name));
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

    type Key = fn(&Option<f64>) -> Option<SortKey>;

    const COLUMNS: &[Column<Key>] = &[Column::new("points", "Points", "number", true, |it| {
        it.map(SortKey::Number)
    })];

    fn sort(word: &str) -> Sort<Key> {
        Sort::parse(word, COLUMNS).ok().unwrap()
    }

    #[test]
    fn a_minus_means_descending_and_an_unknown_word_names_the_known_ones() {
        assert!(!sort("points").descending);
        assert!(sort("-points").descending);
        for odd in ["", "-", "--points", "Points", "<b>"] {
            let message = Sort::parse(odd, COLUMNS).err().unwrap().to_string();
            assert!(message.contains("one of points"), "{message}");
            let name = odd.strip_prefix('-').unwrap_or(odd);
            assert!(message.contains(&format!("{name:?}")), "{message}");
        }
    }

    #[test]
    fn unknown_values_come_last_in_either_direction() {
        for (word, expected) in [
            ("points", [Some(1.0), Some(2.0), None]),
            ("-points", [Some(2.0), Some(1.0), None]),
        ] {
            let mut rows = [None, Some(1.0), Some(2.0)];
            sort(word).sort(&mut rows, |key, row| key(row));
            assert_eq!(rows, expected, "{word}");
        }
    }

    #[test]
    fn a_heading_names_its_direction_and_links_to_the_other() {
        let query = PageQuery::new("/x".to_owned(), Some("sort=-points"));
        let html = |sort: Option<&Sort<Key>>| heading(&query, sort, &COLUMNS[0]).into_string();
        let sorted = html(Some(&sort("-points")));
        assert!(sorted.contains("aria-sort=\"descending\""), "{sorted}");
        assert!(sorted.contains("href=\"/x?sort=points\""), "{sorted}");
        let unsorted = html(None);
        assert!(!unsorted.contains("aria-sort"), "{unsorted}");
        assert!(unsorted.contains("sort=-points"), "{unsorted}");
    }
}
