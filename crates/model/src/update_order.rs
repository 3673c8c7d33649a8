//! In which order the updates of a history were made.

use crate::{ControlState, StateUpdate, Timestamp};
use std::time::Duration;

/// Sorts updates and merges equal states in a row.
pub(crate) fn changes(updates: &[StateUpdate]) -> Vec<StateUpdate> {
    let keeps_order = updates.iter().any(|update| update.date_is_unreadable);
    let times: Vec<_> = updates.iter().filter_map(|update| update.at).collect();
    let has_no_date = updates.iter().all(|update| update.date().is_none());
    let oldest_first = has_no_date || Direction::of(&times) == Some(Direction::OldestFirst);
    let mut newest_before = None;
    let mut sorted: Vec<_> = updates
        .iter()
        .map(|update| {
            let time = update.at;
            newest_before = newest_before.max(time);
            let position = match (time, update.state) {
                (None, ControlState::Unknown) => (true, None),
                _ if keeps_order => (false, None),
                (None, ControlState::RiskAccepted) if !oldest_first => (true, None),
                (None, ControlState::RiskAccepted) => (false, newest_before),
                _ => (false, time),
            };
            (position, update)
        })
        .collect();
    sorted.sort_by_key(|(position, _)| *position);
    sorted.dedup_by_key(|(_, update)| update.state);
    sorted
        .into_iter()
        .map(|(_, update)| update.clone())
        .collect()
}

/// How the dates of a list are sorted.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Direction {
    OldestFirst,
    NewestFirst,
}

impl Direction {
    /// None for unsorted or equal times, and for a single one.
    fn of(times: &[Timestamp]) -> Option<Self> {
        if times.first() == times.last() {
            None
        } else if times.is_sorted() {
            Some(Self::OldestFirst)
        } else if times.is_sorted_by(|one, next| one >= next) {
            Some(Self::NewestFirst)
        } else {
            None
        }
    }

    /// How much later an update is than one at the same place in time, so that
    /// sorting, which keeps the order of equal times, sorts it after that one.
    fn step(self) -> Duration {
        match self {
            Self::OldestFirst => Duration::ZERO,
            Self::NewestFirst => TICK,
        }
    }
}

const TICK: Duration = Duration::from_nanos(1);

/// Dates the updates whose dates were in the future and that have no time.
///
/// Where the list's other dates show its order, they get a time at their place;
/// else an acceptance and an unknown state are the newest, and others remain
/// without a time.
pub(crate) fn date_future_updates(updates: &mut [StateUpdate], now: Timestamp) {
    if let Some(order) = direction(updates) {
        date_in_order(updates, order, now);
    }
    let newest = newest_time(updates, now);
    for update in updates.iter_mut().filter(|it| is_undated_future(it)) {
        let may_be_accepted = [ControlState::RiskAccepted, ControlState::Unknown];
        update.at = may_be_accepted.contains(&update.state).then_some(newest);
    }
}

fn date_in_order(updates: &mut [StateUpdate], order: Direction, now: Timestamp) {
    let undated = updates.iter().filter(|it| is_undated_future(it)).count();
    let mut oldest_first: Vec<_> = updates.iter_mut().collect();
    if order == Direction::NewestFirst {
        oldest_first.reverse();
    }
    let mut newer: Vec<Option<Timestamp>> = Vec::with_capacity(oldest_first.len());
    for update in oldest_first.iter().rev() {
        let next = newer.last().copied().flatten();
        newer.push(next.into_iter().chain(update.at).min());
    }
    let mut older: Option<Timestamp> = None;
    for (update, newer) in oldest_first.into_iter().zip(newer.into_iter().rev()) {
        if is_undated_future(update) {
            update.at = between(older, newer, order.step(), undated, now);
        }
        older = older.max(update.at);
    }
}

/// Now, or just after all updates.
pub(crate) fn newest_time(updates: &[StateUpdate], now: Timestamp) -> Timestamp {
    let newest = updates.iter().filter_map(|update| update.at).max();
    newest.map_or(now, |at| at.plus(TICK).max(now))
}

fn is_undated_future(update: &StateUpdate) -> bool {
    update.future_date.is_some() && update.at.is_none()
}

/// The order that the dates show that were never in the future.
fn direction(updates: &[StateUpdate]) -> Option<Direction> {
    if updates.len() == 1 {
        return Some(Direction::OldestFirst);
    }
    let others = updates.iter().filter(|it| it.future_date.is_none());
    let times: Vec<_> = others.filter_map(|update| update.at).collect();
    Direction::of(&times)
}

/// A time after the older updates and before the newer ones; none if these are
/// not in order.
fn between(
    older: Option<Timestamp>,
    newer: Option<Timestamp>,
    step: Duration,
    undated: usize,
    now: Timestamp,
) -> Option<Timestamp> {
    let before = |at: Timestamp, steps: usize| {
        let steps = step.as_nanos() as i64 * steps as i64;
        Timestamp::from_nanos(at.nanos().saturating_sub(steps))
    };
    match (older, newer) {
        (Some(older), Some(newer)) if older > newer => None,
        (Some(older), Some(newer)) => Some(older.plus(step).min(before(newer, 1))),
        (None, Some(newer)) => Some(before(newer, undated)),
        (Some(older), None) => Some(older.plus(step).max(now)),
        (None, None) => Some(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::History;
    use ControlState::{Planned, RiskAccepted, ThirdParty, ToAddress, Unknown};
    use proptest::prelude::*;

    type Sent = (ControlState, Option<i64>);

    const NOW: i64 = 100;
    /// A mistyped year.
    const YEAR: Option<i64> = Some(40_000_000);

    fn read_after(previous: Option<&History>, sent: &[Sent]) -> History {
        let update = |(state, at): &Sent| StateUpdate {
            at: at.map(Timestamp::from_seconds),
            ..StateUpdate::new(*state)
        };
        let mut history = History::as_sent(sent.iter().map(update).collect());
        let known: Vec<_> = previous.iter().flat_map(|it| it.future_updates()).collect();
        let known: Vec<_> = known.into_iter().cloned().collect();
        history.settle_future_dates(&known, previous, Timestamp::from_seconds(NOW));
        history
    }

    fn read(sent: &[Sent]) -> History {
        read_after(None, sent)
    }

    fn states(history: &History) -> Vec<ControlState> {
        let changes = history.changes().iter();
        changes.map(|change| change.state).collect()
    }

    const FUTURE_RESET: Sent = (ToAddress, YEAR);
    const FUTURE_ACCEPTANCE: Sent = (RiskAccepted, YEAR);

    #[test]
    fn a_date_in_the_future_hides_no_acceptance_that_the_list_has_after_it() {
        let (first, last) = ((RiskAccepted, Some(1)), (RiskAccepted, Some(28)));
        for (sent, expected) in [
            (
                &[first, FUTURE_RESET, last][..],
                &[RiskAccepted, ToAddress, RiskAccepted][..],
            ),
            (
                &[last, FUTURE_RESET, first],
                &[RiskAccepted, ToAddress, RiskAccepted],
            ),
            // Nothing shows the order of these.
            (&[FUTURE_RESET, last], &[ToAddress, RiskAccepted]),
            (&[last, FUTURE_RESET], &[ToAddress, RiskAccepted]),
            (
                &[last, FUTURE_RESET, first, (Planned, Some(9))],
                &[ToAddress, RiskAccepted, Planned, RiskAccepted],
            ),
            (
                &[first, FUTURE_RESET, (RiskAccepted, Some(1))],
                &[ToAddress, RiskAccepted],
            ),
            (
                &[(RiskAccepted, None), FUTURE_RESET],
                &[ToAddress, RiskAccepted],
            ),
            (
                &[first, (ToAddress, Some(50_000_000)), FUTURE_ACCEPTANCE],
                &[ToAddress, RiskAccepted],
            ),
            // An unknown state may be an acceptance.
            (&[(Unknown, YEAR), (Planned, Some(9))], &[Planned, Unknown]),
        ] {
            assert_eq!(states(&read(sent)), expected, "{sent:?}");
        }
    }

    #[test]
    fn a_date_in_the_future_outlives_no_withdrawal_that_the_list_has_after_it() {
        let (planned, withdrawn) = ((Planned, Some(1)), (ToAddress, Some(28)));
        let expected = [Planned, RiskAccepted, ToAddress];
        for sent in [
            [planned, FUTURE_ACCEPTANCE, withdrawn],
            [withdrawn, FUTURE_ACCEPTANCE, planned],
        ] {
            let history = read(&sent);
            assert_eq!(states(&history), expected, "{sent:?}");
            let at = history.last_acceptance().and_then(|it| it.at).unwrap();
            assert_eq!(at.as_seconds(), 1.0, "just after the one before it");
        }
        // Nothing shows the order of these.
        for sent in [
            [FUTURE_ACCEPTANCE, withdrawn],
            [withdrawn, FUTURE_ACCEPTANCE],
        ] {
            assert_eq!(states(&read(&sent)), [ToAddress, RiskAccepted], "{sent:?}");
        }
        let newest = read(&[planned, withdrawn, FUTURE_ACCEPTANCE]);
        assert_eq!(newest.state_since(), Some(Timestamp::from_seconds(NOW)));
    }

    #[test]
    fn equal_dates_around_one_in_the_future_hide_no_acceptance() {
        let accepted = (RiskAccepted, Some(9));
        for sent in [
            [
                (Planned, Some(1)),
                (Planned, Some(9)),
                FUTURE_RESET,
                accepted,
            ],
            [
                accepted,
                FUTURE_RESET,
                (Planned, Some(9)),
                (Planned, Some(1)),
            ],
            [accepted, FUTURE_RESET, accepted, (Planned, Some(1))],
        ] {
            assert_ne!(states(&read(&sent)).last(), Some(&ToAddress), "{sent:?}");
        }
    }

    #[test]
    fn the_only_change_that_the_answer_before_lacked_is_the_newest() {
        let accepted = (RiskAccepted, Some(28));
        let before = read(&[accepted]);
        for sent in [[accepted, FUTURE_RESET], [FUTURE_RESET, accepted]] {
            let after = read_after(Some(&before), &sent);
            assert_eq!(states(&after), [RiskAccepted, ToAddress], "{sent:?}");
            assert_eq!(read_after(Some(&after), &sent), after);
        }
        // Another is new too, or the new date is that of a known change.
        for sent in [
            &[
                accepted,
                FUTURE_RESET,
                (RiskAccepted, Some(29)),
                (Planned, Some(3)),
            ][..],
            &[FUTURE_RESET, (RiskAccepted, Some(29))],
        ] {
            let after = read_after(Some(&before), sent);
            assert_eq!(states(&after).last(), Some(&RiskAccepted), "{sent:?}");
        }
    }

    #[test]
    fn an_addition_without_a_date_gets_none() {
        let update = |state| StateUpdate {
            by: Some("alex".into()),
            ..StateUpdate::new(state)
        };
        let future = StateUpdate {
            at: YEAR.map(Timestamp::from_seconds),
            ..update(RiskAccepted)
        };
        let read = |previous, updates| {
            let mut history = History::as_sent(updates);
            history.settle_future_dates(&[], previous, Timestamp::from_seconds(NOW));
            history
        };
        let before = read(None, vec![future.clone()]);
        let after = read(Some(&before), vec![future, update(Planned)]);
        assert_eq!(states(&after), [Planned, RiskAccepted]);
        assert_eq!(after.changes()[0].at, None);
    }

    #[test]
    fn a_reset_without_a_person_dated_in_the_future_is_no_placeholder_after_a_restart() {
        let history = read(&[FUTURE_RESET, (Planned, Some(28))]);
        let text = serde_json::to_string(&history).unwrap();
        assert_eq!(serde_json::from_str::<History>(&text).unwrap(), history);
        assert_eq!(states(&history), [ToAddress, Planned]);
    }

    fn any_states(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<ControlState>> {
        let known = vec![ToAddress, RiskAccepted, RiskAccepted, ThirdParty, Planned];
        prop::collection::vec(prop::sample::select(known), count)
    }

    /// The states without repeats.
    fn without_repeats(mut states: Vec<ControlState>) -> Vec<ControlState> {
        states.dedup();
        states
    }

    proptest! {
        /// Three or more changes in order, of which one has a mistyped year: the
        /// list's order is the answer.
        #[test]
        fn a_list_in_order_keeps_it_whichever_date_is_in_the_future(
            states_in_order in any_states(3..9),
            mistyped in any::<prop::sample::Index>(),
            newest_first in any::<bool>(),
            with_placeholder in any::<bool>(),
            n in 1_usize..5,
        ) {
            let mut sent: Vec<Sent> = states_in_order.iter().copied().zip((1..).map(Some)).collect();
            sent[mistyped.index(states_in_order.len())].1 = YEAR;
            if with_placeholder {
                sent.insert(0, (ToAddress, None));
            }
            if newest_first {
                sent.reverse();
            }
            let history = read(&sent);
            let expected = without_repeats(states_in_order);
            prop_assert_eq!(states(&history), expected.clone());
            let accepted = expected.last() == Some(&RiskAccepted);
            prop_assert_eq!(history.risk_accepted(), Some(accepted));
            let within = expected.iter().rev().take(n).any(|it| *it == RiskAccepted);
            prop_assert_eq!(history.accepted_within(n), Some(within));
            let count = expected.iter().filter(|it| **it == RiskAccepted).count();
            prop_assert_eq!(history.acceptances(), Some(count));
        }

        /// In any other list the change may have been made at any time.
        #[test]
        fn a_list_without_order_gives_no_zero_where_an_acceptance_may_be_the_newest(
            others in any_states(1..5),
            shuffled in Just((1..5_i64).collect::<Vec<_>>()).prop_shuffle(),
            state in any_states(1..2),
            place in any::<prop::sample::Index>(),
        ) {
            let is_in_order = |count: usize| {
                let times = &shuffled[..count];
                times.is_sorted() || times.is_sorted_by(|one, next| one > next)
            };
            let count = if is_in_order(others.len()) { 1 } else { others.len() };
            let dates = shuffled.iter().copied().map(Some);
            let mut sent: Vec<Sent> = others.iter().take(count).copied().zip(dates).collect();
            let newest = sent.iter().max_by_key(|(_, at)| *at).map(|(state, _)| *state);
            sent.insert(place.index(sent.len() + 1), (state[0], YEAR));
            let may_be_accepted = newest == Some(RiskAccepted) || state[0] == RiskAccepted;
            prop_assert_eq!(read(&sent).risk_accepted(), Some(may_be_accepted));
        }
    }
}
