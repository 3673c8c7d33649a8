//! The risks somebody accepted: those in force, and those withdrawn since.

use super::layout::{shortened, wide};
use super::moment::since;
use super::tenants::points;
use crate::model::{CatalogueEntry, Control, ControlState, StateUpdate, Timestamp};
use crate::store::{TenantState, Tenants};
use crate::web::PersonDetail;
use maud::{Markup, html};
use std::cmp::Reverse;

/// Rows of the table in force. A page of more would be long to load and longer
/// to read; the metrics have them all.
const SHOWN: usize = 300;

/// Rows of the table of those withdrawn, which matter less.
const SHOWN_WITHDRAWN: usize = 100;

/// One control of one tenant whose risk was accepted.
struct Acceptance<'a> {
    tenant: &'a TenantState,
    control: &'a Control,
    entry: &'a CatalogueEntry,
    accepted: &'a StateUpdate,
}

impl Acceptance<'_> {
    fn is_in_force(&self) -> bool {
        self.entry.history.state() == ControlState::RiskAccepted
    }

    /// Identity first, since its controls guard all others; then the newest.
    fn rank(&self) -> impl Ord + use<> {
        (self.control.category, Reverse(self.accepted.at))
    }

    /// The change that ended it.
    fn end(&self) -> Option<&StateUpdate> {
        let changes = self.entry.history.changes();
        let start = changes
            .iter()
            .rposition(|c| c.state == ControlState::RiskAccepted)?;
        changes.get(start + 1)
    }
}

/// Every acceptance of every tenant, whether its series are exported or not:
/// a filter on series is no reason to hide a risk.
fn acceptances(tenants: &Tenants, in_force: bool) -> Vec<Acceptance<'_>> {
    let mut found: Vec<_> = tenants
        .states
        .iter()
        .flat_map(|tenant| of_tenant(tenant))
        .filter(|acceptance| acceptance.is_in_force() == in_force)
        .collect();
    found.sort_by_key(Acceptance::rank);
    found
}

fn of_tenant(tenant: &TenantState) -> impl Iterator<Item = Acceptance<'_>> {
    tenant.snapshot.controls.iter().filter_map(move |control| {
        let entry = control.entry.as_deref()?;
        Some(Acceptance {
            tenant,
            control,
            entry,
            accepted: entry.history.last_acceptance()?,
        })
    })
}

/// The risks that are accepted now.
pub(super) fn accepted(tenants: &Tenants, persons: PersonDetail, now: Timestamp) -> Markup {
    let found = acceptances(tenants, true);
    if found.is_empty() {
        return html! { p { "No control that we know of has its risk accepted now." } };
    }
    let shows_persons = persons == PersonDetail::Full;
    let table = html! {
        table {
            caption { (found.len()) " accepted now, identity first, then the newest" }
            thead {
                tr {
                    (control_headings())
                    th scope="col" { "Accepted since" }
                    @if shows_persons { th scope="col" { "By" } th scope="col" { "Comment" } }
                    th.number scope="col" { "Points lost" }
                }
            }
            tbody {
                @for acceptance in found.iter().take(SHOWN) {
                    tr {
                        (control_cells(acceptance))
                        td { (moment(acceptance.accepted.at, now)) }
                        @if shows_persons { (person_cells(acceptance.accepted)) }
                        td.number { (lost(acceptance.control)) }
                    }
                }
            }
        }
    };
    html! { (wide("Accepted risks", table)) (rest(found.len(), SHOWN)) }
}

/// The risks that were accepted once and are no longer.
pub(super) fn withdrawn(tenants: &Tenants, persons: PersonDetail, now: Timestamp) -> Markup {
    let found = acceptances(tenants, false);
    if found.is_empty() {
        return html! { p { "No acceptance that we know of was withdrawn." } };
    }
    let shows_persons = persons == PersonDetail::Full;
    let table = html! {
        table {
            caption { (found.len()) " accepted once and changed since" }
            thead {
                tr {
                    (control_headings())
                    th scope="col" { "Last accepted" }
                    @if shows_persons { th scope="col" { "By" } th scope="col" { "Comment" } }
                    th scope="col" { "Withdrawn" }
                    th scope="col" { "State now" }
                }
            }
            tbody {
                @for acceptance in found.iter().take(SHOWN_WITHDRAWN) {
                    tr {
                        (control_cells(acceptance))
                        td { (moment(acceptance.accepted.at, now)) }
                        @if shows_persons { (person_cells(acceptance.accepted)) }
                        td.words {
                            (moment(acceptance.end().and_then(|end| end.at), now))
                            @if shows_persons { (ended_by(acceptance)) }
                        }
                        td { (in_words(acceptance.entry.history.state())) }
                    }
                }
            }
        }
    };
    html! { (wide("Accepted and withdrawn", table)) (rest(found.len(), SHOWN_WITHDRAWN)) }
}

fn control_headings() -> Markup {
    html! {
        th scope="col" { "Category" }
        th scope="col" { "Control" }
        th scope="col" { "Tenant" }
    }
}

fn control_cells(acceptance: &Acceptance<'_>) -> Markup {
    html! {
        td { (acceptance.control.category.as_str()) }
        th.words scope="row" {
            (shortened(&acceptance.entry.title)) br;
            code.soft { (shortened(&acceptance.control.id)) }
        }
        td { (acceptance.tenant.identity.alias) }
    }
}

fn person_cells(update: &StateUpdate) -> Markup {
    html! {
        td.words { @if let Some(by) = &update.by { (shortened(by)) } @else { "unknown" } }
        td.words { @if let Some(comment) = &update.comment { (shortened(comment)) } @else { "none" } }
    }
}

fn ended_by(acceptance: &Acceptance<'_>) -> Markup {
    let by = acceptance.end().and_then(|end| end.by.as_deref());
    html! { @if let Some(by) = by { " by " (shortened(by)) } }
}

fn moment(at: Option<Timestamp>, now: Timestamp) -> Markup {
    match at {
        Some(at) => since(now, at),
        None => html! { "unknown" },
    }
}

/// An accepted risk earns nothing, so all its points are lost; a control that
/// is not scored costs none.
fn lost(control: &Control) -> String {
    match (&control.score, control.max_score()) {
        (None, _) => "not scored".to_owned(),
        (Some(_), None) => "unknown".to_owned(),
        (Some(_), Some(max)) => points(max),
    }
}

fn rest(found: usize, shown: usize) -> Markup {
    html! {
        @if found > shown {
            p { "… and " (found - shown) " more; the metrics have them all." }
        }
    }
}

/// A state as the portal's users say it.
fn in_words(state: ControlState) -> String {
    state.as_str().replace('_', " ")
}
