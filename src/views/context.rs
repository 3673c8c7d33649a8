//! What every page depends on.

use super::page_query::PageQuery;
use crate::http_types::PersonDetail;
use crate::store::{Partners, Tenants};
use maud::{Markup, html};
use secure_score_model::{Persons, Timestamp};
use std::sync::Arc;

/// What every page depends on: the data, the request, the site's options and
/// the time.
#[derive(Debug)]
pub(crate) struct ViewContext<'a> {
    pub(crate) tenants: &'a Arc<Tenants>,
    pub(crate) partners: &'a Partners,
    /// The page's address, as a browser reaches it, with its query.
    pub(crate) query: PageQuery,
    /// What links begin with.
    pub(crate) link_prefix: &'a str,
    pub(crate) telemetry_path: &'a str,
    pub(crate) version: &'a str,
    pub(crate) started: Timestamp,
    pub(crate) api_enabled: bool,
    /// Whether other exporters have the other tenants of the configuration.
    pub(crate) is_shard: bool,
    pub(crate) persons: &'a PersonDetail,
    pub(crate) now: Timestamp,
}

impl<'a> ViewContext<'a> {
    /// The address of one of the exporter's paths, as a browser reaches it.
    pub(super) fn href(&self, path: &str) -> String {
        format!("{}{path}", self.link_prefix)
    }

    /// The address of another page, as a browser reaches it.
    pub(super) fn page(&self, path: &str) -> String {
        self.query.keeping_refresh(&self.href(path))
    }

    /// How persons appear.
    pub(super) fn persons(&self) -> &'a Persons {
        self.persons.persons()
    }

    /// A tenant's alias as a link to its page. Aliases need no encoding.
    pub(super) fn tenant(&self, alias: &str) -> Markup {
        html! { a href=(self.page(&format!("/tenants/{alias}"))) { (alias) } }
    }

    /// Why persons are hidden and how to see them; nothing where all is shown.
    pub(super) fn privacy_note(&self) -> Markup {
        let Some(hint) = self.persons.hint() else {
            return html! {};
        };
        html! {
            p.note {
                @for (place, words) in hint.split('`').enumerate() {
                    // Backticks come in pairs, so every second part stands between two.
                    @if place % 2 == 0 { (words) } @else { code { (words) } }
                }
                "."
            }
        }
    }
}
