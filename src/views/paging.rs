//! A long table, a page at a time.

use super::page_query::PageQuery;
use crate::http_types::QueryError;
use maud::{Markup, html};

/// Rows of one page: more would be long to load and longer to read.
const ROWS: usize = 200;

/// The number of a page, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageNumber(usize);

impl PageNumber {
    /// Parses a `page` parameter; the first page where there is none.
    pub(super) fn parse(word: Option<&str>) -> Result<Self, QueryError> {
        match word.unwrap_or("1").parse() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(QueryError::new(
                "page is not a page number",
                "use 1 or more",
            )),
        }
    }

    /// The rows of this page, or of the last one: rows may disappear while
    /// someone pages through them.
    pub(super) fn of<T>(self, rows: &[T]) -> TablePage<'_, T> {
        let pages = rows.len().div_ceil(ROWS).max(1);
        let number = self.0.min(pages);
        let first = (number - 1) * ROWS;
        let end = rows.len().min(first + ROWS);
        TablePage {
            rows: rows.get(first..end).unwrap_or_default(),
            number,
            pages,
            first,
            total: rows.len(),
        }
    }
}

/// The rows of one page, and their place among all rows.
pub(super) struct TablePage<'a, T> {
    pub(super) rows: &'a [T],
    number: usize,
    pages: usize,
    first: usize,
    total: usize,
}

impl<T> TablePage<'_, T> {
    /// Which rows these are, unless they are all: `, 201 to 400 shown`.
    pub(super) fn range(&self) -> String {
        match self.pages {
            1 => String::new(),
            _ => {
                let last = self.first + self.rows.len();
                format!(", {} to {last} shown", self.first + 1)
            }
        }
    }

    /// The links to the pages before and after.
    pub(super) fn links(&self, label: &str, query: &PageQuery) -> Markup {
        if self.pages == 1 {
            return html! {};
        }
        let to = |number: usize| query.link_with("page", &number.to_string());
        html! {
            nav.paging aria-label={ "Pages of " (label) } {
                @if self.number > 1 {
                    a href=(to(1)) { "First" } " "
                    a rel="prev" href=(to(self.number - 1)) { "Previous" } " "
                }
                span { "Page " (self.number) " of " (self.pages) ", " (self.total) " rows" }
                @if self.number < self.pages {
                    " " a rel="next" href=(to(self.number + 1)) { "Next" }
                    " " a href=(to(self.pages)) { "Last" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_on_one_page_and_beyond_the_end_is_the_last_page() {
        let endless = usize::MAX.to_string();
        for (page, rows, expected) in [
            ("1", 0, (1, 0, 0)),
            ("1", 200, (1, 0, 200)),
            ("2", 201, (2, 200, 1)),
            ("99", 201, (2, 200, 1)),
            (&endless, 1, (1, 0, 1)),
        ] {
            let rows: Vec<usize> = (0..rows).collect();
            let shown = PageNumber::parse(Some(page)).unwrap().of(&rows);
            let shown = (shown.number, shown.first, shown.rows.len());
            assert_eq!(shown, expected, "{page}");
        }
    }

    #[test]
    fn an_invalid_page_number_is_rejected() {
        for odd in ["0", "-1", "x", "1.5", "99999999999999999999999"] {
            assert!(PageNumber::parse(Some(odd)).is_err(), "{odd}");
        }
        assert_eq!(PageNumber::parse(None), Ok(PageNumber(1)));
    }
}
