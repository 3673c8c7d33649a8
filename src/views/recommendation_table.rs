//! A tenant's recommendations of Entra, those set aside first.

use super::cells::{
    NameCell, approval, changed_at, disagreement, history, person_and_comment, postponement,
    self_approval, state_name,
};
use super::context::ViewContext;
use super::control_address::control_href;
use super::layout::{shortened, wide};
use super::numbers::points_of;
use crate::acceptances::{StateChange, status_changes};
use crate::text::count;
use maud::{Markup, html};
use secure_score_model::{Points, Recommendation, RecommendationStatus};
use std::cmp::Reverse;

/// The most recommendations shown. Entra has some dozens.
const MAX_SHOWN: usize = 200;

/// The table.
pub(super) fn recommendation_table(
    recommendations: &[Recommendation],
    context: &ViewContext<'_>,
) -> Markup {
    if recommendations.is_empty() {
        return html! { p.empty { "Entra has no recommendation for this tenant now." } };
    }
    let mut sorted: Vec<&Recommendation> = recommendations.iter().collect();
    sorted.sort_by_key(|it| urgency(it));
    let set_aside = sorted.iter().filter(|it| it.is_set_aside()).count();
    let table = html! {
        table.controls.cards {
            caption { (count(sorted.len(), "recommendation")) ", " (set_aside) " set aside" }
            thead {
                tr {
                    th scope="col" { "Recommendation" }
                    th scope="col" { "Status" }
                    th scope="col" { "Since" }
                    th.number scope="col" { "Points" }
                    th scope="col" { "Control in Secure Score" }
                }
            }
            tbody { @for it in sorted.iter().take(MAX_SHOWN) { (row(it, context)) } }
        }
    };
    html! {
        (wide("Recommendations of Entra", table))
        @if let Some(more) = sorted.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
            p { "… and " (more) " more." }
        }
    }
}

/// Set aside first, then where the status is unknown or the places disagree, then
/// the most points.
fn urgency(it: &Recommendation) -> impl Ord + use<> {
    let is_unclear =
        it.entry.status == RecommendationStatus::Unknown || it.disagrees() == Some(true);
    let hundredths = |points: Points| (points.get() * 100.0) as i64;
    let gain = it.entry.points_to_gain().map(hundredths);
    (!it.is_set_aside(), !is_unclear, Reverse(gain))
}

fn row(it: &Recommendation, context: &ViewContext<'_>) -> Markup {
    let entry = &it.entry;
    html! {
        tr {
            (NameCell { href: control_href(it.control.as_deref().unwrap_or(&entry.name), context), title: &entry.title, name: &entry.name, is_watched: it.watched, is_deprecated: false })
            (status_cell(it, context))
            td.words data-label="Since" {
                @match it.changed_since_listed() {
                    Some(change) => (since(change.into(), context)),
                    None if it.changed().is_some() => span.soft { "never changed" },
                    None => span.soft { "unknown" },
                }
            }
            td.number data-label="Points" {
                @if entry.max_score.is_some() { (points_of(entry.score, entry.max_score)) }
                @else { span.soft { "not scored" } }
            }
            (control_cell(it))
        }
    }
}

fn status_cell(it: &Recommendation, context: &ViewContext<'_>) -> Markup {
    let status = state_name(it.entry.status.as_str());
    let is_set_aside = it.is_set_aside();
    let found = it.approval(context.now);
    let judgement = it.judgement();
    let claim = judgement.present_approval(context.now);
    let claim = claim.filter(|_| it.is_claimed());
    let changes = status_changes(it);
    html! {
        td.words data-label="Status" {
            @if is_set_aside { span.tag.bad { (status) } } @else { (status) }
            (postponement(it.entry.postponed_until))
            @if let Some(claim) = claim {
                div { (approval(claim, true, context)) }
            } @else if is_set_aside || found.decision().is_some() {
                div { (approval(found, is_set_aside, context)) }
            }
            @if is_set_aside || claim.is_some() {
                (self_approval(judgement.is_self_approved(context.now)))
            }
            @if changes.len() > 1 { (history(&changes, context)) }
        }
    }
}

fn since(change: StateChange<'_>, context: &ViewContext<'_>) -> Markup {
    html! {
        (changed_at(change, context.now))
        @if change.by.is_some() && !context.persons().are_hidden() {
            (person_and_comment(change, context.persons()))
        }
    }
}

/// The control that is the same, and its state there.
fn control_cell(it: &Recommendation) -> Markup {
    html! {
        td.words data-label="Control in Secure Score" {
            @if let Some(control) = it.control.as_deref() {
                code { (shortened(control)) } ": "
                @match it.control_state {
                    Some(state) => (state_name(state.as_str())),
                    None => "unknown",
                }
                (disagreement(it.disagrees()))
            } @else {
                span.soft { "none" }
            }
        }
    }
}
