//! # views: the HTML pages
//!
//! Rendered on the server, without script, pictures or anything from elsewhere.
//! To add a page, add a row to [`PAGES`] and a file with its view.

mod acceptance_cells;
mod acceptances;
mod approval;
mod context;
mod control_table;
mod exceptions;
mod external_link;
mod form;
mod history;
mod layout;
mod not_found;
mod numbers;
mod page_query;
mod paging;
mod privacy_note;
mod sort;
mod status;
mod tenant;
mod tenant_table;
mod time;
mod trend;

pub(crate) use context::ViewContext;
pub(crate) use layout::{STYLE, STYLE_PATH};
pub(crate) use not_found::{error, not_found};
pub(crate) use page_query::PageQuery;

use crate::http_types::QueryError;
use maud::Markup;

/// The end of a path that holds a tenant's alias.
const ALIAS: &str = "{alias}";

/// Every page.
pub const PAGES: &[Page] = &[
    Page {
        path: "/",
        title: "Status",
        description: "status of all tenants and accepted risks",
        view: |_, context| status::view(context),
    },
    Page {
        path: "/acceptances",
        title: "Accepted risks",
        description: "every accepted risk, in force or withdrawn",
        view: |_, context| acceptances::view(context),
    },
    Page {
        path: "/tenants/{alias}",
        title: "Tenant",
        description: "one tenant",
        view: tenant::view,
    },
];

/// A page, and what navigation needs to know of it.
#[derive(Debug)]
pub struct Page {
    /// The path below the prefix; `{alias}` at its end stands for any alias.
    pub path: &'static str,
    /// Its name in the navigation.
    title: &'static str,
    /// What it shows.
    description: &'static str,
    /// Renders it for the alias in the path.
    view: fn(&str, &ViewContext<'_>) -> Result<Markup, PageError>,
}

/// Why a page cannot be shown.
#[derive(Debug)]
pub(crate) enum PageError {
    /// The query is not valid.
    InvalidQuery(QueryError),
    /// There is no such tenant.
    UnknownTenant(String),
}

impl From<QueryError> for PageError {
    fn from(error: QueryError) -> Self {
        Self::InvalidQuery(error)
    }
}

impl Page {
    /// The page at a path below the prefix.
    pub(crate) fn find(path: &str) -> Option<&'static Self> {
        PAGES.iter().find(|page| page.alias(path).is_some())
    }

    /// Renders the page at a path below the prefix.
    pub(crate) fn render(
        &self,
        path: &str,
        context: &ViewContext<'_>,
    ) -> Result<Markup, PageError> {
        (self.view)(self.alias(path).unwrap_or_default(), context)
    }

    /// The pages that have one address each.
    fn linked() -> impl Iterator<Item = &'static Self> {
        PAGES.iter().filter(|page| !page.path.ends_with(ALIAS))
    }

    /// The alias in a path that belongs to this page.
    fn alias<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self.path.strip_suffix(ALIAS) {
            Some(start) => path.strip_prefix(start),
            None => (path == self.path).then_some(""),
        }
    }
}
