//! When changes dated in the future count as made.

use crate::{Catalogue, StateUpdate, Timestamp};
use serde::{Deserialize, Serialize};
use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The controls, and the changes of each, that are remembered: far more than a
/// wrong clock makes.
const MAX_CONTROLS: usize = 5_000;
const MAX_UPDATES: usize = 100;

/// A change without a place in its history is dated at most this far ahead by a
/// clock or a time zone, and by a mistyped year if it is further. Its date counts
/// once it has passed; a mistyped year never.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// The changes of each control whose dates were in the future when they were
/// first seen. One that an answer lacks stays, in case it is listed again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FutureDates(HashMap<Arc<str>, Vec<StateUpdate>>);

impl FutureDates {
    /// Dates the changes of a catalogue that lie in the future, by the order of
    /// their list and by what the previous catalogue lacked, and remembers those
    /// that are new, see `History`.
    pub fn settle(
        &mut self,
        catalogue: &mut Catalogue,
        previous: Option<&Catalogue>,
        now: Timestamp,
    ) {
        let previous = previous.into_iter().flat_map(|it| &it.entries);
        let previous = LazyCell::new(|| -> HashMap<_, _> {
            previous.map(|entry| (&entry.id, &entry.history)).collect()
        });
        for entry in &mut catalogue.entries {
            if entry.history.has_updates() {
                let known = self.0.get(&entry.id).map_or(&[][..], Vec::as_slice);
                let is_dated_later = entry.history.is_dated_after(now);
                let before = is_dated_later.then(|| previous.get(&entry.id).copied());
                let history = &mut Arc::make_mut(entry).history;
                history.settle_future_dates(known, before.flatten(), now);
                let is_remembered = |it: &&StateUpdate| {
                    it.at.is_some() || it.date() > Some(now.plus(CLOCK_DIFFERENCE))
                };
                let future = history.future_updates().filter(is_remembered);
                let future: Vec<_> = future.cloned().collect();
                self.remember(&entry.id, future);
            }
        }
    }

    /// Whether [`settle`](Self::settle) leaves a catalogue as it is, and remembers
    /// nothing.
    pub fn is_settled(&self, catalogue: &Catalogue, now: Timestamp) -> bool {
        let mut entries = catalogue.entries.iter();
        self.is_empty() && !entries.any(|entry| entry.history.is_dated_after(now))
    }

    /// Whether no such change is remembered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn remember(&mut self, id: &Arc<str>, future: Vec<StateUpdate>) {
        let is_known = self.0.contains_key(id);
        if future.is_empty() || (!is_known && self.0.len() >= MAX_CONTROLS) {
            return;
        }
        let known = self.0.entry(Arc::clone(id)).or_default();
        known.retain(|known| !future.iter().any(|it| it.is_same(known)));
        known.extend(future);
        let excess = known.len().saturating_sub(MAX_UPDATES);
        known.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CatalogueEntry, ControlState, History};
    use ControlState::{Planned, RiskAccepted, ToAddress, Unknown};

    fn catalogue(id: &str, updates: &[(ControlState, Option<i64>)]) -> Catalogue {
        let update = |(state, at): &(ControlState, Option<i64>)| StateUpdate {
            at: at.map(Timestamp::from_seconds),
            ..StateUpdate::new(*state)
        };
        let entry = CatalogueEntry {
            history: History::as_sent(updates.iter().map(update).collect()),
            ..CatalogueEntry::new(id)
        };
        Catalogue {
            entries: vec![Arc::new(entry)],
            ..Catalogue::default()
        }
    }

    fn settled(dates: &mut FutureDates, mut catalogue: Catalogue, now: i64) -> ControlState {
        dates.settle(&mut catalogue, None, Timestamp::from_seconds(now));
        catalogue.entries[0].history.state()
    }

    #[test]
    fn a_withdrawn_acceptance_stays_withdrawn_after_an_answer_without_it() {
        let accepted = (RiskAccepted, Some(900));
        let withdrawn = (ToAddress, Some(110));
        let mut dates = FutureDates::default();
        assert_eq!(
            settled(&mut dates, catalogue("A", &[accepted]), 100),
            RiskAccepted
        );
        let both = || catalogue("A", &[accepted, withdrawn]);
        assert_eq!(settled(&mut dates, both(), 120), ToAddress);
        for lacking in [
            catalogue("B", &[]),
            catalogue("A", &[]),
            catalogue("A", &[(Unknown, None)]),
            catalogue("A", &[(Planned, Some(950))]),
        ] {
            settled(&mut dates, lacking, 130);
            let text = serde_json::to_string(&dates).unwrap();
            dates = serde_json::from_str(&text).unwrap();
            assert_eq!(settled(&mut dates, both(), 140), ToAddress);
        }
    }

    #[test]
    fn a_clock_that_was_ahead_leaves_no_acceptance_that_outlives_its_withdrawal() {
        let accepted = (RiskAccepted, Some(5_000));
        let mut dates = FutureDates::default();
        for now in [1_000, 100] {
            let state = settled(&mut dates, catalogue("A", &[accepted]), now);
            assert_eq!(state, RiskAccepted);
        }
        let withdrawn = catalogue("A", &[accepted, (ToAddress, Some(150))]);
        assert_eq!(settled(&mut dates, withdrawn, 200), ToAddress);
    }

    #[test]
    fn a_mistyped_year_hides_no_acceptance_once_it_is_reached() {
        let day = 24 * 60 * 60;
        let accepted = (RiskAccepted, Some(28));
        for (ahead, expected) in [(60, ToAddress), (2 * day, RiskAccepted)] {
            let list = || catalogue("A", &[accepted, (ToAddress, Some(100 + ahead))]);
            let mut dates = FutureDates::default();
            assert_eq!(settled(&mut dates, list(), 100), RiskAccepted);
            assert_eq!(settled(&mut dates, list(), 100 + ahead - 1), RiskAccepted);
            assert_eq!(settled(&mut dates, list(), 100 + ahead + 1), expected);
        }
    }

    #[test]
    fn a_withdrawal_that_the_catalogue_before_lacked_is_the_newest() {
        let accepted = (RiskAccepted, Some(28));
        let mut dates = FutureDates::default();
        let previous = catalogue("A", &[accepted]);
        let mut answer = catalogue("A", &[(ToAddress, Some(900)), accepted]);
        let now = Timestamp::from_seconds(100);
        dates.settle(&mut answer, Some(&previous), now);
        assert_eq!(answer.entries[0].history.state(), ToAddress);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut dates = FutureDates::default();
        for at in 0..200 {
            settled(&mut dates, catalogue("A", &[(Planned, Some(900 + at))]), 1);
        }
        for id in 0..5_100 {
            settled(
                &mut dates,
                catalogue(&id.to_string(), &[(Planned, Some(900))]),
                1,
            );
        }
        assert_eq!(dates.0.len(), 5_000);
        assert_eq!(dates.0["A"].len(), 100);
        let newest = dates.0["A"].last().and_then(StateUpdate::date);
        assert_eq!(newest, Some(Timestamp::from_seconds(1_099)));
    }
}
