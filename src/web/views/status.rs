//! The status page: how the tenants fare, and which risks are accepted.

use super::acceptances::{accepted, withdrawn};
use super::exceptions::exceptions;
use super::layout::layout;
use super::moment::{date, span};
use super::tenants::tenants_table;
use crate::model::{Persons, Timestamp};
use crate::store::Tenants;
use crate::web::{Options, PersonDetail, Redaction};
use maud::{Markup, html};

/// The whole page as of now.
pub(in crate::web) fn status(tenants: &Tenants, options: &Options, now: Timestamp) -> Markup {
    let started = Timestamp::from(options.started);
    layout(
        options,
        None,
        html! {
            p.soft { "As of " (date(now)) ", running for " (span(now.since(started))) "." }
            section aria-labelledby="tenants" {
                h2 #tenants { "Tenants" }
                (tenants_table(tenants, now))
            }
            section aria-labelledby="accepted" {
                h2 #accepted { "Accepted risks" }
                (persons_note(&options.persons))
                (unread_note(tenants))
                (accepted(tenants, options.persons.persons(), now))
            }
            (exceptions(tenants, now))
            section aria-labelledby="withdrawn" {
                h2 #withdrawn { "Accepted and withdrawn" }
                (withdrawn(tenants, options.persons.persons(), now))
            }
        },
    )
}

/// Why there are no names, and how to have them.
fn persons_note(persons: &PersonDetail) -> Markup {
    let why = match persons {
        PersonDetail::Shown(Persons::Plain) => return html! {},
        PersonDetail::Shown(_) => html! {
            "Who accepted a risk is shown under a pseudonym, the same in every tenant, and comments are hidden: set "
            code { "privacy.events: full" } " to see both."
        },
        PersonDetail::Redacted(Redaction::Unprotected) => html! {
            "Who accepted a risk, and why, is hidden because anybody on the network can read this page: let "
            code { "--web.listen-address" } " name a loopback address only, to see it there."
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
    html! { p.soft { (why) } }
}

/// An empty list must not be mistaken for good news.
fn unread_note(tenants: &Tenants) -> Markup {
    let unread = tenants
        .states
        .iter()
        .filter(|state| state.snapshot.catalogue_anomalies.is_none())
        .count();
    html! {
        @if unread > 0 {
            p.bad {
                "The catalogue of controls of " (unread) " of " (tenants.states.len())
                " tenants is not known now: risks accepted there are missing here."
            }
        }
    }
}
