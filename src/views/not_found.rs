//! The pages for unknown paths, unknown tenants and invalid queries.

use super::context::ViewContext;
use super::layout::{layout, shortened};
use super::{Page, PageError};
use crate::http_types::similar_tenants;
use maud::{Markup, html};

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
    layout(context, "Not found", content)
}

/// The page for a tenant or a query that is not valid.
pub(crate) fn error(error: &PageError, context: &ViewContext<'_>) -> Markup {
    match error {
        PageError::InvalidQuery(error) => {
            let content = html! {
                p { "The query of this address is not valid: " (shortened(&error.to_string())) "." }
                p { a href=(context.query.path()) { "The same page without a filter" } }
            };
            layout(context, "Invalid query", content)
        }
        PageError::UnknownTenant(name) => unknown_tenant(name, context),
    }
}

fn unknown_tenant(name: &str, context: &ViewContext<'_>) -> Markup {
    let similar = similar_tenants(name, context.tenants);
    let content = html! {
        p { "There is no tenant " code { (shortened(name)) } "." }
        @if !similar.is_empty() {
            p { "Did you mean one of these?" }
            ul { @for alias in similar { li { (context.tenant(alias)) } } }
        }
        p { a href=(context.href("/")) { "All tenants" } }
    };
    layout(context, "Tenant not found", content)
}
