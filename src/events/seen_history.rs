//! The history of one control as it was last seen.

use super::EventId;
use secure_score_model::{ControlState, History, StateUpdate, Timestamp};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::Not;
use std::sync::Arc;

/// The changes of a control that are remembered while its history is not
/// conclusive.
const MAX_CHANGES: usize = 20_000;

/// A change of a history as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ChangeKey {
    /// The hash of control, state, time and person.
    pub(super) id: EventId,
    /// The state that was set.
    pub(super) state: ControlState,
    /// When it was set.
    pub(super) at: Option<Timestamp>,
    /// Whether that was in the future.
    #[serde(rename = "future", default, skip_serializing_if = "Not::not")]
    pub(super) is_future: bool,
}

impl ChangeKey {
    /// The change in short, without the person.
    pub(super) fn describe(&self) -> String {
        describe(self.state, self.at)
    }

    /// Graph lists a placeholder for an untouched control, but not always.
    fn is_placeholder(&self) -> bool {
        self.state == ControlState::ToAddress && self.at.is_none()
    }

    /// Whether its date may be another one when it is next read.
    fn has_odd_date(&self) -> bool {
        self.is_known() && (self.at.is_none() || self.is_future)
    }

    fn is_known(&self) -> bool {
        self.state != ControlState::Unknown
    }

    fn identity(&self) -> (ControlState, Option<Timestamp>) {
        (self.state, self.at)
    }
}

/// A change of a history with its key.
pub(super) struct KeyedChange<'a> {
    pub(super) update: &'a StateUpdate,
    pub(super) key: ChangeKey,
    /// Distinguishes it from other changes of the control, without the person.
    pub(super) discriminator: String,
}

/// Computes the key of each change of a history.
///
/// Changes with equal state, time and person are numbered: without a time,
/// nothing else distinguishes them.
pub(super) fn keyed_changes<'a>(
    tenant: &str,
    control: &str,
    history: &'a History,
) -> Vec<KeyedChange<'a>> {
    let mut equals: HashMap<_, usize> = HashMap::new();
    let keyed = |update: &'a StateUpdate| {
        // When a date in the future was first seen is not part of the change.
        let (by, at) = (update.by.as_deref().unwrap_or_default(), update.date());
        let number = equals.entry((update.state, at, by)).or_default();
        let discriminator = format!("{}#{number}", describe(update.state, at));
        *number += 1;
        KeyedChange {
            update,
            key: ChangeKey {
                id: EventId::of(&["change", tenant, control, &discriminator, by]),
                state: update.state,
                at,
                is_future: update.future_date.is_some(),
            },
            discriminator,
        }
    };
    history.changes().iter().map(keyed).collect()
}

fn describe(state: ControlState, at: Option<Timestamp>) -> String {
    match at {
        Some(at) => format!("{state}@{}", at.nanos()),
        None => format!("{state}@undated"),
    }
}

/// The changes of a control's history when a complete catalogue last had it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct SeenHistory(pub(super) Vec<ChangeKey>);

impl SeenHistory {
    /// The state just before a time.
    ///
    /// A control without changes is still to be addressed. The state before the
    /// oldest change is unknown.
    pub(super) fn state_before(&self, at: Option<Timestamp>) -> Option<ControlState> {
        if self.0.is_empty() {
            return Some(ControlState::ToAddress);
        }
        let mut known = self.0.iter().rev().filter(|key| key.is_known());
        let earlier = known.find(|key| key.at < at);
        earlier.map(|key| key.state)
    }

    /// The state after the newest change.
    pub(super) fn state(&self) -> ControlState {
        let newest = self.0.last();
        newest.map_or(ControlState::ToAddress, |key| key.state)
    }

    /// Whether all its changes are older.
    pub(super) fn ends_before(&self, at: Timestamp) -> bool {
        self.0.iter().all(|key| key.at < Some(at))
    }

    /// Adds the changes of a newer history that may lack some.
    pub(super) fn add(&mut self, newer: Self) {
        let listed: HashSet<EventId> = self.0.iter().map(|key| key.id).collect();
        let new = newer.0.into_iter().filter(|key| !listed.contains(&key.id));
        self.0.extend(new);
        self.0.sort_by_key(|key| key.at);
        let excess = self.0.len().saturating_sub(MAX_CHANGES);
        self.0.drain(..excess);
    }

    /// The changes that can be missed: an unknown state may become known.
    fn real(&self) -> impl Iterator<Item = &ChangeKey> {
        let keys = self.0.iter();
        keys.filter(|key| key.is_known() && !key.is_placeholder())
    }

    /// The changes that a newer history lacks because of tampering.
    ///
    /// Graph may drop the oldest changes when new ones come. So a missing
    /// change counts where the newer history is shorter, or where an older
    /// change is still there. A change of which only the person differs is not
    /// missing, nor one of which only the date can be read now, or no longer.
    pub(super) fn lost(&self, newer: &NewerHistory<'_>) -> Vec<&ChangeKey> {
        let listed: HashSet<_> = newer.updates.iter().map(identity).collect();
        let seen: HashSet<_> = self.0.iter().map(ChangeKey::identity).collect();
        let is_new = |key: &&ChangeKey| !seen.contains(&key.identity());
        let mut dated: Vec<_> = newer.keys.real().filter(is_new).collect();
        dated.retain(|key| !key.has_odd_date());
        let odd = newer.updates.iter().filter(|it| has_odd_date(it));
        let odd = odd.map(identity).filter(|it| !seen.contains(it));
        let mut odd: Vec<_> = odd.map(|(state, _)| state).collect();

        let mut lost: Vec<_> = self.real().collect();
        lost.retain(|key| !listed.contains(&key.identity()));
        // Those with odd dates have more other readings.
        lost.sort_by_key(|key| (!key.has_odd_date(), Reverse(key.at)));
        lost.retain(|key| {
            let dated = key.has_odd_date().then_some(&mut dated);
            !take(&mut odd, |it| *it == key.state)
                && !dated.is_some_and(|dated| take(dated, |it| it.state == key.state))
        });
        // A date that is read anew may merge equal states.
        lost.retain(|key| match key.has_odd_date() {
            true => !newer.keys.has_state(key.state),
            false => newer.keys.dated_state_at(key.at) != Some(key.state),
        });
        lost.sort_by_key(|key| key.at);

        let oldest = newer.keys.real().find(|key| !key.has_odd_date());
        let from_between = |key: &&ChangeKey| oldest.is_none_or(|oldest| key.at > oldest.at);
        odd.retain(|state| *state != ControlState::ToAddress);
        if dated.len() + odd.len() < lost.len() || lost.iter().any(from_between) {
            lost
        } else {
            Vec::new()
        }
    }

    fn has_state(&self, state: ControlState) -> bool {
        self.0.iter().any(|key| key.state == state)
    }

    /// The state at a time, by the changes with dates that can be relied on.
    fn dated_state_at(&self, at: Option<Timestamp>) -> Option<ControlState> {
        let is_older = |key: &&ChangeKey| !key.has_odd_date() && key.at <= at;
        self.0.iter().rfind(is_older).map(|key| key.state)
    }
}

/// Removes the first element that fits.
fn take<T>(elements: &mut Vec<T>, fits: impl Fn(&T) -> bool) -> bool {
    let place = elements.iter().position(fits);
    place.map(|place| elements.remove(place)).is_some()
}

/// The history of an answer.
pub(super) struct NewerHistory<'a> {
    pub(super) keys: &'a SeenHistory,
    /// Its updates, with those that are no changes.
    pub(super) updates: &'a [StateUpdate],
}

fn identity(update: &StateUpdate) -> (ControlState, Option<Timestamp>) {
    (update.state, update.date())
}

/// Whether its date may be another one when it is next read.
fn has_odd_date(update: &StateUpdate) -> bool {
    let is_known = update.state != ControlState::Unknown;
    is_known && (update.date().is_none() || update.future_date.is_some())
}

/// An acceptance in force, stored for the event when the control leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SeenAcceptance {
    #[serde(rename = "trace")]
    pub(super) discriminator: String,
    pub(super) at: Option<Timestamp>,
    pub(super) by: Option<Arc<str>>,
    pub(super) comment: Option<Arc<str>>,
}

impl SeenAcceptance {
    /// The acceptance in force, among the changes of its history.
    pub(super) fn in_force(history: &History, changes: &[KeyedChange<'_>]) -> Option<Self> {
        let acceptance = history.current_acceptance()?;
        let mut changes = changes.iter();
        let change = changes.find(|change| std::ptr::eq(change.update, acceptance))?;
        Some(Self {
            discriminator: change.discriminator.clone(),
            at: acceptance.date(),
            by: acceptance.by.clone(),
            comment: acceptance.comment.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ControlState::{Planned, RiskAccepted, ThirdParty, ToAddress};

    /// Times from here on were in the future.
    const FUTURE: i64 = 1_000;

    fn history(changes: &[(ControlState, Option<i64>)]) -> SeenHistory {
        let key = |(state, at): &(ControlState, Option<i64>)| ChangeKey {
            id: EventId::of(&[&describe(*state, at.map(Timestamp::from_seconds))]),
            state: *state,
            at: at.map(Timestamp::from_seconds),
            is_future: at.is_some_and(|at| at >= FUTURE),
        };
        SeenHistory(changes.iter().map(key).collect())
    }

    /// The states of the changes that a newer history lacks.
    fn lost_of(seen: &SeenHistory, newer: &[(ControlState, Option<i64>)]) -> Vec<ControlState> {
        let update = |(state, at): &(ControlState, Option<i64>)| StateUpdate {
            at: at.map(Timestamp::from_seconds),
            future_date: at.filter(|at| *at >= FUTURE).map(Timestamp::from_seconds),
            ..StateUpdate::new(*state)
        };
        let updates: Vec<_> = newer.iter().map(update).collect();
        let newer = NewerHistory {
            keys: &history(newer),
            updates: &updates,
        };
        seen.lost(&newer).iter().map(|key| key.state).collect()
    }

    #[test]
    fn a_change_with_another_reading_of_its_date_is_not_lost() {
        let [planned, accepted, reset] = [
            (Planned, Some(5)),
            (RiskAccepted, Some(7)),
            (ToAddress, Some(9)),
        ];
        for odd in [None, Some(FUTURE), Some(FUTURE + 1)] {
            let odd = (RiskAccepted, odd);
            let histories = [[planned, accepted, reset], [planned, odd, reset]];
            for seen in histories {
                let seen = history(&seen);
                for newer in histories {
                    assert_eq!(lost_of(&seen, &newer), [], "{newer:?}");
                }
                assert_eq!(lost_of(&seen, &[planned, odd]), [ToAddress]);
                assert_eq!(lost_of(&seen, &[odd, reset]), [Planned]);
                assert_eq!(lost_of(&seen, &[planned, reset]), [RiskAccepted]);
            }
        }
        let twice = history(&[(RiskAccepted, Some(3)), planned, accepted]);
        let unread = (RiskAccepted, None);
        assert_eq!(lost_of(&twice, &[planned, unread]), [RiskAccepted]);
    }

    #[test]
    fn the_state_before_a_time_is_that_of_the_last_older_change() {
        let seen = history(&[(Planned, Some(5)), (RiskAccepted, Some(7))]);
        let before = |at| seen.state_before(Some(Timestamp::from_seconds(at)));
        let states = [5, 6, 7, 8].map(before);
        let planned = Some(Planned);
        assert_eq!(states, [None, planned, planned, Some(RiskAccepted)]);
        assert_eq!(seen.state_before(None), None);
        assert_eq!(history(&[]).state_before(None), Some(ToAddress));
    }

    #[test]
    fn a_history_ends_before_what_is_newer_than_all_its_changes() {
        let seen = history(&[(Planned, None), (RiskAccepted, Some(7))]);
        let ends_before = |at| seen.ends_before(Timestamp::from_seconds(at));
        assert_eq!([6, 7, 8].map(ends_before), [false, false, true]);
    }

    #[test]
    fn a_change_is_lost_from_a_shorter_history_and_from_between_others() {
        let all = [
            (Planned, Some(5)),
            (RiskAccepted, Some(7)),
            (ThirdParty, Some(9)),
        ];
        let lost = |newer: &[(ControlState, Option<i64>)]| lost_of(&history(&all), newer);
        let placeholder = (ToAddress, None);
        let newest = (ToAddress, Some(11));
        assert_eq!(lost(&all), []);
        assert_eq!(lost(&[all[1], all[2]]), [Planned]);
        assert_eq!(lost(&[placeholder, all[1], all[2]]), [Planned]);
        assert_eq!(lost(&[all[1], all[2], newest]), [], "Graph dropped it");
        assert_eq!(lost(&[all[0], all[2], newest]), [RiskAccepted]);
        let same_time = (ToAddress, Some(7));
        assert_eq!(lost(&[all[0], same_time, all[2]]), [RiskAccepted]);
        assert_eq!(lost(&[same_time, all[2], newest]), [], "not newer than it");
        assert_eq!(lost(&[]), [Planned, RiskAccepted, ThirdParty]);
        let unknown = history(&[(ControlState::Unknown, Some(5)), all[1]]);
        assert!(lost_of(&unknown, &all).is_empty(), "it is known now");
    }
}
