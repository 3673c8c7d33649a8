//! What needs a decision now: acceptances and claims that no valid decision approves.

use super::broken::tenants;
use super::cells::{
    changed_at, disagreement, missing_reason, place_name, postponement, state_name,
};
use super::context::ViewContext;
use super::control_address::control_href;
use super::decision_offer::decision_offers;
use super::layout::shortened;
use super::numbers::points;
use super::page_query::encoded;
use crate::acceptances::{Acceptance, Kind, Shared, UndecidedGroup, distinct};
use crate::text::count;
use maud::{Markup, html};
use secure_score_model::{Approval, Points, Timestamp};
use std::collections::BTreeSet;

/// The most groups shown; the register has every row.
const MAX_SHOWN: usize = 12;

/// The most persons and controls named in one group.
const MAX_NAMED: usize = 4;

/// The section: first what is on the watch list, then the other acceptances.
pub(super) fn undecided<'a>(
    rows: &[&'a Acceptance<'a>],
    note: &Markup,
    context: &ViewContext<'_>,
) -> Markup {
    let (watched, others): (Vec<_>, Vec<_>) = rows.iter().partition(|it| it.is_watched);
    let (accepted, claimed): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|it: &&Acceptance<'_>| it.kind == Kind::Acceptance);
    html! {
        section aria-labelledby="undecided" {
            h2 #undecided { "Needs a decision now" }
            (note)
            @if watched.is_empty() {
                p.empty { "No acceptance and no claim on a watched control waits for a decision." }
            } @else {
                (context.privacy_note())
                (groups(&watched, context))
            }
            @if !accepted.is_empty() {
                details.others open[watched.is_empty()] {
                    summary { (count(accepted.len(), "accepted risk")) " without a decision on controls that are not watched" }
                    @if watched.is_empty() { (context.privacy_note()) }
                    (groups(&accepted, context))
                }
            }
            @if !claimed.is_empty() {
                p.soft {
                    a href=(context.page("/acceptances?kind=claim&approved=false&in_force=true")) {
                        (count(claimed.len(), "claim")) " without a decision"
                    }
                    " on controls that are not watched."
                }
            }
        }
    }
}

fn groups<'a>(rows: &[&'a Acceptance<'a>], context: &ViewContext<'_>) -> Markup {
    let groups = UndecidedGroup::all(rows, !context.persons().are_hidden());
    let more = groups.len().saturating_sub(MAX_SHOWN);
    html! {
        ul.findings { @for group in groups.iter().take(MAX_SHOWN) { (card(group, context)) } }
        @if more > 0 {
            p {
                "… and " (more) " more: "
                a href=(context.page("/acceptances?approved=false&in_force=true&kind=all")) { "everything that no decision approves" }
            }
        }
    }
}

fn card(group: &UndecidedGroup<'_>, context: &ViewContext<'_>) -> Markup {
    let Some(newest) = group.rows.first() else {
        return html! {};
    };
    let register = format!("/acceptances?{}", register_query(group, newest));
    html! {
        li.undecided {
            div { (subjects(group, newest, context)) }
            div { p.tenants { (tenants(&group.tenants(), &register, context)) } }
            div { (when(group, newest, context.now)) }
            @if !context.persons().are_hidden() { div.who { (persons(group, newest, context)) } }
            div { (decision(group, &register, context)) }
        }
    }
}

/// What is accepted or claimed.
fn subjects(
    group: &UndecidedGroup<'_>,
    newest: &Acceptance<'_>,
    context: &ViewContext<'_>,
) -> Markup {
    if group.shared == Shared::Person {
        return controls(group, context);
    }
    html! {
        h3 { a href=(control_href(newest.control, context)) { (shortened(newest.title)) } }
        p.soft.names { code { (shortened(newest.control)) } }
    }
}

/// The controls of one person's acceptances and claims.
fn controls(group: &UndecidedGroup<'_>, context: &ViewContext<'_>) -> Markup {
    let mut seen = BTreeSet::new();
    let rows = group.rows.iter().filter(|row| seen.insert(row.control));
    let rows: Vec<_> = rows.collect();
    html! {
        h3 { "One person, " (count(rows.len(), "control")) }
        p.soft.names {
            @for (place, row) in rows.iter().take(MAX_NAMED).enumerate() {
                @if place > 0 { ", " }
                a href=(control_href(row.control, context)) { (shortened(row.title)) }
            }
            @if let Some(more) = rows.len().checked_sub(MAX_NAMED).filter(|it| *it > 0) {
                " and " (more) " more"
            }
        }
    }
}

/// The states, the places and the time of the newest, and the cost of all.
fn when(group: &UndecidedGroup<'_>, newest: &Acceptance<'_>, now: Timestamp) -> Markup {
    let places = distinct(group.rows.iter().map(|row| place_name(row.place())));
    let disagrees = group.rows.iter().any(|row| row.disagrees == Some(true));
    html! {
        p {
            (states(group, Kind::Acceptance, ""))
            (states(group, Kind::Claim, "claimed: "))
            (postponement(newest.postponed_until))
            " " span.soft { "in " (places.join(" and ")) }
            (disagreement(disagrees.then_some(true)))
        }
        p.when { @if group.rows.len() > 1 { "Newest: " } (changed_at(newest.accepted, now)) }
        @if let Some(cost) = cost(group) { p.soft { (cost) } }
    }
}

/// The states of the rows of one kind, in a tag.
fn states(group: &UndecidedGroup<'_>, kind: Kind, prefix: &str) -> Markup {
    let rows = group.rows.iter().filter(|row| row.kind == kind);
    let states = distinct(rows.map(|row| row.state));
    let states: Vec<String> = states.into_iter().map(state_name).collect();
    html! {
        @if !states.is_empty() { span.tag.bad { (prefix) (states.join(", ")) } " " }
    }
}

/// The points that the acceptances cost and those that the claims give, as far as they
/// are known. Claimed points are not lost.
fn cost(group: &UndecidedGroup<'_>) -> Option<String> {
    let total = |kind: Kind, of: fn(&Acceptance<'_>) -> Option<Points>| {
        let rows = group.rows.iter().filter(|row| row.kind == kind);
        let known: Vec<Points> = rows.filter_map(|row| of(row)).collect();
        (!known.is_empty()).then(|| points(known.into_iter().sum()))
    };
    let lost = total(Kind::Acceptance, |row| row.points_lost);
    let claimed = total(Kind::Claim, |row| row.points_claimed);
    match (lost, claimed) {
        (Some(lost), Some(claimed)) => {
            Some(format!("{} lost, {claimed} claimed", count(lost, "point")))
        }
        (Some(lost), None) => Some(format!("{} lost", count(lost, "point"))),
        (None, Some(claimed)) => Some(format!("{} claimed", count(claimed, "point"))),
        (None, None) => None,
    }
}

/// Who declared it and why.
fn persons(
    group: &UndecidedGroup<'_>,
    newest: &Acceptance<'_>,
    context: &ViewContext<'_>,
) -> Markup {
    let shown = context.persons();
    let names = group.rows.iter().filter_map(|row| row.accepted.by);
    let names = distinct(names);
    let comment = shown.comment(newest.accepted.comment);
    html! {
        p {
            @if names.is_empty() { "unknown person" }
            @for (place, name) in names.iter().take(MAX_NAMED).enumerate() {
                @if place > 0 { ", " }
                @if let Some(name) = shown.name(Some(name)) { (shortened(&name)) }
            }
            @if let Some(more) = names.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) { " and " (more) " more" }
        }
        @if let Some(comment) = comment { p.why { (shortened(comment)) } }
        @if group.rows.iter().all(|row| row.has_reason() == Some(false)) { (missing_reason(Some(false))) }
    }
}

/// Why no decision covers it, and how to make one.
fn decision(group: &UndecidedGroup<'_>, register: &str, context: &ViewContext<'_>) -> Markup {
    let expired = group
        .rows
        .iter()
        .find_map(|row| match row.approval(context.now) {
            Approval::Expired(decision) => Some(&decision.reference),
            _ => None,
        });
    let self_approved = group
        .rows
        .iter()
        .any(|row| row.is_self_approved(context.now) == Some(true));
    html! {
        p {
            @match expired {
                Some(reference) => { span.tag.bad { "expired" } " " (shortened(reference)) },
                None => span.tag.bad { "not approved" },
            }
            @if self_approved { " " span.tag.bad { "self-approved" } }
        }
        p { a href=(context.page(register)) { "Decide in the register" } }
        (decision_offers(&group.rows, context))
    }
}

/// The rows of a group in the register. Those of one person are not a filter of it.
fn register_query(group: &UndecidedGroup<'_>, newest: &Acceptance<'_>) -> String {
    let is_of_one_kind = group.rows.iter().all(|row| row.kind == newest.kind);
    let kind = if is_of_one_kind {
        newest.kind.as_str()
    } else {
        "all"
    };
    let control = (group.shared != Shared::Person).then_some(("control", newest.control));
    let tenant =
        (group.shared == Shared::Tenant).then(|| ("tenant", &*newest.tenant.identity.alias));
    let all = [("approved", "false"), ("in_force", "true"), ("kind", kind)];
    encoded(all.into_iter().chain(control).chain(tenant))
}
