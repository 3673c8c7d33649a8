//! The status page: how the tenants fare, and which risks are accepted.

use super::acceptance::{acceptance_cells, closing_cells, urgency};
use super::address::Address;
use super::exceptions::exceptions;
use super::figures::{count, share};
use super::layout::{Here, layout, wide};
use super::moment::{date, span};
use super::persons::persons_note;
use super::reader::Reader;
use super::tenants::{is_troubled, tenants_table};
use crate::acceptances::{Acceptance, Filter, acceptances};
use crate::http::asked::AskedStatus;
use crate::store::Tenants;
use maud::{Markup, html};
use secure_score_model::Timestamp;

/// Rows of the accepted risks in short; the register has them all.
const SHOWN: usize = 10;

/// The whole page.
pub(in crate::http) fn status(
    tenants: &Tenants,
    asked: &AskedStatus,
    address: &Address,
    reader: &Reader<'_>,
) -> Markup {
    let filter = Filter {
        in_force: Some(true),
        ..Filter::default()
    };
    let mut accepted = acceptances(tenants, &filter, reader.now);
    accepted.sort_by_cached_key(|it| urgency(it, reader));
    let started = Timestamp::from(reader.options.started);
    let content = html! {
        p.soft {
            "As of " (date(reader.now)) ", running for " (span(reader.now.since(started))) "."
            @if are_simulated(tenants) { " These tenants are simulated: nobody and nothing in them is real." }
        }
        (unread_note(tenants))
        (tiles(tenants, &accepted, reader))
        section aria-labelledby="tenants" {
            h2 #tenants { "Tenants" }
            (tenants_table(tenants, asked, address, reader))
        }
        section aria-labelledby="accepted" {
            h2 #accepted { "Accepted risks" }
            (persons_note(&reader.options.persons))
            (in_short(&accepted, reader))
        }
        (exceptions(tenants, reader.now))
    };
    layout(reader, Here::Status, "Microsoft Secure Score", content)
}

fn are_simulated(tenants: &Tenants) -> bool {
    let mut clouds = tenants.states.iter().map(|state| state.identity.cloud);
    !tenants.states.is_empty() && clouds.all(|cloud| cloud == "simulator")
}

/// What somebody wants to know who has five seconds.
fn tiles(tenants: &Tenants, accepted: &[Acceptance<'_>], reader: &Reader<'_>) -> Markup {
    let states = || tenants.states.iter();
    let troubled = states().filter(|state| is_troubled(state)).count();
    let missed = states().filter(|state| {
        let goal = state.identity.target.zip(share(&state.snapshot));
        goal.is_some_and(|(target, share)| share < target)
    });
    let missed = missed.count();
    let unapproved = accepted
        .iter()
        .filter(|it| !it.approval(reader.now).is_approved())
        .count();
    let all = reader.href("/acceptances?in_force=true");
    let open = reader.href("/acceptances?approved=false&in_force=true");
    html! {
        ul.tiles {
            li { (tile(tenants.states.len(), "tenants watched", false)) }
            li { (tile(troubled, "in trouble", troubled > 0)) }
            li { (tile(missed, "below their target", missed > 0)) }
            li { a href=(all) { (tile(accepted.len(), "risks accepted now", false)) } }
            li { a href=(open) { (tile(unapproved, "of them not approved", unapproved > 0)) } }
        }
    }
}

fn tile(number: usize, words: &str, calls: bool) -> Markup {
    html! {
        strong class=(if calls { "bad" } else { "plain" }) { (number) } " " span { (words) }
    }
}

/// The risks that most need a look.
fn in_short(accepted: &[Acceptance<'_>], reader: &Reader<'_>) -> Markup {
    let everything = reader.href("/acceptances");
    if accepted.is_empty() {
        return html! {
            p.empty { "No control that we know of has its risk accepted now." }
            p { a href=(everything) { "Those that were accepted once" } }
        };
    }
    let table = html! {
        table.register {
            caption { (count(accepted.len(), "risk")) " accepted now: Identity first, then what nobody approved, then the newest" }
            thead {
                tr {
                    th scope="col" { "Control" }
                    th scope="col" { "Tenant" }
                    th scope="col" { "Category" }
                    th scope="col" { "Accepted" }
                    @if !reader.persons().are_hidden() { th scope="col" { "By whom and why" } }
                    th scope="col" { "Approval" }
                    th.number scope="col" { "Points lost" }
                }
            }
            tbody {
                @for it in accepted.iter().take(SHOWN) {
                    tr { (acceptance_cells(it, reader)) (closing_cells(it, reader)) }
                }
            }
        }
    };
    html! {
        (wide("Accepted risks", table))
        p {
            @if let Some(more) = accepted.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                "… and " (more) " more. "
            }
            a href=(everything) { "All accepted risks, with their history and those withdrawn" }
        }
    }
}

/// An empty list must not be mistaken for good news.
pub(super) fn unread_note(tenants: &Tenants) -> Markup {
    let unread = tenants
        .states
        .iter()
        .filter(|state| state.snapshot.catalogue_anomalies.is_none())
        .count();
    html! {
        @if unread > 0 {
            p.note.bad {
                "The catalogue of controls of " (unread) " of " (tenants.states.len())
                " tenants is not known now: risks accepted there are missing here."
            }
        }
    }
}
