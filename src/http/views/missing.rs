//! The pages for what is not there, and for what was not understood.

use super::layout::{Here, layout, shortened};
use super::reader::Reader;
use crate::http::near::near;
use crate::store::Tenants;
use maud::{Markup, html};

/// A path that is none of ours: it says so, and names what there is.
pub(in crate::http) fn missing(path: &str, reader: &Reader<'_>) -> Markup {
    let known = [
        ("/", "status of all tenants and accepted risks"),
        ("/acceptances", "every accepted risk, in force or withdrawn"),
        ("/api/v1/acceptances", "the same for programs"),
        (&reader.options.telemetry_path, "what Prometheus scrapes"),
        ("/sd/tenants", "every tenant as a target for Prometheus"),
        ("/-/healthy", "whether the process lives"),
        ("/-/ready", "whether every tenant was attempted once"),
    ];
    let closed = reader.options.closed;
    let known = known
        .into_iter()
        .filter(|(path, _)| !(closed.api && path.starts_with("/api/")));
    let content = html! {
        p { "There is nothing at " code { (shortened(path)) } ". These paths exist:" }
        ul {
            @for (path, what) in known {
                @let href = reader.href(path);
                li { a href=(href) { code { (href) } } " – " (what) }
            }
        }
    };
    layout(reader, Here::Elsewhere, "Not found", content)
}

/// A tenant nobody configured: it names those that look like it.
pub(in crate::http) fn no_tenant(name: &str, tenants: &Tenants, reader: &Reader<'_>) -> Markup {
    let offered = near(name, tenants);
    let content = html! {
        p { "No tenant here is called " code { (shortened(name)) } "." }
        @if !offered.is_empty() {
            p { "Did you mean one of these?" }
            ul { @for alias in offered { li { (reader.tenant(alias)) } } }
        }
        p { a href=(reader.href("/")) { "All tenants" } }
    };
    layout(reader, Here::Elsewhere, "Tenant not found", content)
}

/// A query that was not understood: it says what is wrong, and how to go on.
pub(in crate::http) fn refused(message: &str, path: &str, reader: &Reader<'_>) -> Markup {
    let content = html! {
        p { "What the address asks for is not understood: " (shortened(message)) "." }
        p { a href=(path) { "The same page without a filter" } }
    };
    layout(reader, Here::Elsewhere, "Not understood", content)
}
