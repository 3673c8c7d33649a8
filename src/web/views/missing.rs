//! The page for a path that is none of ours.

use super::layout::{layout, shortened};
use crate::web::Options;
use maud::{Markup, html};

/// Says so, and names what there is.
pub(in crate::web) fn missing(path: &str, options: &Options) -> Markup {
    let prefix = options.link_prefix();
    let known = [
        ("/", "status of all tenants and accepted risks"),
        (&options.telemetry_path, "what Prometheus scrapes"),
        ("/-/healthy", "whether the process lives"),
        ("/-/ready", "whether every tenant was attempted once"),
    ];
    layout(
        options,
        Some("Not found"),
        html! {
            h2 { "Not found" }
            p { "There is nothing at " code { (shortened(path)) } ". These paths exist:" }
            ul {
                @for (path, what) in known {
                    li {
                        a href={ (prefix) (path) } { code { (prefix) (path) } }
                        " – " (what)
                    }
                }
            }
        },
    )
}
