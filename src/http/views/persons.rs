//! Why there are no names, and how to have them.

use crate::http::{PersonDetail, Redaction};
use maud::{Markup, html};
use secure_score_model::Persons;

/// A line where something is hidden, nothing where all is shown.
pub(super) fn persons_note(persons: &PersonDetail) -> Markup {
    let why = match persons {
        PersonDetail::Shown(Persons::Plain) => return html! {},
        PersonDetail::Shown(_) => html! {
            "Who accepted a risk is shown under a pseudonym, the same in every tenant, and comments are hidden: set "
            code { "privacy.events: full" } " to see both."
        },
        PersonDetail::Redacted(Redaction::Unprotected) => html! {
            "Who accepted a risk, and why, is hidden because anybody on the network can read this page: ask who reads, by "
            code { "--web.config.file" } ", or let " code { "--web.listen-address" } " name a loopback address only, to see it there."
        },
        PersonDetail::Redacted(Redaction::Published) => html! {
            "Who accepted a risk, and why, is hidden because " code { "--web.external-url" }
            " says that others reach this page by another address: ask who reads, by "
            code { "--web.config.file" } ", to see it."
        },
        PersonDetail::Redacted(Redaction::Forwarded) => html! {
            "Who accepted a risk, and why, is hidden because this request came through a proxy or under a name that is not this machine's: open the page on the machine itself, as "
            code { "http://localhost" } " with the exporter's port, to see it."
        },
        PersonDetail::Redacted(Redaction::Configured) => html! {
            "Who accepted a risk, and why, is hidden by the configuration: set "
            code { "privacy.events: full" } " to see it."
        },
    };
    html! { p.note { (why) } }
}
