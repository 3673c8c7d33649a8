//! The risks somebody accepted: those in force, and those withdrawn since.

use super::layout::{shortened, wide};
use super::moment::since;
use super::tenants::points;
use crate::model::{ControlState, Persons, StateUpdate, Timestamp};
use crate::register::{Acceptance, Filter, PointsLost, acceptances};
use crate::store::Tenants;
use maud::{Markup, html};

/// Rows of the table in force. A page of more would be long to load and longer
/// to read; the metrics have them all.
const SHOWN: usize = 300;

/// Rows of the table of those withdrawn, which matter less.
const SHOWN_WITHDRAWN: usize = 100;

fn found(tenants: &Tenants, in_force: bool, now: Timestamp) -> Vec<Acceptance<'_>> {
    let filter = Filter {
        in_force: Some(in_force),
        ..Filter::default()
    };
    acceptances(tenants, &filter, now)
}

/// The risks that are accepted now.
pub(super) fn accepted(tenants: &Tenants, persons: &Persons, now: Timestamp) -> Markup {
    let found = found(tenants, true, now);
    if found.is_empty() {
        return html! { p { "No control that we know of has its risk accepted now." } };
    }
    let shows_persons = !persons.are_hidden();
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
                        @if shows_persons { (person_cells(acceptance.accepted, persons)) }
                        td.number { (lost(acceptance)) }
                    }
                }
            }
        }
    };
    html! { (wide("Accepted risks", table)) (rest(found.len(), SHOWN)) }
}

/// The risks that were accepted once and are no longer.
pub(super) fn withdrawn(tenants: &Tenants, persons: &Persons, now: Timestamp) -> Markup {
    let found = found(tenants, false, now);
    if found.is_empty() {
        return html! { p { "No acceptance that we know of was withdrawn." } };
    }
    let shows_persons = !persons.are_hidden();
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
                        @if shows_persons { (person_cells(acceptance.accepted, persons)) }
                        td.words {
                            (moment(acceptance.withdrawal().and_then(|end| end.at), now))
                            @if shows_persons { (ended_by(acceptance, persons)) }
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

fn person_cells(update: &StateUpdate, persons: &Persons) -> Markup {
    let by = persons.name(update.by.as_deref());
    let comment = persons.comment(update.comment.as_deref());
    let hidden = update.comment.is_some() && comment.is_none();
    html! {
        td.words { @if let Some(by) = by { (shortened(&by)) } @else { "unknown" } }
        td.words {
            @if let Some(comment) = comment { (shortened(comment)) }
            @else if hidden { "hidden" }
            @else { "none" }
        }
    }
}

fn ended_by(acceptance: &Acceptance<'_>, persons: &Persons) -> Markup {
    let end = acceptance.withdrawal();
    let by = persons.name(end.and_then(|end| end.by.as_deref()));
    html! { @if let Some(by) = by { " by " (shortened(&by)) } }
}

fn moment(at: Option<Timestamp>, now: Timestamp) -> Markup {
    match at {
        Some(at) => since(now, at),
        None => html! { "unknown" },
    }
}

fn lost(acceptance: &Acceptance<'_>) -> String {
    match acceptance.points_lost() {
        PointsLost::NotScored => "not scored".to_owned(),
        PointsLost::Unknown => "unknown".to_owned(),
        PointsLost::All(max) => points(max),
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
