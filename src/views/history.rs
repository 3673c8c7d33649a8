//! The changes of a control's state: when, by whom and why.

use super::context::ViewContext;
use super::layout::shortened;
use super::numbers::count;
use super::time::date_and_age;
use maud::{Markup, html};
use secure_score_model::{ControlState, History, Persons, StateUpdate, Timestamp};

/// The most changes shown of one control. Hundreds come from a script.
const MAX_SHOWN: usize = 20;

/// The changes of a control, newest first, in a closed disclosure.
pub(super) fn history(history: &History, context: &ViewContext<'_>) -> Markup {
    let changes = history.changes();
    if changes.is_empty() {
        return html! {};
    }
    html! {
        details {
            summary { "History, " (count(changes.len(), "change")) }
            ol.changes {
                @for change in changes.iter().rev().take(MAX_SHOWN) { (item(change, context)) }
            }
            @if changes.len() > MAX_SHOWN { p.soft { "… and " (changes.len() - MAX_SHOWN) " before" } }
        }
    }
}

fn item(change: &StateUpdate, context: &ViewContext<'_>) -> Markup {
    // Graph begins a history with an entry that has neither date nor author.
    if change.at.is_none() && change.by.is_none() && change.comment.is_none() {
        return html! { li { strong { (state_name(change.state)) } " at first" } };
    }
    html! {
        li {
            strong { (state_name(change.state)) } ", " (changed_at(change.at, context.now))
            @if !context.persons().are_hidden() { (person_and_comment(change, context.persons())) }
        }
    }
}

/// The author and the comment, each as far as it may be shown.
pub(super) fn person_and_comment(change: &StateUpdate, persons: &Persons) -> Markup {
    let by = persons.name(change.by.as_deref());
    let comment = persons.comment(change.comment.as_deref());
    let hidden = change.comment.is_some() && comment.is_none();
    html! {
        p.who { @if let Some(by) = by { (shortened(&by)) } @else { "unknown person" } }
        @if let Some(comment) = comment { p.why { (shortened(comment)) } }
        @else if hidden { p.soft { "comment hidden" } }
        @else { p.soft { "no comment" } }
    }
}

/// When a change was made, if that is known.
pub(super) fn changed_at(at: Option<Timestamp>, now: Timestamp) -> Markup {
    match at {
        Some(at) => date_and_age(now, at),
        None => html! { "at an unknown time" },
    }
}

/// A state's name in words.
pub(super) fn state_name(state: ControlState) -> String {
    state.as_str().replace('_', " ")
}
