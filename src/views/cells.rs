//! The cells of a control, a recommendation and an acceptance, in each table that
//! lists them.

use super::context::ViewContext;
use super::control_address::control_href;
use super::layout::shortened;
use super::numbers::points;
use super::time::{date_and_age, day, duration};
use crate::acceptances::{Acceptance, Kind, StateChange};
use crate::serde_time::Day;
use crate::text::count;
use maud::{Markup, html};
use secure_score_model::{Approval, Control, Decision, Persons, Place, Timestamp};
use std::cmp::Reverse;

/// The most changes shown of one control. Hundreds come from a script.
const MAX_CHANGES: usize = 20;

/// The default order: in force, Identity, not approved, newest.
pub(super) fn urgency(it: &Acceptance<'_>, context: &ViewContext<'_>) -> impl Ord + use<> {
    (
        !it.is_in_force(),
        it.category,
        it.approval(context.now).is_approved(),
        Reverse(it.accepted.at),
    )
}

/// What the portal shows for a control; its id where the catalogue lacks it.
pub(super) fn title(control: &Control) -> &str {
    let entry = control.entry.as_deref();
    entry.map_or(&*control.id, |entry| &*entry.title)
}

/// A title with its name and its tags, as a link to the page of the control.
pub(super) struct NameCell<'a> {
    pub(super) href: String,
    pub(super) title: &'a str,
    pub(super) name: &'a str,
    pub(super) is_watched: bool,
    pub(super) is_deprecated: bool,
}

impl maud::Render for NameCell<'_> {
    fn render(&self) -> Markup {
        html! {
            th.words scope="row" {
                a href=(self.href) { (shortened(self.title)) }
                p.soft.who {
                    code { (shortened(self.name)) }
                    @if self.is_watched { " " span.tag { "watched" } }
                    @if self.is_deprecated { " " span.tag { "deprecated" } }
                }
            }
        }
    }
}

/// The control's title, its id and its tags.
pub(super) fn control_cell<'a>(control: &'a Control, context: &ViewContext<'_>) -> NameCell<'a> {
    let entry = control.entry.as_deref();
    NameCell {
        href: control_href(&control.id, context),
        title: title(control),
        name: &control.id,
        is_watched: control.watched,
        is_deprecated: entry.is_some_and(|entry| entry.deprecated),
    }
}

/// Name, tenant, place and category, and when, by whom and why it was accepted.
pub(super) fn acceptance_cells(it: &Acceptance<'_>, context: &ViewContext<'_>) -> Markup {
    let name = match it.place() {
        Place::SecureScore => it.control,
        Place::Entra => it.recommendation.unwrap_or(it.control),
    };
    html! {
        (NameCell { href: control_href(it.control, context), title: it.title, name, is_watched: it.is_watched, is_deprecated: it.is_deprecated })
        td data-label="Tenant" { (context.tenant(&it.tenant.identity.alias)) }
        (place_cell(it))
        td data-label="Category" { (it.category.as_str()) }
        td.when data-label="Accepted" { (changed_at(it.accepted, context.now)) }
        @if !context.persons().are_hidden() {
            td.words data-label="By whom and why" {
                (person_and_comment(it.accepted, context.persons()))
                (missing_reason(it.has_reason()))
            }
        }
    }
}

/// A tag where the comment is no reason.
pub(super) fn missing_reason(has_reason: Option<bool>) -> Markup {
    html! { @if has_reason == Some(false) { " " span.tag { "no reason given" } } }
}

/// Where it is accepted, and the state in the other place.
fn place_cell(it: &Acceptance<'_>) -> Markup {
    let place = it.place();
    let other = match place {
        Place::SecureScore => Place::Entra,
        Place::Entra => Place::SecureScore,
    };
    html! {
        td data-label="Where" {
            (place_name(place))
            @if let Some(state) = it.other_place_state {
                p.soft { (place_name(other)) ": " (state_name(state)) (disagreement(it.disagrees)) }
            }
        }
    }
}

/// A place as people call it.
pub(super) const fn place_name(place: Place) -> &'static str {
    match place {
        Place::SecureScore => "Secure Score",
        Place::Entra => "Entra",
    }
}

/// A tag where the two places disagree.
pub(super) fn disagreement(disagrees: Option<bool>) -> Markup {
    html! { @if disagrees == Some(true) { " " span.tag.bad { "places disagree" } } }
}

/// Whether it is in force, or how it ended, with the control's history.
pub(super) fn status_cell(it: &Acceptance<'_>, context: &ViewContext<'_>) -> Markup {
    html! {
        td.words data-label="Status" {
            @match it.withdrawal {
                None if it.kind == Kind::Claim => {
                    span.tag { "claimed" } ", " (state_name(it.state))
                }
                None => {
                    span.tag { "in force" }
                    @if it.place() == Place::Entra { ", " (state_name(it.state)) }
                    (postponement(it.postponed_until))
                }
                Some(end) => {
                    span.tag { "withdrawn" } ", now " (state_name(it.state))
                    p.soft.when { (changed_at(end, context.now)) }
                }
            }
            (history(&it.status_changes(), context))
        }
    }
}

/// The last day of a postponement.
pub(super) fn postponement(until: Option<Timestamp>) -> Markup {
    html! { @if let Some(until) = until { " until " (day(Day::beginning(until))) } }
}

/// Its approval with what follows it, and the points it costs or claims.
pub(super) fn approval_cells(
    it: &Acceptance<'_>,
    offer: &Markup,
    context: &ViewContext<'_>,
) -> Markup {
    html! {
        td.words data-label="Approval" {
            (approval(it.approval(context.now), it.is_in_force(), context))
            (self_approval(it.is_self_approved(context.now)))
            (offer)
        }
        @match it.kind {
            Kind::Acceptance => (points_lost(it)),
            Kind::Claim => (points_claimed(it)),
        }
    }
}

/// A tag where the person who declared a state approved it too.
pub(super) fn self_approval(is_self_approved: Option<bool>) -> Markup {
    html! { @if is_self_approved == Some(true) { " " span.tag.bad { "self-approved" } } }
}

/// What a claim gives, which Microsoft does not verify.
fn points_claimed(it: &Acceptance<'_>) -> Markup {
    html! {
        td.number data-label="Points" {
            @if let Some(claimed) = it.points_claimed {
                (points(claimed)) p.soft { "claimed" }
            }
            @else if it.is_scored == Some(false) { span.soft { "not scored" } }
            @else { span.soft { "unknown" } }
        }
    }
}

/// What it costs in the tenant's report, and the day of that report.
fn points_lost(it: &Acceptance<'_>) -> Markup {
    html! {
        td.number data-label="Points lost" {
            @if it.risk_accepted == Some(false) { span.soft { "none" } }
            @else if let Some(lost) = it.points_lost {
                (points(lost))
                @if let Some(as_of) = it.report_as_of {
                    p.soft { "report of " (day(Day::beginning(as_of))) }
                }
            }
            @else if it.is_scored == Some(false) { span.soft { "not scored" } }
            @else { span.soft { "unknown" } }
        }
    }
}

/// The approval, with its reference, its approver and its last day.
pub(super) fn approval(
    approval: Approval<'_>,
    in_force: bool,
    context: &ViewContext<'_>,
) -> Markup {
    match approval {
        Approval::Approved(decision) => {
            let left = decision.expires.since(context.now);
            html! {
                span.tag.good { "approved" } " " (shortened(&decision.reference))
                p.soft {
                    "until " (day(Day::ending(decision.expires))) ", " (duration(left)) " left"
                    (approver_and_reason(decision, context))
                }
            }
        }
        Approval::Expired(decision) => html! {
            span.tag.bad { "expired" } " " (shortened(&decision.reference))
            p.soft {
                "expired on " (day(Day::ending(decision.expires)))
                (approver_and_reason(decision, context))
            }
        },
        Approval::Missing if in_force => html! { span.tag.bad { "not approved" } },
        Approval::Missing => html! { span.soft { "none" } },
    }
}

fn approver_and_reason(decision: &Decision, context: &ViewContext<'_>) -> Markup {
    let by = context.persons().name(decision.approver.as_deref());
    let why = context.persons().comment(decision.reason.as_deref());
    let evidence = decision.evidence.as_deref();
    html! {
        @if let Some(by) = by { ", by " (shortened(&by)) }
        @if let Some(why) = why { ": " (shortened(why)) }
        @if let Some(url) = evidence { " " a href=(url) rel="noreferrer" { "Evidence" } }
    }
}

/// The changes of a state, newest first, in a closed disclosure.
pub(super) fn history(changes: &[StateChange<'_>], context: &ViewContext<'_>) -> Markup {
    titled_history("History", changes, context)
}

/// The same, where a row has a history in each place.
pub(super) fn place_history(
    place: Place,
    changes: &[StateChange<'_>],
    context: &ViewContext<'_>,
) -> Markup {
    let title = format!("History in {}", place_name(place));
    titled_history(&title, changes, context)
}

fn titled_history(title: &str, changes: &[StateChange<'_>], context: &ViewContext<'_>) -> Markup {
    if changes.is_empty() {
        return html! {};
    }
    html! {
        details {
            summary { (title) ", " (count(changes.len(), "change")) }
            ol.changes {
                @for change in changes.iter().rev().take(MAX_CHANGES) { (change_item(*change, context)) }
            }
            @if changes.len() > MAX_CHANGES { p.soft { "… and " (changes.len() - MAX_CHANGES) " before" } }
        }
    }
}

fn change_item(change: StateChange<'_>, context: &ViewContext<'_>) -> Markup {
    // Graph begins a history with an entry that has neither date nor author.
    if change.at.is_none() && change.by.is_none() && change.comment.is_none() {
        return html! { li { strong { (state_name(change.state)) } " at first" } };
    }
    html! {
        li {
            strong { (state_name(change.state)) } ", " (changed_at(change, context.now))
            @if !context.persons().are_hidden() { (person_and_comment(change, context.persons())) }
        }
    }
}

/// The author and the comment, each as far as it may be shown.
pub(super) fn person_and_comment(change: StateChange<'_>, persons: &Persons) -> Markup {
    let by = persons.name(change.by);
    let comment = persons.comment(change.comment);
    let hidden = change.comment.is_some() && comment.is_none();
    html! {
        p.who { @if let Some(by) = by { (shortened(&by)) } @else { "unknown person" } }
        @if let Some(comment) = comment { p.why { (shortened(comment)) } }
        @else if hidden { p.soft { "comment hidden" } }
        @else if change.place == Place::SecureScore { p.soft { "no comment" } }
    }
}

/// When a change was made, as far as that is known.
pub(super) fn changed_at(change: StateChange<'_>, now: Timestamp) -> Markup {
    match change.at {
        Some(at) => html! {
            @if !change.is_exact { "on or before " }
            (date_and_age(now, at))
        },
        None => html! { "at an unknown time" },
    }
}

/// The words of a state.
pub(super) fn state_name(state: &str) -> String {
    state.replace('_', " ")
}
