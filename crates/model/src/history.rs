//! What administrators declared about one control, in order.

use crate::Timestamp;
use crate::declaration::{DecisionState, Declaration};
use crate::state_update::{ControlState, StateUpdate};
use crate::update_order::{changes, date_future_updates, newest_time};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::HashSet;

/// The changes of one control's state, oldest first, each different from the
/// one before.
///
/// Graph does not guarantee an order, so updates are sorted by time; of two at
/// the same time, the later in the list is the later. Without a time:
///
/// - The placeholder of an untouched control is not a change.
/// - An unknown state is the newest: it could be an acceptance, and no older
///   change may stand for it.
/// - An acceptance is the newest too, so that no older change undoes it. Only
///   in a list that is sorted by its dates, oldest first, or has none, it follows
///   the update before it.
/// - Any other update is the oldest.
///
/// If a date cannot be read, the list keeps its own order.
///
/// A date in the future says nothing. Such an update counts as set
///
/// - where the list has it, if its other dates are sorted, oldest or newest first:
///   just after the update before it, or as of when it was first seen if it is
///   the newest;
/// - as of when it was first seen, if it is the only one that the answer before
///   lacked;
/// - else, if it is an acceptance or an unknown state, as of when it was first
///   seen, and any other update before all others: no acceptance that may be
///   the newest is hidden.
///
/// Equal states in a row are one change, of which the *first* is kept: some
/// tools write the same state again every night, and a later copy must not
/// hide who accepted the risk, and when. For the same reason an acceptance goes
/// on over unknown states.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(from = "Vec<StateUpdate>")]
pub struct History {
    changes: Vec<StateUpdate>,
    /// The updates in Graph's order, where the changes do not replace them:
    /// with an unknown state, a date that is missing, unreadable or was in the
    /// future, and until the dates are compared with the clock.
    updates: Vec<StateUpdate>,
}

impl From<Vec<StateUpdate>> for History {
    fn from(updates: Vec<StateUpdate>) -> Self {
        Self::from_updates(updates)
    }
}

impl Serialize for History {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.updates())
    }
}

impl History {
    /// Sorts updates and merges equal states in a row.
    pub fn from_updates(updates: Vec<StateUpdate>) -> Self {
        let mut history = Self::as_sent(updates);
        history.drop_updates();
        history
    }

    /// Like [`from_updates`](Self::from_updates), for updates whose dates are
    /// not yet compared with the clock.
    pub fn as_sent(mut updates: Vec<StateUpdate>) -> Self {
        updates.retain(|update| !update.is_placeholder());
        Self {
            changes: changes(&updates),
            updates,
        }
    }

    /// Dates updates that lie in the future: as one of the known updates, else
    /// by their place in the list and what the previous answer lacked. A clock
    /// that is wrong or a mistyped year must neither outlive a later withdrawal
    /// nor hide a later acceptance.
    ///
    /// An update keeps that time when its date has passed.
    pub(crate) fn settle_future_dates(
        &mut self,
        known: &[StateUpdate],
        previous: Option<&Self>,
        now: Timestamp,
    ) {
        let mut moved = false;
        for update in &mut self.updates {
            let known = known.iter().find(|it| it.is_same(update));
            if known.is_some() || update.at > Some(now) {
                update.future_date = update.date();
                update.at = known.and_then(|it| it.at).map(|at| at.min(now));
                moved = true;
            }
        }
        if moved {
            let newest = newest_time(&self.updates, now);
            let added = previous.and_then(|it| self.only_addition_to(it));
            let added = added.and_then(|it| self.updates.get_mut(it));
            if let Some(added) = added.filter(|it| it.future_date.is_some()) {
                added.at.get_or_insert(newest);
            }
            date_future_updates(&mut self.updates, now);
            self.changes = changes(&self.updates);
        }
        self.drop_updates();
    }

    /// The index of the only update that an earlier history lacks, if this one
    /// lacks none of its updates.
    fn only_addition_to(&self, earlier: &Self) -> Option<usize> {
        let earlier: HashSet<_> = earlier.updates().iter().map(StateUpdate::key).collect();
        let listed: HashSet<_> = self.updates.iter().map(StateUpdate::key).collect();
        let updates = self.updates.iter().enumerate();
        let mut added = updates.filter(|(_, update)| !earlier.contains(&update.key()));
        let (index, _) = added.next()?;
        (added.next().is_none() && earlier.is_subset(&listed)).then_some(index)
    }

    /// Whether an update is dated later.
    pub(crate) fn is_dated_after(&self, now: Timestamp) -> bool {
        self.updates().iter().any(|update| update.at > Some(now))
    }

    /// The updates whose dates were in the future when they were first seen.
    pub(crate) fn future_updates(&self) -> impl Iterator<Item = &StateUpdate> {
        self.updates.iter().filter(|it| it.future_date.is_some())
    }

    /// Whether [`settle_future_dates`](Self::settle_future_dates) can change it.
    pub(crate) fn has_updates(&self) -> bool {
        !self.updates.is_empty()
    }

    fn drop_updates(&mut self) {
        let is_needed =
            |it: &StateUpdate| it.is_unknown() || it.at.is_none() || it.future_date.is_some();
        if !self.updates.iter().any(is_needed) {
            self.updates = Vec::new();
        }
    }

    /// The updates in Graph's order, without placeholders; without equal states
    /// in a row and sorted where no update is odd.
    pub fn updates(&self) -> &[StateUpdate] {
        match self.updates.is_empty() {
            true => &self.changes,
            false => &self.updates,
        }
    }

    /// Orders two copies of one history: an acceptance or an unknown state
    /// without a date may be the newest; else the newest date decides, then the
    /// number of updates, then whether the risk is accepted, then how many updates
    /// accept it. A date in the future is none.
    pub fn recency(&self, now: Timestamp) -> impl Ord + use<> {
        let updates = self.updates();
        let date = |it: &StateUpdate| it.date().filter(|at| *at <= now);
        let may_be_newest =
            |it: &StateUpdate| date(it).is_none() && (it.is_acceptance() || it.is_unknown());
        let newest = updates.iter().map(date).max();
        let undated = updates.iter().any(may_be_newest);
        let acceptances = updates.iter().filter(|it| it.is_acceptance()).count();
        let mut settled = self.clone();
        settled.settle_future_dates(&[], None, now);
        let is_accepted = settled.is_accepted();
        (undated, newest, updates.len(), is_accepted, acceptances)
    }

    /// The changes, oldest first; empty for an untouched control.
    pub fn changes(&self) -> &[StateUpdate] {
        &self.changes
    }

    /// The history when the change at this index was the newest.
    pub fn up_to(&self, index: usize) -> Self {
        Self {
            changes: self.changes.iter().take(index + 1).cloned().collect(),
            updates: Vec::new(),
        }
    }

    /// How many updates have an unknown state.
    pub fn unknown_updates(&self) -> usize {
        let updates = self.updates().iter();
        updates.filter(|update| update.is_unknown()).count()
    }

    /// Whether the control is untouched.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether a state is unknown: its word, or the whole update.
    pub fn has_unknown(&self) -> bool {
        self.changes.iter().any(StateUpdate::is_unknown)
    }

    /// The current state. After an unknown state it is *risk accepted* if that
    /// was the last known one, else unknown.
    pub fn state(&self) -> ControlState {
        match self.changes.last() {
            _ if self.is_accepted() => ControlState::RiskAccepted,
            Some(newest) => newest.state,
            None => ControlState::ToAddress,
        }
    }

    /// When the control entered its current state.
    pub fn state_since(&self) -> Option<Timestamp> {
        let began = self.current_acceptance().or(self.changes.last());
        began?.at
    }

    /// Whether the risk is accepted now; none if the state is unknown.
    pub fn risk_accepted(&self) -> Option<bool> {
        let state = Some(self.state()).filter(|it| *it != ControlState::Unknown)?;
        Some(state == ControlState::RiskAccepted)
    }

    /// Whether the risk is accepted now or was in any of the last `n` changes;
    /// none if it was not, but one of them is unknown.
    ///
    /// A risk accepted at nine and withdrawn at five is invisible to a check of
    /// the current state at six.
    pub fn accepted_within(&self, n: usize) -> Option<bool> {
        let mut newest = self.changes.iter().rev().take(n);
        if self.is_accepted() || newest.clone().any(StateUpdate::is_acceptance) {
            return Some(true);
        }
        (!newest.any(StateUpdate::is_unknown)).then_some(false)
    }

    /// How often the state changed to *risk accepted*; none if no acceptance
    /// and an unknown state is listed.
    pub fn acceptances(&self) -> Option<usize> {
        let known = self.acceptance_indices().count();
        (known > 0 || !self.has_unknown()).then_some(known)
    }

    /// The newest acceptance, even if it was withdrawn.
    pub fn last_acceptance(&self) -> Option<&StateUpdate> {
        self.changes.get(self.last_acceptance_index()?)
    }

    /// The change that withdrew the newest acceptance.
    pub fn withdrawal(&self) -> Option<&StateUpdate> {
        self.withdrawal_of(self.last_acceptance_index()?)
    }

    /// The states that decisions can cover, oldest first. An unknown state ends
    /// none of them.
    pub fn declarations(&self) -> Vec<Declaration<'_>> {
        let mut declarations: Vec<Declaration<'_>> = Vec::new();
        let mut current = None;
        for change in self.changes.iter().filter(|it| !it.is_unknown()) {
            let state = DecisionState::of_control(change.state);
            if state == current {
                continue;
            }
            if let (Some(_), Some(last)) = (current, declarations.last_mut()) {
                last.ended_at = change.at;
            }
            declarations.extend(state.map(|state| Declaration {
                state,
                at: change.at,
                by: change.by.as_deref(),
                ended_at: None,
            }));
            current = state;
        }
        declarations
    }

    fn withdrawal_of(&self, acceptance: usize) -> Option<&StateUpdate> {
        let mut later = self.changes.iter().skip(acceptance);
        later.find(|it| !it.is_acceptance() && !it.is_unknown())
    }

    /// The indices of the changes into *risk accepted*.
    pub(crate) fn acceptance_indices(&self) -> impl Iterator<Item = usize> {
        let mut accepted = false;
        let begins = move |(index, change): (usize, &StateUpdate)| {
            let before = accepted;
            accepted = change.is_acceptance() || (accepted && change.is_unknown());
            (accepted && !before).then_some(index)
        };
        self.changes.iter().enumerate().filter_map(begins)
    }

    pub(crate) fn last_acceptance_index(&self) -> Option<usize> {
        self.acceptance_indices().last()
    }

    /// The acceptance in force.
    pub fn current_acceptance(&self) -> Option<&StateUpdate> {
        self.last_acceptance().filter(|_| self.is_accepted())
    }

    fn is_accepted(&self) -> bool {
        let last_known = self.changes.iter().rfind(|it| !it.is_unknown());
        last_known.is_some_and(StateUpdate::is_acceptance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ControlState::{Planned, RiskAccepted, ThirdParty, ToAddress, Unknown};
    use proptest::prelude::*;
    use std::sync::Arc;

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
            assert_eq!(h.acceptances(), Some(acceptances), "{updates:?}");
            let within = Some(acceptances > 0);
            assert_eq!(h.accepted_within(3), within, "{updates:?}");
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
        assert_eq!(h.accepted_within(2), Some(true));
        assert_eq!(h.accepted_within(1), Some(false));
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
        assert_eq!(h.acceptances(), Some(1));
    }

    /// State, accepted now, accepted within three, number of acceptances.
    type Answers = (ControlState, Option<bool>, Option<bool>, Option<usize>);

    fn answers(history: &History) -> Answers {
        (
            history.state(),
            history.risk_accepted(),
            history.accepted_within(3),
            history.acceptances(),
        )
    }

    const ACCEPTED: Answers = (RiskAccepted, Some(true), Some(true), Some(1));

    #[test]
    fn an_unknown_state_never_means_that_nothing_was_accepted() {
        let unknown = (Unknown, None);
        for (updates, expected) in [
            (&[unknown][..], (Unknown, None, None, None)),
            (&[unknown, (RiskAccepted, Some(5))], ACCEPTED),
            (&[(RiskAccepted, Some(5)), (Unknown, Some(6))], ACCEPTED),
            // Without a date it is the newest, wherever it is listed.
            (
                &[unknown, (ToAddress, Some(5))],
                (Unknown, None, None, None),
            ),
            (
                &[unknown, (RiskAccepted, Some(4)), (ToAddress, Some(5))],
                (Unknown, None, Some(true), Some(1)),
            ),
            // With one, a later state is known.
            (
                &[(Unknown, Some(4)), (ToAddress, Some(5))],
                (ToAddress, Some(false), None, None),
            ),
            (
                &[
                    (Unknown, Some(1)),
                    (ToAddress, Some(2)),
                    (Planned, Some(3)),
                    (ToAddress, Some(4)),
                ],
                (ToAddress, Some(false), Some(false), None),
            ),
        ] {
            assert_eq!(answers(&history(updates)), expected, "{updates:?}");
        }
    }

    #[test]
    fn an_acceptance_goes_on_over_an_unknown_state() {
        let mut updates = vec![
            (RiskAccepted, Some(5)),
            (Unknown, Some(6)),
            (RiskAccepted, Some(7)),
        ];
        let h = history(&updates);
        assert_eq!(h.changes().len(), 3);
        assert_eq!(answers(&h), ACCEPTED);
        assert_eq!(h.accepted_within(1), Some(true));
        let first = Some(Timestamp::from_seconds(5));
        assert_eq!(h.state_since(), first);
        assert_eq!(h.current_acceptance().and_then(|it| it.at), first);
        assert_eq!(h.withdrawal(), None);
        updates.extend([(Unknown, Some(8)), (ToAddress, Some(9))]);
        let h = history(&updates);
        assert_eq!(h.acceptances(), Some(1));
        assert_eq!(h.last_acceptance().and_then(|it| it.at), first);
        let withdrawn = h.withdrawal().and_then(|it| it.at);
        assert_eq!(withdrawn, Some(Timestamp::from_seconds(9)));
    }

    #[test]
    fn an_acceptance_without_a_date_is_not_undone_by_an_older_change() {
        let undated = (RiskAccepted, None);
        for updates in [
            &[(ToAddress, Some(5)), undated][..],
            &[undated, (ToAddress, None)],
            &[(ToAddress, Some(5)), undated, (ToAddress, None)],
            &[(Planned, Some(7)), undated, (ToAddress, Some(5))],
            // The list does not show that it is sorted.
            &[undated, (ToAddress, Some(5))],
            &[(Planned, Some(5)), undated, (ToAddress, Some(5))],
        ] {
            let h = history(updates);
            assert_eq!(answers(&h), ACCEPTED, "{updates:?}");
            assert_eq!(restored(&h), h, "{updates:?}");
        }
        for updates in [
            &[(Planned, Some(5)), undated, (ToAddress, Some(7))][..],
            &[undated, (Planned, Some(5)), (Planned, Some(7))],
        ] {
            let h = history(updates);
            assert_ne!(h.state(), RiskAccepted, "{updates:?}");
            assert_eq!(h.accepted_within(3), Some(true), "{updates:?}");
            assert_eq!(restored(&h), h, "{updates:?}");
        }
    }

    #[test]
    fn an_unreadable_date_leaves_the_list_in_its_own_order() {
        let odd_date = |state| StateUpdate {
            date_is_unreadable: true,
            ..StateUpdate::new(state)
        };
        let dated = |state, at| update(state, Some(at));
        let sent = vec![
            dated(ToAddress, 9),
            odd_date(RiskAccepted),
            dated(RiskAccepted, 2),
        ];
        let accepted = History::from_updates(sent);
        assert_eq!(answers(&accepted), ACCEPTED);
        let sent = vec![
            dated(RiskAccepted, 9),
            odd_date(RiskAccepted),
            dated(ToAddress, 2),
        ];
        let withdrawn = History::from_updates(sent);
        assert_eq!(withdrawn.state(), ToAddress);
        // A reset with such a date is not a placeholder.
        let reset = History::from_updates(vec![dated(RiskAccepted, 9), odd_date(ToAddress)]);
        assert_eq!(reset.state(), ToAddress);
        // An update that cannot be read may still be the newest.
        let unread = vec![
            StateUpdate::new(Unknown),
            odd_date(RiskAccepted),
            dated(ToAddress, 2),
        ];
        assert_eq!(History::from_updates(unread).state(), Unknown);
        for history in [accepted, withdrawn, reset] {
            assert_eq!(restored(&history), history);
        }
    }

    /// A history after a restart.
    fn restored(history: &History) -> History {
        serde_json::from_str(&serde_json::to_string(history).unwrap()).unwrap()
    }

    /// A history that Graph sends at a time, after the previous one.
    fn read(
        previous: Option<&History>,
        updates: &[(ControlState, Option<i64>)],
        now: i64,
    ) -> History {
        let updates = updates.iter().map(|(s, t)| update(*s, *t));
        let mut history = History::as_sent(updates.collect());
        let known = previous.into_iter().flat_map(History::future_updates);
        let known: Vec<_> = known.cloned().collect();
        history.settle_future_dates(&known, previous, Timestamp::from_seconds(now));
        history
    }

    #[test]
    fn a_change_dated_in_the_future_counts_as_of_when_it_was_first_seen() {
        let mut updates = vec![(ToAddress, Some(50)), (RiskAccepted, Some(900))];
        let first = read(None, &updates, 100);
        assert_eq!(answers(&first), ACCEPTED);
        assert_eq!(first.state_since(), Some(Timestamp::from_seconds(100)));
        // It does not outlive a withdrawal, which also repeats an older state.
        updates.push((ToAddress, Some(110)));
        for previous in [&first, &restored(&first)] {
            let second = read(Some(previous), &updates, 120);
            assert_eq!(second.state(), ToAddress);
            assert_eq!(second.acceptances(), Some(1));
            let at = second.last_acceptance().and_then(|it| it.at);
            assert_eq!(at, Some(Timestamp::from_seconds(100)));
            assert_eq!(restored(&second), second);
            // It keeps its time when its date has passed.
            let third = read(Some(&second), &updates, 1_000);
            assert_eq!(third, second);
        }
        // Of two the dates say nothing either.
        let two = read(None, &[(ToAddress, Some(901)), updates[1]], 100);
        assert_eq!(answers(&two), ACCEPTED);
        // Without one, nothing is kept beside the changes.
        let past = read(Some(&first), &[(RiskAccepted, Some(100))], 100);
        assert!(!past.has_updates());
        assert_eq!(past, history(&[(RiskAccepted, Some(100))]));
    }

    #[test]
    fn a_repeated_change_dated_in_the_future_is_remembered_although_it_is_merged() {
        let mut updates = vec![(RiskAccepted, Some(50)), (RiskAccepted, Some(900))];
        let first = read(None, &updates, 100);
        assert_eq!(first.changes().len(), 1);
        updates.push((ToAddress, Some(110)));
        assert_eq!(read(Some(&first), &updates, 120).state(), ToAddress);
    }

    #[test]
    fn the_copy_with_the_newest_date_is_the_more_recent() {
        let accepted = (RiskAccepted, Some(5));
        let withdrawn = (ToAddress, Some(9));
        let recency = |updates: &[_]| history(updates).recency(Timestamp::from_seconds(100));
        let long = [accepted, (Planned, Some(6)), (ToAddress, Some(7))];
        assert!(recency(&[withdrawn]) > recency(&long));
        assert!(recency(&[(Planned, Some(3)), accepted]) > recency(&[accepted]));
        assert!(recency(&[(Unknown, None)]) > recency(&[]));
        assert!(recency(&[accepted]) > recency(&[(ToAddress, Some(5))]));
        let undated = (RiskAccepted, None);
        assert!(
            recency(&[undated]) > recency(&[withdrawn]),
            "nothing hides it"
        );
        assert!(recency(&[undated, withdrawn]) > recency(&[undated]));
        // A date in the future says nothing.
        assert!(recency(&[accepted]) > recency(&[(ToAddress, Some(900))]));
        assert!(recency(&[(RiskAccepted, Some(900))]) > recency(&[withdrawn]));
        let as_sent = |updates: &[(ControlState, Option<i64>)]| {
            let updates = updates.iter().map(|(state, at)| update(*state, *at));
            History::as_sent(updates.collect()).recency(Timestamp::from_seconds(100))
        };
        let reset = (ToAddress, Some(900));
        assert!(as_sent(&[reset, accepted]) > as_sent(&[(Planned, Some(5)), reset]));
        let (once, never) = ([accepted, withdrawn], [(Planned, Some(5)), withdrawn]);
        assert!(as_sent(&once) > as_sent(&never));
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
            prop_assert_eq!(straight.accepted_within(n), Some(within));
            prop_assert_eq!(straight.acceptances(), Some(count));
        }

        /// Whatever an unknown update was, no 0 contradicts it.
        #[test]
        fn an_unknown_update_never_turns_an_acceptance_into_a_zero(
            mut updates in prop::collection::vec((states(), prop::option::of(0..9_i64)), 1..8),
            unknown in any::<prop::sample::Index>(),
            has_date in any::<bool>(),
            n in 1_usize..6,
        ) {
            let place = unknown.index(updates.len());
            updates[place].0 = RiskAccepted;
            let truth = history(&updates);
            updates[place].0 = Unknown;
            if !has_date {
                updates[place].1 = None;
            }
            let read = history(&updates);
            if truth.risk_accepted() == Some(true) {
                prop_assert_ne!(read.risk_accepted(), Some(false));
            }
            if truth.accepted_within(n) == Some(true) {
                prop_assert_ne!(read.accepted_within(n), Some(false));
            }
            prop_assert_ne!(read.acceptances(), Some(0));
        }

        #[test]
        fn a_restored_history_is_the_same(
            updates in prop::collection::vec(
                (prop::sample::select(ControlState::ALL.to_vec()), prop::option::of(0..9_i64), prop::bool::weighted(0.05)),
                0..8,
            ),
            now in 0..9_i64,
        ) {
            let updates = updates.into_iter().map(|(state, at, odd)| StateUpdate {
                date_is_unreadable: odd,
                ..update(state, at.filter(|_| !odd))
            });
            let mut history = History::as_sent(updates.collect());
            history.settle_future_dates(&[], None, Timestamp::from_seconds(now));
            prop_assert_eq!(restored(&history), history);
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
