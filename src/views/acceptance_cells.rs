//! The cells of one accepted risk, in each table that lists it.

use super::approval::approval;
use super::context::ViewContext;
use super::history::{changed_at, history, person_and_comment, state_name};
use super::layout::shortened;
use super::numbers::points;
use crate::acceptances::{Acceptance, PointsLost};
use maud::{Markup, html};
use secure_score_model::Control;
use std::cmp::Reverse;

/// The default order: in force, Identity, not approved, newest.
pub(super) fn urgency(it: &Acceptance<'_>, context: &ViewContext<'_>) -> impl Ord + use<> {
    (
        !it.is_in_force(),
        it.control.category,
        it.approval(context.now).is_approved(),
        Reverse(it.accepted.at),
    )
}

/// What the portal shows for a control; its id where the catalogue lacks it.
pub(super) fn title(control: &Control) -> &str {
    let entry = control.entry.as_deref();
    entry.map_or(&*control.id, |entry| &*entry.title)
}

/// The control's title, its id and its tags.
pub(super) fn control_cell(control: &Control) -> Markup {
    let entry = control.entry.as_deref();
    html! {
        th.words scope="row" {
            (shortened(title(control)))
            p.soft.who {
                code { (shortened(&control.id)) }
                @if control.watched { " " span.tag { "watched" } }
                @if entry.is_some_and(|entry| entry.deprecated) { " " span.tag { "deprecated" } }
            }
        }
    }
}

/// Control, tenant and category, and when, by whom and why it was accepted.
pub(super) fn acceptance_cells(it: &Acceptance<'_>, context: &ViewContext<'_>) -> Markup {
    html! {
        (control_cell(it.control))
        td { (context.tenant(&it.tenant.identity.alias)) }
        td { (it.control.category.as_str()) }
        td.when { (changed_at(it.accepted.at, context.now)) }
        @if !context.persons().are_hidden() {
            td.words { (person_and_comment(it.accepted, context.persons())) }
        }
    }
}

/// Whether it is in force, or how it ended, with the control's history.
pub(super) fn status_cell(it: &Acceptance<'_>, context: &ViewContext<'_>) -> Markup {
    html! {
        td.words {
            @match it.withdrawal() {
                None => span.tag { "in force" },
                Some(end) => {
                    span.tag { "withdrawn" } ", now " (state_name(it.entry.history.state()))
                    p.soft.when { (changed_at(end.at, context.now)) }
                }
            }
            (history(&it.entry.history, context))
        }
    }
}

/// Its approval, and the points it costs.
pub(super) fn approval_cells(it: &Acceptance<'_>, context: &ViewContext<'_>) -> Markup {
    html! {
        td.words { (approval(it.approval(context.now), it.is_in_force(), context)) }
        td.number {
            @match it.points_lost() {
                _ if !it.is_in_force() => span.soft { "none" },
                PointsLost::NotScored => span.soft { "not scored" },
                PointsLost::Unknown => span.soft { "unknown" },
                PointsLost::All(max) => (points(max)),
            }
        }
    }
}

/// Points that an acceptance in force costs; a withdrawn one costs none.
pub(super) fn points_lost(it: &Acceptance<'_>) -> Option<f64> {
    match it.points_lost() {
        PointsLost::All(max) if it.is_in_force() => Some(max.get()),
        _ => None,
    }
}
