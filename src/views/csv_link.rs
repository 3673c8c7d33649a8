//! Which pages have a table as CSV, and the link to it.

use super::Page;
use super::context::ViewContext;

/// What a page has as CSV.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Tenants,
    Acceptances,
    Controls,
    Watched,
    Control,
}

/// The pages with a table, and what a link to its CSV says.
const TABLES: [(&str, Table, &str); 5] = [
    ("/", Table::Tenants, "These tenants as CSV"),
    ("/controls", Table::Watched, "This table as CSV"),
    (
        "/controls/{control}",
        Table::Control,
        "These tenants as CSV",
    ),
    ("/acceptances", Table::Acceptances, "This list as CSV"),
    ("/tenants/{alias}", Table::Controls, "These controls as CSV"),
];

/// The table of a page.
pub(super) fn table(page: &Page) -> Option<(Table, &'static str)> {
    let mut tables = TABLES.iter();
    let (_, table, words) = tables.find(|(path, ..)| *path == page.path)?;
    Some((*table, words))
}

/// The address of the CSV of the page that is shown, with the words of a link.
pub(super) fn link(context: &ViewContext<'_>) -> Option<(String, &'static str)> {
    let path = context.query.path().strip_prefix(context.link_prefix)?;
    let (_, words) = table(Page::find(path)?)?;
    Some((context.query.csv(), words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::PAGES;

    #[test]
    fn each_table_is_of_a_page() {
        for (path, ..) in TABLES {
            assert!(PAGES.iter().any(|page| page.path == path), "{path}");
        }
    }
}
