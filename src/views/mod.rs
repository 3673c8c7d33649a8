//! # views: the HTML pages
//!
//! Rendered on the server, without script, pictures or anything from elsewhere.
//! To add a page, add a row to [`PAGES`] and a file with its view.

mod acceptances;
mod broken;
mod cells;
mod context;
mod control;
mod control_address;
mod control_csv;
mod control_facts;
mod control_table;
mod control_tenants;
mod csv_link;
mod customer_table;
mod decision_offer;
mod description;
pub(crate) mod evidence;
mod form;
mod layout;
mod matrix;
mod numbers;
mod page_csv;
mod page_query;
mod paging;
mod recommendation_table;
mod runbook;
mod score_chart;
mod sort;
mod standing;
mod standing_csv;
mod status;
mod tenant;
mod tenant_table;
mod time;
mod trouble;
mod undecided;

pub(crate) use context::ViewContext;
pub(crate) use layout::{STYLE, STYLE_PATH};
pub(crate) use numbers::percent;
pub(crate) use page_csv::PageCsv;
pub(crate) use page_query::PageQuery;

use crate::http_types::{QueryError, similar_tenants};
use layout::{NAME, fixed_layout, head, shortened, unknown_page};
use maud::{DOCTYPE, Markup, html};
use std::fmt;

/// The ends of paths that hold a name: a tenant's alias, a control's, an alert's.
const PARAMETERS: [&str; 3] = ["{alias}", "{control}", "{alert}"];

/// The list of runbooks.
const RUNBOOKS_PATH: &str = "/runbooks";

/// Every page.
pub const PAGES: &[Page] = &[
    Page {
        path: "/",
        title: "Status",
        description: "what needs a decision, what is broken, and every tenant",
        view: |_, context| status::view(context),
    },
    Page {
        path: "/controls",
        title: "Watched controls",
        description: "how far every tenant is with each watched control",
        view: |_, context| matrix::view(context),
    },
    Page {
        path: "/controls/{control}",
        title: "Control",
        description: "one control in every tenant",
        view: control::view,
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
    Page {
        path: RUNBOOKS_PATH,
        title: "Runbooks",
        description: "what each alert means, and what to do",
        view: |_, context| Ok(runbook::list(context)),
    },
    Page {
        path: "/runbooks/{alert}",
        title: "Runbook",
        description: "one runbook",
        view: runbook::view,
    },
];

/// A page, and what navigation needs to know of it.
#[derive(Debug)]
pub struct Page {
    /// The path below the prefix; `{alias}` at its end stands for any alias,
    /// `{control}` for any name of a control, `{alert}` for any alert.
    pub path: &'static str,
    /// Its name in the navigation.
    title: &'static str,
    /// What it shows.
    description: &'static str,
    /// Renders it for the alias or the name in the path.
    view: fn(&str, &ViewContext<'_>) -> Result<Markup, PageError>,
}

/// Why a page cannot be shown.
#[derive(Debug)]
pub(crate) enum PageError {
    /// The query is not valid.
    InvalidQuery(QueryError),
    /// There is no such tenant.
    UnknownTenant(String),
    /// A table cannot be written.
    NotRendered,
    /// No tenant has such a control.
    UnknownControl(String),
    /// There is no such runbook.
    UnknownRunbook(String),
}

/// In one line, for a program.
impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, name) = match self {
            Self::InvalidQuery(error) => return error.fmt(f),
            Self::NotRendered => {
                return f.write_str("the table cannot be written as CSV; report this bug");
            }
            Self::UnknownTenant(name) => ("tenant", name),
            Self::UnknownControl(name) => ("control or recommendation", name),
            Self::UnknownRunbook(name) => ("runbook", name),
        };
        write!(f, "there is no {what} {:?}", shortened(name))
    }
}

impl From<QueryError> for PageError {
    fn from(error: QueryError) -> Self {
        Self::InvalidQuery(error)
    }
}

impl Page {
    /// The page at a path below the prefix.
    pub(crate) fn find(path: &str) -> Option<&'static Self> {
        PAGES.iter().find(|page| page.parameter(path).is_some())
    }

    /// Renders the page at a path below the prefix.
    pub(crate) fn render(
        &self,
        path: &str,
        context: &ViewContext<'_>,
    ) -> Result<Markup, PageError> {
        context.query.check()?;
        (self.view)(self.parameter(path).unwrap_or_default(), context)
    }

    /// The seconds after which the browser requests the page again; `None` where that is
    /// switched off, and for a runbook, in which a reader would lose the place.
    pub(crate) fn refresh_seconds(&self, query: &PageQuery) -> Option<u64> {
        let is_text = self.path.starts_with(RUNBOOKS_PATH);
        layout::refresh_seconds(query).filter(|_| !is_text)
    }

    /// The table that a request for this page asks for as CSV, if it does.
    pub(crate) fn csv(
        &self,
        path: &str,
        context: &ViewContext<'_>,
    ) -> Result<Option<PageCsv>, PageError> {
        page_csv::requested(self, self.parameter(path).unwrap_or_default(), context)
    }

    /// The pages that have one address each.
    fn linked() -> impl Iterator<Item = &'static Self> {
        PAGES.iter().filter(|page| page.start().is_none())
    }

    /// What comes before the parameter of its path.
    fn start(&self) -> Option<&'static str> {
        let mut starts = PARAMETERS.iter().map(|it| self.path.strip_suffix(it));
        starts.find_map(|start| start)
    }

    /// The alias or the name in a path that belongs to this page.
    fn parameter<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self.start() {
            Some(start) => path.strip_prefix(start),
            None => (path == self.path).then_some(""),
        }
    }
}

/// The page for an unknown path, with a list of the known ones.
pub(crate) fn not_found(path: &str, context: &ViewContext<'_>) -> Markup {
    let api = ("/api/v1/acceptances", "the same as JSON and CSV");
    let others = [
        (context.telemetry_path, "what Prometheus scrapes"),
        ("/sd/tenants", "every tenant as a target for Prometheus"),
        ("/-/healthy", "whether the process lives"),
        (
            "/-/ready",
            "whether a refresh of every tenant was attempted",
        ),
    ];
    let pages = Page::linked().map(|page| (page.path, page.description));
    let known = pages
        .chain(context.api_enabled.then_some(api))
        .chain(others);
    let content = html! {
        p { "There is no page at " code { (shortened(path)) } ". These paths exist:" }
        ul {
            @for (path, what) in known {
                @let href = context.href(path);
                li { a href=(href) { code { (href) } } " – " (what) }
            }
        }
    };
    fixed_layout(context, "Not found", content)
}

/// The page for a client that may see nothing. It has no style sheet, which is refused
/// too, and names no path.
pub(crate) fn refused(status: u16, line: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&status.to_string(), None))
            body {
                main {
                    h1 { (NAME) }
                    p { (line) }
                }
            }
        }
    }
}

/// The page for a tenant or a query that is not valid.
pub(crate) fn error(error: &PageError, context: &ViewContext<'_>) -> Markup {
    match error {
        PageError::InvalidQuery(error) => {
            let content = html! {
                p { "The query of this address is not valid: " (shortened(&error.to_string())) "." }
                p { a href=(context.query.path()) { "The same page without a filter" } }
            };
            fixed_layout(context, "Invalid query", content)
        }
        PageError::UnknownTenant(name) => unknown_tenant(name, context),
        PageError::UnknownControl(name) => control::unknown(name, context),
        PageError::UnknownRunbook(name) => runbook::unknown(name, context),
        PageError::NotRendered => {
            let content = html! { p { "The table cannot be written as CSV; report this bug." } };
            fixed_layout(context, "Not rendered", content)
        }
    }
}

/// Why there are no data, in one line, with the tenants whose names are similar.
pub(crate) fn error_line(error: &PageError, context: &ViewContext<'_>) -> String {
    let similar = match error {
        PageError::UnknownTenant(name) => similar_tenants(name, context.tenants),
        _ => Vec::new(),
    };
    match similar.is_empty() {
        true => error.to_string(),
        false => format!("{error}; similar names: {}", similar.join(", ")),
    }
}

fn unknown_tenant(name: &str, context: &ViewContext<'_>) -> Markup {
    let similar = similar_tenants(name, context.tenants).into_iter();
    let similar: Vec<_> = similar.map(|alias| context.tenant(alias)).collect();
    let missing = ("There is no tenant", name);
    let all = ("/", "All tenants");
    unknown_page(context, "Tenant not found", missing, &similar, all)
}
