//! Who changed a control's state, when and why.

use super::figures::count;
use super::layout::shortened;
use super::moment::since;
use super::reader::Reader;
use maud::{Markup, html};
use secure_score_model::{ControlState, History, Persons, StateUpdate, Timestamp};

/// Changes that are listed of one control. Hundreds of them are the work of a
/// program, not a story.
const SHOWN: usize = 20;

/// All changes of a control, newest first, to be opened by whoever wants them.
pub(super) fn history(history: &History, reader: &Reader<'_>) -> Markup {
    let changes = history.changes();
    if changes.is_empty() {
        return html! {};
    }
    html! {
        details {
            summary { "History, " (count(changes.len(), "change")) }
            ol.changes {
                @for change in changes.iter().rev().take(SHOWN) { (line(change, reader)) }
            }
            @if changes.len() > SHOWN { p.soft { "… and " (changes.len() - SHOWN) " before" } }
        }
    }
}

fn line(change: &StateUpdate, reader: &Reader<'_>) -> Markup {
    // Where a history begins, Graph puts an entry that nobody made.
    if change.at.is_none() && change.by.is_none() && change.comment.is_none() {
        return html! { li { strong { (in_words(change.state)) } " at first" } };
    }
    html! {
        li {
            strong { (in_words(change.state)) } ", " (moment(change.at, reader.now))
            @if !reader.persons().are_hidden() { (who_and_why(change, reader.persons())) }
        }
    }
}

/// The person and the words, each as far as they may be shown.
pub(super) fn who_and_why(change: &StateUpdate, persons: &Persons) -> Markup {
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

/// A time, where there is one.
pub(super) fn moment(at: Option<Timestamp>, now: Timestamp) -> Markup {
    match at {
        Some(at) => since(now, at),
        None => html! { "at an unknown time" },
    }
}

/// A state as the portal's users say it.
pub(super) fn in_words(state: ControlState) -> String {
    state.as_str().replace('_', " ")
}
