//! The table of a page as CSV.

use super::acceptances::AcceptanceQuery;
use super::context::ViewContext;
use super::control_csv::control_csv;
use super::{Page, PageError};
use crate::acceptances::Filter;
use crate::http_types::QueryError;
use crate::http_types::query::allow_only;

/// The table of a page, with all its rows.
#[derive(Debug)]
pub(crate) enum PageCsv {
    /// Every tenant.
    Tenants,
    /// The acceptances and claims that a filter selects.
    Acceptances(Filter),
    /// The controls of a tenant, rendered, with the name of a file for them.
    Controls(String, Vec<u8>),
}

/// What a page has as CSV.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Tenants,
    Acceptances,
    Controls,
}

/// The pages with a table, and what a link to its CSV says.
const TABLES: [(&str, Table, &str); 3] = [
    ("/", Table::Tenants, "All tenants as CSV"),
    ("/acceptances", Table::Acceptances, "This list as CSV"),
    ("/tenants/{alias}", Table::Controls, "These controls as CSV"),
];

fn table(page: &Page) -> Option<(Table, &'static str)> {
    let mut tables = TABLES.iter();
    let (_, table, words) = tables.find(|(path, ..)| *path == page.path)?;
    Some((*table, words))
}

/// The table that a request asks for as CSV; `None` where it asks for the page.
pub(super) fn requested(
    page: &Page,
    alias: &str,
    context: &ViewContext<'_>,
) -> Result<Option<PageCsv>, PageError> {
    context.query.check()?;
    if !context.query.wants_csv() {
        return Ok(None);
    }
    let Some((table, _)) = table(page) else {
        let error = QueryError::new("this page has no CSV", "leave format out");
        return Err(error.into());
    };
    Ok(Some(match table {
        Table::Tenants => {
            allow_only(&context.query.parameters, &[])?;
            PageCsv::Tenants
        }
        Table::Acceptances => PageCsv::Acceptances(AcceptanceQuery::parse(context)?.filter),
        Table::Controls => PageCsv::Controls(
            format!("controls-{alias}.csv"),
            control_csv(alias, context)?,
        ),
    }))
}

/// The address of the CSV of the page that is shown, with the words of a link.
pub(super) fn link(context: &ViewContext<'_>) -> Option<(String, &'static str)> {
    let path = context.query.path().strip_prefix(context.link_prefix)?;
    let (table, words) = table(Page::find(path)?)?;
    Some(match table {
        Table::Tenants => (format!("{}?format=csv", context.query.path()), words),
        Table::Acceptances | Table::Controls => (context.query.csv(), words),
    })
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
