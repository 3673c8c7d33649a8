//! A long table, a page at a time.

use super::address::Address;
use maud::{Markup, html};

/// Rows of one page: more would be long to load and longer to read.
const ROWS: usize = 200;

/// Which part of a table is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Page(usize);

impl Page {
    /// Reads the number of a page; the first where none is named.
    pub(in crate::http) fn parse(word: Option<&str>) -> Result<Self, String> {
        match word.unwrap_or("1").parse() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err("page is no number of a page; write 1 or more".to_owned()),
        }
    }

    /// The rows of it. Beyond the end it is the last page: rows go away while
    /// somebody reads.
    pub(super) fn of<T>(self, rows: &[T]) -> Shown<'_, T> {
        let pages = rows.len().div_ceil(ROWS).max(1);
        let number = self.0.min(pages);
        let first = (number - 1) * ROWS;
        let end = rows.len().min(first + ROWS);
        Shown {
            rows: rows.get(first..end).unwrap_or_default(),
            number,
            pages,
            first,
            total: rows.len(),
        }
    }
}

/// The rows that are shown, and where they stand among all.
pub(super) struct Shown<'a, T> {
    pub(super) rows: &'a [T],
    number: usize,
    pages: usize,
    first: usize,
    total: usize,
}

impl<T> Shown<'_, T> {
    /// Which rows these are, where they are not all: `, 201 to 400 shown`.
    pub(super) fn range(&self) -> String {
        match self.pages {
            1 => String::new(),
            _ => format!(
                ", {} to {} shown",
                self.first + 1,
                self.first + self.rows.len()
            ),
        }
    }

    /// The links to the pages before and after.
    pub(super) fn links(&self, label: &str, address: &Address) -> Markup {
        if self.pages == 1 {
            return html! {};
        }
        let to = |number: usize| address.with("page", &number.to_string());
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

    fn shown(page: &str, rows: usize) -> (usize, usize, usize) {
        let rows: Vec<usize> = (0..rows).collect();
        let shown = Page::parse(Some(page)).unwrap().of(&rows);
        (shown.number, shown.first, shown.rows.len())
    }

    #[test]
    fn every_row_is_on_one_page() {
        assert_eq!(shown("1", 0), (1, 0, 0));
        assert_eq!(shown("1", 200), (1, 0, 200));
        assert_eq!(shown("2", 201), (2, 200, 1));
    }

    #[test]
    fn beyond_the_end_is_the_last_page() {
        assert_eq!(shown("99", 201), (2, 200, 1));
        assert_eq!(shown(&usize::MAX.to_string(), 1), (1, 0, 1));
    }

    #[test]
    fn what_is_no_page_is_said_so() {
        for odd in ["0", "-1", "x", "1.5", "99999999999999999999999"] {
            assert!(Page::parse(Some(odd)).is_err(), "{odd}");
        }
        assert_eq!(Page::parse(None), Ok(Page(1)));
    }
}
