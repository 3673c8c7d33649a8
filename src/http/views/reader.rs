//! For whom a page is made, and when.

use crate::http::Options;
use maud::{Markup, html};
use secure_score_model::{Persons, Timestamp};

/// What every page depends on beside its content.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Reader<'a> {
    pub(in crate::http) options: &'a Options,
    pub(in crate::http) now: Timestamp,
}

impl<'a> Reader<'a> {
    /// The address of one of our paths, as a browser reaches it.
    pub(super) fn href(&self, path: &str) -> String {
        format!("{}{path}", self.options.link_prefix())
    }

    /// What of persons may be shown.
    pub(super) fn persons(&self) -> &'a Persons {
        self.options.persons.persons()
    }

    /// A tenant's name, leading to its page. Aliases hold nothing that an
    /// address would have to encode.
    pub(super) fn tenant(&self, alias: &str) -> Markup {
        html! { a href=(self.href(&format!("/tenants/{alias}"))) { (alias) } }
    }
}
