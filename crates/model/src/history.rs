//! What administrators declared about one control, in order.

use crate::Timestamp;
use crate::label_values::label_values;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

label_values! {
    /// What an administrator declared about a control, in the portal's words.
    ///
    /// Graph uses other words; the exporter translates them where it decodes
    /// an answer, and nowhere else.
    pub enum ControlState {
        /// No declaration.
        ToAddress = "to_address",
        /// The risk is accepted: no points, and hidden from the to-do list.
        RiskAccepted = "risk_accepted",
        /// Declared as solved by another product: full points, unverified.
        ThirdParty = "third_party",
        /// Declared as solved by other means: full points, unverified.
        AlternateMitigation = "alternate_mitigation",
        /// Declared as planned.
        Planned = "planned",
        /// A word outside this set.
        Unknown = "unknown",
    }
}

/// One declaration of a state, as Graph lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateUpdate {
    /// The state that was set.
    pub state: ControlState,
    /// When it was set; missing on the placeholder that Graph lists for
    /// untouched controls.
    pub at: Option<Timestamp>,
    /// Who set it, as Graph sends it: a sign-in name or an object id.
    pub by: Option<Arc<str>>,
    /// The administrator's comment.
    pub comment: Option<Arc<str>>,
    /// To whom the control was assigned with it.
    #[serde(rename = "assigned")]
    pub assigned_to: Option<Arc<str>>,
}

impl StateUpdate {
    /// An update without a time, a person or a comment.
    pub const fn new(state: ControlState) -> Self {
        Self {
            state,
            at: None,
            by: None,
            comment: None,
            assigned_to: None,
        }
    }

    /// Whether this update accepts the risk.
    pub fn is_acceptance(&self) -> bool {
        self.state == ControlState::RiskAccepted
    }
}

/// The changes of one control's state, oldest first, each different from the
/// one before.
///
/// Graph does not guarantee an order, so updates are sorted by time. An update
/// without a time is the oldest; of two at the same time, the later in the list
/// is the later. The placeholder of an untouched control comes first and is not
/// a change.
///
/// Equal states in a row are one change, of which the *first* is kept: some
/// tools write the same state again every night, and a later copy must not
/// hide who accepted the risk, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<StateUpdate>")]
pub struct History(Vec<StateUpdate>);

impl From<Vec<StateUpdate>> for History {
    fn from(updates: Vec<StateUpdate>) -> Self {
        Self::from_updates(updates)
    }
}

impl History {
    /// Sorts updates as Graph sent them and merges equal states in a row.
    pub fn from_updates(mut updates: Vec<StateUpdate>) -> Self {
        updates.sort_by_key(|update| update.at);
        let placeholders = updates.iter().take_while(|it| is_placeholder(it)).count();
        updates.drain(..placeholders);
        updates.dedup_by(|later, earlier| later.state == earlier.state);
        updates.shrink_to_fit();
        Self(updates)
    }

    /// The changes, oldest first; empty for an untouched control.
    pub fn changes(&self) -> &[StateUpdate] {
        &self.0
    }

    /// The history when the change at this index was the newest.
    pub fn up_to(&self, index: usize) -> Self {
        Self(self.0.iter().take(index + 1).cloned().collect())
    }

    /// Whether the control is untouched.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The current state.
    pub fn state(&self) -> ControlState {
        self.latest().map_or(ControlState::ToAddress, |c| c.state)
    }

    /// When the control entered its current state.
    pub fn state_since(&self) -> Option<Timestamp> {
        self.latest()?.at
    }

    /// Whether the risk was accepted in any of the last `n` changes.
    ///
    /// A risk accepted at nine and withdrawn at five is invisible to a check of
    /// the current state at six.
    pub fn accepted_within(&self, n: usize) -> bool {
        let mut newest = self.0.iter().rev().take(n);
        newest.any(StateUpdate::is_acceptance)
    }

    /// How often the state changed to *risk accepted*.
    pub fn acceptances(&self) -> usize {
        self.0.iter().filter(|c| c.is_acceptance()).count()
    }

    /// The newest acceptance, even if it was withdrawn.
    pub fn last_acceptance(&self) -> Option<&StateUpdate> {
        self.0.get(self.last_acceptance_index()?)
    }

    /// The change that withdrew the newest acceptance.
    pub fn withdrawal(&self) -> Option<&StateUpdate> {
        self.0.get(self.last_acceptance_index()? + 1)
    }

    pub(crate) fn last_acceptance_index(&self) -> Option<usize> {
        self.0.iter().rposition(StateUpdate::is_acceptance)
    }

    /// The acceptance in force.
    pub fn current_acceptance(&self) -> Option<&StateUpdate> {
        self.latest().filter(|c| c.is_acceptance())
    }

    fn latest(&self) -> Option<&StateUpdate> {
        self.0.last()
    }
}

/// Graph's update for an untouched control has no time and no person.
fn is_placeholder(update: &StateUpdate) -> bool {
    update.state == ControlState::ToAddress && update.at.is_none() && update.by.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ControlState::{Planned, RiskAccepted, ThirdParty, ToAddress};
    use proptest::prelude::*;

    fn update(state: ControlState, at: Option<i64>) -> StateUpdate {
        StateUpdate {
            at: at.map(Timestamp::from_seconds),
            by: at.map(|t| Arc::from(format!("user{t}@contoso.example"))),
            ..StateUpdate::new(state)
        }
    }

    fn history(updates: &[(ControlState, Option<i64>)]) -> History {
        History::from_updates(updates.iter().map(|(s, t)| update(*s, *t)).collect())
    }

    #[test]
    fn updates_become_changes_in_order_of_time() {
        let accepted = (RiskAccepted, Some(5));
        for (updates, state, since, acceptances) in [
            (&[][..], ToAddress, None, 0),
            // The placeholder of an untouched control is no change,
            (&[(ToAddress, None)], ToAddress, None, 0),
            // and older than every change.
            (&[accepted, (ToAddress, None)], RiskAccepted, Some(5), 1),
            // Of two at the same time the later in the list is newer.
            (&[accepted, (ToAddress, Some(5))], ToAddress, Some(5), 1),
            // An acceptance without a date counts.
            (&[(RiskAccepted, None)], RiskAccepted, None, 1),
            // A reset by a person is a change.
            (&[(ToAddress, Some(4))], ToAddress, Some(4), 0),
            (
                &[(ToAddress, None), (ToAddress, Some(4))],
                ToAddress,
                Some(4),
                0,
            ),
        ] {
            let h = history(updates);
            assert_eq!(h.state(), state, "{updates:?}");
            assert_eq!(h.state_since(), since.map(Timestamp::from_seconds));
            assert_eq!(h.acceptances(), acceptances, "{updates:?}");
            assert_eq!(h.accepted_within(3), acceptances > 0, "{updates:?}");
            assert_eq!(h.is_empty(), h.changes().is_empty());
        }
        assert!(history(&[(ToAddress, None)]).is_empty());
    }

    #[test]
    fn an_acceptance_withdrawn_the_same_week_still_shows() {
        let h = history(&[
            (ToAddress, Some(9)),
            (RiskAccepted, Some(5)),
            (ToAddress, None),
        ]);
        assert_eq!(h.state(), ToAddress);
        assert!(h.accepted_within(2));
        assert!(!h.accepted_within(1));
        assert_eq!(
            h.last_acceptance().and_then(|c| c.at),
            Some(Timestamp::from_seconds(5))
        );
        assert_eq!(h.current_acceptance(), None);
        assert!(!h.is_empty());
        let withdrawn = h.withdrawal().and_then(|change| change.at);
        assert_eq!(withdrawn, Some(Timestamp::from_seconds(9)));
        let before = h.up_to(0);
        assert_eq!(before.changes(), &h.changes()[..1]);
        assert_eq!(before.withdrawal(), None);
        assert_eq!(h.up_to(1).changes().len(), 2);
    }

    #[test]
    fn a_repeated_state_does_not_hide_the_first_acceptance() {
        let h = history(&[
            (RiskAccepted, Some(9)),
            (RiskAccepted, Some(5)),
            (RiskAccepted, Some(7)),
        ]);
        let acceptance = h.current_acceptance().unwrap();
        assert_eq!(acceptance.by.as_deref(), Some("user5@contoso.example"));
        assert_eq!(h.acceptances(), 1);
    }

    fn states() -> impl Strategy<Value = ControlState> {
        prop::sample::select(vec![ToAddress, RiskAccepted, ThirdParty, Planned])
    }

    /// A second implementation: notes each state that differs from the one before.
    fn reference(by_time: &[ControlState], n: usize) -> (ControlState, bool, usize) {
        let mut seen: Vec<ControlState> = Vec::new();
        for state in by_time {
            if seen.last() != Some(state) {
                seen.push(*state);
            }
        }
        let now = seen.last().copied().unwrap_or(ToAddress);
        let start = seen.len().saturating_sub(n);
        let within = seen[start..].contains(&RiskAccepted);
        let count = seen.iter().filter(|s| **s == RiskAccepted).count();
        (now, within, count)
    }

    proptest! {
        #[test]
        fn any_order_of_dated_updates_gives_the_same_history(
            states in prop::collection::vec(states(), 0..12),
            shuffled in Just((0..12_i64).collect::<Vec<_>>()).prop_shuffle(),
            n in 1_usize..6,
        ) {
            let dated: Vec<_> = states.iter().copied().zip((0..).map(Some)).collect();
            let mut mixed = dated.clone();
            mixed.sort_by_key(|(_, at)| at.map(|at| shuffled[at as usize]));
            let straight = history(&dated);
            prop_assert_eq!(&straight, &history(&mixed));
            let (now, within, count) = reference(&states, n);
            prop_assert_eq!(straight.state(), now);
            prop_assert_eq!(straight.accepted_within(n), within);
            prop_assert_eq!(straight.acceptances(), count);
        }

        #[test]
        fn repeating_a_state_changes_nothing(
            states in prop::collection::vec(states(), 1..8),
            repeats in prop::collection::vec(1_i64..5, 8),
        ) {
            let dated = states.iter().zip(0..);
            let once: Vec<_> = dated.clone().map(|(s, t)| (*s, Some(t * 10))).collect();
            let again: Vec<_> = dated
                .zip(&repeats)
                .flat_map(|((s, t), n)| (0..*n).map(move |extra| (*s, Some(t * 10 + extra))))
                .collect();
            prop_assert_eq!(history(&once), history(&again));
        }
    }
}
