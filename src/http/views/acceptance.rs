//! The cells of one accepted risk, wherever it is shown.

use super::approval::approval;
use super::changes::{history, in_words, moment, who_and_why};
use super::figures::points;
use super::layout::shortened;
use super::reader::Reader;
use crate::acceptances::{Acceptance, PointsLost};
use maud::{Markup, html};
use secure_score_model::Control;
use std::cmp::Reverse;

/// The order that brings up first what most needs a look: in force, Identity,
/// not approved, newest.
pub(super) fn urgency(it: &Acceptance<'_>, reader: &Reader<'_>) -> impl Ord + use<> {
    (
        !it.is_in_force(),
        it.control.category,
        it.approval(reader.now).is_approved(),
        Reverse(it.accepted.at),
    )
}

/// Which control: its title, its id, and what marks it out.
pub(super) fn control_cell(control: &Control) -> Markup {
    let entry = control.entry.as_deref();
    let title = entry.map_or(&*control.id, |entry| &*entry.title);
    html! {
        th.words scope="row" {
            (shortened(title))
            p.soft.who {
                code { (shortened(&control.id)) }
                @if control.watched { " " span.tag { "watched" } }
                @if entry.is_some_and(|entry| entry.deprecated) { " " span.tag { "deprecated" } }
            }
        }
    }
}

/// Where it is, and when it was accepted, by whom and why.
pub(super) fn acceptance_cells(it: &Acceptance<'_>, reader: &Reader<'_>) -> Markup {
    html! {
        (control_cell(it.control))
        td { (reader.tenant(&it.tenant.identity.alias)) }
        td { (it.control.category.as_str()) }
        td.when { (moment(it.accepted.at, reader.now)) }
        @if !reader.persons().are_hidden() {
            td.words { (who_and_why(it.accepted, reader.persons())) }
        }
    }
}

/// Whether it still holds, or how it ended, with all that went before.
pub(super) fn standing_cell(it: &Acceptance<'_>, reader: &Reader<'_>) -> Markup {
    html! {
        td.words {
            @match it.withdrawal() {
                None => span.tag { "in force" },
                Some(end) => {
                    span.tag { "withdrawn" } ", now " (in_words(it.entry.history.state()))
                    p.soft.when { (moment(end.at, reader.now)) }
                }
            }
            (history(&it.entry.history, reader))
        }
    }
}

/// Who approved it, and what it costs.
pub(super) fn closing_cells(it: &Acceptance<'_>, reader: &Reader<'_>) -> Markup {
    html! {
        td.words { (approval(it.approval(reader.now), it.is_in_force(), reader)) }
        td.number { (lost(it)) }
    }
}

/// Points an acceptance in force costs; an ended one costs none.
pub(super) fn points_lost(it: &Acceptance<'_>) -> Option<f64> {
    match it.points_lost() {
        PointsLost::All(max) if it.is_in_force() => Some(max.get()),
        _ => None,
    }
}

fn lost(it: &Acceptance<'_>) -> Markup {
    match it.points_lost() {
        _ if !it.is_in_force() => html! { span.soft { "none" } },
        PointsLost::NotScored => html! { span.soft { "not scored" } },
        PointsLost::Unknown => html! { span.soft { "unknown" } },
        PointsLost::All(max) => html! { (points(max)) },
    }
}
