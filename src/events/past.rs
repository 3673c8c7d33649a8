//! What was seen of one control's history.

use super::Identity;
use secure_score_model::{ControlState, History, StateUpdate, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// One change as it is remembered: enough to know it again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    /// The change itself: control, state, time and person.
    pub(super) identity: Identity,
    /// The state that was set.
    pub(super) state: ControlState,
    /// When.
    pub(super) at: Option<Timestamp>,
}

impl Mark {
    /// What tells it from other changes of the control, in short.
    pub(super) fn trace(&self) -> String {
        trace(self.state, self.at)
    }

    /// Graph's entry for an untouched control, which it may add or leave out
    /// as it likes.
    fn is_placeholder(&self) -> bool {
        self.state == ControlState::ToAddress && self.at.is_none()
    }
}

/// A change of a history together with what it is known by.
pub(super) struct Known<'a> {
    pub(super) update: &'a StateUpdate,
    pub(super) mark: Mark,
    /// What tells it from other changes of the control, without the person.
    pub(super) trace: String,
}

/// Names each change of a history.
///
/// State, time and person, and where all three are equal, which of them it is:
/// changes without a time are told apart by that alone.
pub(super) fn known<'a>(tenant: &str, control: &str, history: &'a History) -> Vec<Known<'a>> {
    let mut equals: HashMap<_, usize> = HashMap::new();
    let name = |update: &'a StateUpdate| {
        let by = update.by.as_deref().unwrap_or_default();
        let nth = equals.entry((update.state, update.at, by)).or_default();
        let trace = format!("{}#{nth}", trace(update.state, update.at));
        *nth += 1;
        Known {
            update,
            mark: Mark {
                identity: Identity::of(&["change", tenant, control, &trace, by]),
                state: update.state,
                at: update.at,
            },
            trace,
        }
    };
    history.changes().iter().map(name).collect()
}

fn trace(state: ControlState, at: Option<Timestamp>) -> String {
    match at {
        Some(at) => format!("{state}@{}", at.nanos()),
        None => format!("{state}@undated"),
    }
}

/// The history of a control as it was last seen whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Past(pub(super) Vec<Mark>);

impl Past {
    /// The state in force just before a moment.
    ///
    /// A control without a history is still to be addressed. Before the oldest
    /// change we know of, nobody knows.
    pub(super) fn state_before(&self, at: Option<Timestamp>) -> Option<ControlState> {
        if self.0.is_empty() {
            return Some(ControlState::ToAddress);
        }
        let earlier = self.0.iter().rev().find(|mark| mark.at < at);
        earlier.map(|mark| mark.state)
    }

    /// The state it ended in.
    pub(super) fn state(&self) -> ControlState {
        self.0
            .last()
            .map_or(ControlState::ToAddress, |mark| mark.state)
    }

    /// Whether a change is later than all in it.
    pub(super) fn ends_before(&self, at: Timestamp) -> bool {
        self.0.iter().all(|mark| mark.at < Some(at))
    }

    /// The changes that a newer history lacks, if they are gone for no reason
    /// of its own.
    ///
    /// Graph may let go of the oldest when new ones come. So it counts where
    /// there are fewer than before, and where one is gone from among others
    /// that stayed. A change whose person alone reads differently is there.
    pub(super) fn lost(&self, now: &Past) -> Vec<&Mark> {
        let real = |past: &'_ Past| past.0.iter().filter(|mark| !mark.is_placeholder()).count();
        let oldest = now.0.iter().find(|mark| !mark.is_placeholder());
        let is_there = |lost: &Mark| {
            let mut marks = now.0.iter();
            marks.any(|mark| mark.state == lost.state && mark.at == lost.at)
        };
        let lost: Vec<&Mark> = self
            .0
            .iter()
            .filter(|mark| !mark.is_placeholder() && !is_there(mark))
            .collect();
        let from_between = |mark: &&Mark| oldest.is_none_or(|oldest| mark.at > oldest.at);
        if real(now) < real(self) || lost.iter().any(from_between) {
            lost
        } else {
            Vec::new()
        }
    }
}

impl FromIterator<Mark> for Past {
    fn from_iter<I: IntoIterator<Item = Mark>>(marks: I) -> Self {
        Self(marks.into_iter().collect())
    }
}

/// An acceptance in force, kept for the day the control is gone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Acceptance {
    pub(super) trace: String,
    pub(super) at: Option<Timestamp>,
    pub(super) by: Option<Arc<str>>,
    pub(super) comment: Option<Arc<str>>,
}

impl Acceptance {
    /// The newest change, if it accepts the risk.
    pub(super) fn in_force(changes: &[Known<'_>]) -> Option<Self> {
        let newest = changes.last()?;
        newest.update.is_acceptance().then(|| Self {
            trace: newest.trace.clone(),
            at: newest.update.at,
            by: newest.update.by.clone(),
            comment: newest.update.comment.clone(),
        })
    }
}
