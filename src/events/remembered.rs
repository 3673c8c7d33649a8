//! What was seen, in a form that can be stored.

use super::Identity;
use super::past::{Acceptance, Mark, Past};
use super::seen::{Seen, SeenControl};
use secure_score_model::{Category, ControlState, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What was seen of a tenant, as plain words and numbers.
///
/// It holds the names and comments of the acceptances in force, and hashes of
/// all others, from which a person could be guessed: keep it as private as a
/// tenant's data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Remembered {
    /// From when on changes count, nanoseconds since the epoch.
    pub since: Option<i64>,
    /// The controls, by id.
    pub controls: Vec<RememberedControl>,
}

/// What was seen of one control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedControl {
    /// Graph's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The word of its category.
    pub category: String,
    /// Whether the last whole catalogue had it.
    pub listed: bool,
    /// Whether Microsoft had withdrawn it.
    pub deprecated: bool,
    /// Its history; missing while only partial catalogues showed it.
    pub history: Option<Vec<RememberedChange>>,
    /// Events beside those of its history, oldest first, as identities.
    pub earlier: Vec<String>,
    /// The acceptance in force.
    pub acceptance: Option<RememberedAcceptance>,
}

/// One change of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedChange {
    /// Its identity.
    pub id: String,
    /// The word of the state that was set.
    pub state: String,
    /// When, nanoseconds since the epoch.
    pub at: Option<i64>,
}

/// An acceptance in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedAcceptance {
    /// What tells it from other changes of its control.
    pub trace: String,
    /// When, nanoseconds since the epoch.
    pub at: Option<i64>,
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub comment: Option<String>,
}

impl Seen {
    /// What was seen, to be stored.
    pub fn remember(&self) -> Remembered {
        Remembered {
            since: self.since.map(Timestamp::nanos),
            controls: self
                .controls
                .iter()
                .map(|(id, seen)| RememberedControl::of(id, seen))
                .collect(),
        }
    }

    /// What was stored, to be gone on with.
    ///
    /// What no longer reads as an identity is left out; the worst that follows
    /// is that an event is told a second time, under its old key.
    pub fn restore(remembered: &Remembered) -> Self {
        let controls = remembered.controls.iter();
        Self {
            since: remembered.since.map(Timestamp::from_nanos),
            controls: controls
                .map(|control| (Arc::from(control.id.as_str()), control.seen()))
                .collect(),
        }
    }
}

impl RememberedControl {
    fn of(id: &str, seen: &SeenControl) -> Self {
        let change = |mark: &Mark| RememberedChange {
            id: mark.identity.to_string(),
            state: mark.state.to_string(),
            at: mark.at.map(Timestamp::nanos),
        };
        Self {
            id: id.to_owned(),
            title: seen.title.to_string(),
            category: seen.category.to_string(),
            listed: seen.listed,
            deprecated: seen.deprecated,
            history: seen
                .past
                .as_ref()
                .map(|past| past.0.iter().map(change).collect()),
            earlier: seen.earlier.iter().map(Identity::to_string).collect(),
            acceptance: seen.acceptance.as_ref().map(RememberedAcceptance::of),
        }
    }

    fn seen(&self) -> SeenControl {
        let past = |changes: &Vec<RememberedChange>| -> Past {
            changes.iter().filter_map(RememberedChange::mark).collect()
        };
        let earlier = self.earlier.iter();
        SeenControl {
            title: self.title.as_str().into(),
            category: self.category.parse().unwrap_or(Category::Unknown),
            listed: self.listed,
            deprecated: self.deprecated,
            past: self.history.as_ref().map(past),
            acceptance: self.acceptance.as_ref().map(RememberedAcceptance::told),
            earlier: earlier.filter_map(|id| id.parse().ok()).collect(),
        }
    }
}

impl RememberedChange {
    fn mark(&self) -> Option<Mark> {
        let mut states = ControlState::ALL.into_iter();
        let state = states.find(|state| state.as_str() == self.state);
        Some(Mark {
            identity: self.id.parse().ok()?,
            state: state.unwrap_or(ControlState::Unknown),
            at: self.at.map(Timestamp::from_nanos),
        })
    }
}

impl RememberedAcceptance {
    fn of(acceptance: &Acceptance) -> Self {
        Self {
            trace: acceptance.trace.clone(),
            at: acceptance.at.map(Timestamp::nanos),
            by: acceptance.by.as_deref().map(str::to_owned),
            comment: acceptance.comment.as_deref().map(str::to_owned),
        }
    }

    fn told(&self) -> Acceptance {
        Acceptance {
            trace: self.trace.clone(),
            at: self.at.map(Timestamp::from_nanos),
            by: self.by.as_deref().map(Arc::from),
            comment: self.comment.as_deref().map(Arc::from),
        }
    }
}
