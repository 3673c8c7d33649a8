//! The table of a page as CSV.

use super::acceptances::AcceptanceQuery;
use super::context::ViewContext;
use super::control::tenants_csv;
use super::control_csv::control_csv;
use super::csv_link::{Table, table};
use super::matrix::matrix_csv;
use super::status::selected_tenants;
use super::{Page, PageError};
use crate::api::CsvList;
use crate::http_types::QueryError;
use crate::store::Tenants;
use std::sync::Arc;

/// The table of a page, with all its rows.
#[derive(Debug)]
pub(crate) enum PageCsv {
    /// A list that the API has too, of these tenants.
    List(CsvList, Arc<Tenants>),
    /// Controls, rendered, with the name of a file for them.
    Controls(String, Vec<u8>),
}

/// The table that a request asks for as CSV; `None` where it asks for the page.
pub(super) fn requested(
    page: &Page,
    parameter: &str,
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
        Table::Tenants => PageCsv::List(CsvList::Tenants, selected_tenants(context)?),
        Table::Acceptances => {
            let list = CsvList::Acceptances(AcceptanceQuery::parse(context)?.filter);
            PageCsv::List(list, Arc::clone(context.tenants))
        }
        Table::Controls => PageCsv::Controls(
            format!("controls-{parameter}.csv"),
            control_csv(parameter, context)?,
        ),
        Table::Watched => {
            PageCsv::Controls("watched-controls.csv".to_owned(), matrix_csv(context)?)
        }
        Table::Control => {
            PageCsv::Controls("control.csv".to_owned(), tenants_csv(parameter, context)?)
        }
    }))
}
