//! The statuses of one of Entra's recommendations over time, as the exporter saw
//! them.

use crate::declaration::{DecisionState, Declaration};
use crate::recommendation_list::SKEW;
use crate::status_observation::StatusObservation;
use crate::{
    ControlState, History, RecommendationEntry, RecommendationStatus, StateUpdate, StatusChange,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use std::mem;
use std::ops::Not;
use std::sync::Arc;

/// Statuses that are remembered of one recommendation.
pub(crate) const MAX_CHANGES: usize = 50;

/// The statuses of one recommendation, oldest first, none unknown.
///
/// A status that Graph shows is compared with the last one and with what Graph
/// said when that was last seen, the observation:
///
/// - Another status is a change. It was made after the observation: a date or person
///   that Graph named then, and a date from before it, are not of this change.
///   A date of the status from before a change by a person is of none.
/// - The same status, where it sets the recommendation aside, was set anew if
///   Graph dates it later, if another person changed the recommendation later, if
///   it is postponed until another day, or if it left the list and returned with
///   other dates.
/// - Details that Graph adds within [`SKEW`] of a change complete it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StatusHistory {
    /// The name and the title when it was last listed.
    pub name: Arc<str>,
    /// See `name`.
    pub title: Arc<str>,
    changes: Vec<StatusChange>,
    /// How many changes there were, forgotten ones included.
    pub count: u64,
    /// Whether the last complete list lacked it.
    #[serde(rename = "left", default, skip_serializing_if = "Not::not")]
    has_left: bool,
    /// Whether it left and returned since its last change.
    #[serde(rename = "returned", default, skip_serializing_if = "Not::not")]
    has_returned: bool,
    /// Missing before the first known status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observation: Option<StatusObservation>,
}

impl StatusHistory {
    /// The last known status, and since when.
    pub fn last(&self) -> Option<&StatusChange> {
        self.changes.last()
    }

    /// Its statuses, oldest first.
    pub fn changes(&self) -> &[StatusChange] {
        &self.changes
    }

    /// Whether its oldest status is the one with which Microsoft lists a
    /// recommendation: open, and Graph names neither a person nor a date of it.
    pub fn begins_as_listed(&self) -> bool {
        let is_whole = self.count == self.changes.len() as u64;
        let first = self.changes.first().filter(|_| is_whole);
        first.is_some_and(|it| it.status.is_open() && !it.is_exact && it.by.is_none())
    }

    /// The status with which the recommendation was set aside last, even if it
    /// was withdrawn since.
    pub fn last_set_aside(&self) -> Option<&StatusChange> {
        self.changes.iter().rfind(|it| it.sets_aside())
    }

    /// The change that ended that.
    pub fn withdrawal(&self) -> Option<&StatusChange> {
        let last = self.changes.iter().rposition(StatusChange::sets_aside)?;
        self.changes.get(last + 1)
    }

    /// When the recommendation was last changed, by a person or by Microsoft, as
    /// Graph said when its last known status was seen last.
    pub fn last_modified(&self) -> Option<Timestamp> {
        self.observation.as_ref()?.last_modified
    }

    /// The statuses that decisions can cover, oldest first. Each status that sets
    /// the recommendation aside is an acceptance of its own: who approved a
    /// postponement has not approved that the risk is accepted.
    pub fn declarations(&self) -> Vec<Declaration<'_>> {
        let next = self.changes.iter().skip(1).map(Some).chain([None]);
        let declarations = self.changes.iter().zip(next).filter_map(|(change, next)| {
            Some(Declaration {
                state: DecisionState::of_recommendation(change.status)?,
                at: Some(change.at),
                by: change.by.as_deref(),
                ended_at: next.map(|it| it.at),
            })
        });
        declarations.collect()
    }

    /// The same as a history of a control. Each
    /// status that sets the recommendation aside is an acceptance of its own: who
    /// approved a postponement has not approved that the risk is accepted.
    pub fn as_history(&self) -> History {
        let mut updates = Vec::new();
        let mut was_set_aside = false;
        for change in &self.changes {
            let update = StateUpdate {
                at: Some(change.at),
                by: change.by.clone(),
                ..StateUpdate::new(control_state(change.status))
            };
            if was_set_aside && change.sets_aside() {
                updates.push(StateUpdate {
                    state: ControlState::ToAddress,
                    ..update.clone()
                });
            }
            updates.push(update);
            was_set_aside = change.sets_aside();
        }
        History::from_updates(updates)
    }

    /// Whether readers see no difference: the same statuses under the same name.
    pub(crate) fn shows_same(&self, other: &Self) -> bool {
        self.name == other.name && self.title == other.title && self.changes == other.changes
    }

    /// Notes that a complete list lacks it. Returns the status that was lost with
    /// it, once for each one that set it aside.
    pub(crate) fn leave(&mut self) -> Option<&StatusChange> {
        let is_known = mem::replace(&mut self.has_left, true) || self.has_returned;
        self.last().filter(|it| it.sets_aside() && !is_known)
    }

    /// Adds the present status in a list that Graph sent at a time, if it is
    /// another one or was set anew. An unknown one is no change.
    pub(crate) fn observe(
        &mut self,
        entry: &RecommendationEntry,
        sent: Timestamp,
        now: Timestamp,
    ) -> Option<StatusChange> {
        self.name = Arc::clone(&entry.name);
        self.title = Arc::clone(&entry.title);
        if entry.status == RecommendationStatus::Unknown {
            return None;
        }
        self.settle_future(now);
        let returns = mem::take(&mut self.has_left);
        let before = self.observation.take();
        let before = before.as_ref();
        let is_change = match self.last().zip(before) {
            Some((last, observation)) if last.status == entry.status => {
                is_set_anew(last, observation, entry, returns)
            }
            _ => true,
        };
        let change = is_change.then(|| self.change(entry, before, now));
        match &change {
            Some(change) => self.push(change.clone()),
            None => {
                self.has_returned |= returns;
                self.complete_last(entry, before, now);
            }
        }
        self.observation = Some(StatusObservation::of(entry, sent, before));
        change
    }

    /// Corrects the times of a clock that was ahead.
    fn settle_future(&mut self, now: Timestamp) {
        for change in self.changes.iter_mut().filter(|it| it.at > now) {
            change.at = now;
            change.is_exact = false;
        }
    }

    /// The change into the present status since an observation.
    fn change(
        &self,
        entry: &RecommendationEntry,
        observation: Option<&StatusObservation>,
        now: Timestamp,
    ) -> StatusChange {
        let last = self.last();
        let is_since = |at: &Timestamp| {
            last.is_none_or(|it| *at >= it.at)
                && observation.is_none_or(|it| at.plus(SKEW) >= it.at.min(now))
        };
        let is_by_it = observation.is_none_or(|it| !it.has_modification(entry));
        let modified = entry.modified_by_person();
        let modified = modified.filter(|at| is_by_it && is_since(at));
        let set = entry.status_set();
        let set =
            set.filter(|at| observation.is_none_or(|it| it.is_dated_later(*at)) && is_since(at));
        let graph_date = set.or(modified);
        StatusChange {
            status: entry.status,
            at: graph_date.unwrap_or(now).min(now),
            is_exact: set.is_some_and(|at| at <= now),
            graph_date,
            by: entry.last_modified_by.clone().filter(|_| is_by_it),
            postponed_until: entry.postponed_until,
        }
    }

    fn push(&mut self, change: StatusChange) {
        self.changes.push(change);
        self.count += 1;
        self.has_returned = false;
        let excess = self.changes.len().saturating_sub(MAX_CHANGES);
        self.changes.drain(..excess);
    }

    /// Adds what Graph did not say when the last change was seen first, or what
    /// was in the future then.
    fn complete_last(
        &mut self,
        entry: &RecommendationEntry,
        observation: Option<&StatusObservation>,
        now: Timestamp,
    ) {
        let Some((last, observation)) = self.changes.last_mut().zip(observation) else {
            return;
        };
        let latest = last.at.plus(SKEW);
        let by_person = observation.later_change_by_person(entry);
        if last.by.is_none() && by_person.is_some_and(|at| at <= latest) {
            last.by.clone_from(&entry.last_modified_by);
        }
        let set = entry.status_set().filter(|at| *at <= now.min(latest));
        if let Some(at) = set.filter(|at| !last.is_exact && *at >= last.at) {
            last.at = at;
            last.is_exact = true;
        }
    }
}

/// Whether a recommendation in the status of its last change was set aside again.
fn is_set_anew(
    last: &StatusChange,
    observation: &StatusObservation,
    entry: &RecommendationEntry,
    returns: bool,
) -> bool {
    let latest = last.at.plus(SKEW);
    let is_dated_later = entry.status_modified.is_some_and(|at| {
        let is_other = observation.status_modified.is_some() || at > latest;
        is_other && at > last.at && observation.is_dated_later(at)
    });
    let is_by_another = last.by != entry.last_modified_by
        && observation.later_change_by_person(entry).is_some_and(|at| {
            // Within minutes it completes a change of which the person was missing.
            at > if last.by.is_some() { last.at } else { latest }
        });
    let is_moved = entry.postponed_until.is_some() && entry.postponed_until != last.postponed_until;
    let is_back = returns && !observation.is_same(entry);
    last.sets_aside() && (is_dated_later || is_by_another || is_moved || is_back)
}

const fn control_state(status: RecommendationStatus) -> ControlState {
    match status {
        RecommendationStatus::RiskAccepted
        | RecommendationStatus::Dismissed
        | RecommendationStatus::Postponed => ControlState::RiskAccepted,
        RecommendationStatus::ThirdParty => ControlState::ThirdParty,
        RecommendationStatus::AlternateMitigation | RecommendationStatus::CompletedByUser => {
            ControlState::AlternateMitigation
        }
        RecommendationStatus::Planned => ControlState::Planned,
        RecommendationStatus::Active
        | RecommendationStatus::NeedsMoreAction
        | RecommendationStatus::CompletedBySystem
        | RecommendationStatus::Unknown => ControlState::ToAddress,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decision;
    use RecommendationStatus::{
        Active, Dismissed, Planned, Postponed, RiskAccepted, ThirdParty, Unknown,
    };

    const MINUTE: i64 = 60;
    const DAY: i64 = 24 * 60 * MINUTE;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// A recommendation that a person, or else Microsoft, last changed.
    fn entry(status: RecommendationStatus, by: Option<&str>, modified: i64) -> RecommendationEntry {
        RecommendationEntry {
            status,
            last_modified: Some(at(modified)),
            last_modified_by: by.map(Arc::from),
            ..RecommendationEntry::new("A")
        }
    }

    /// The same, whose status Graph dates.
    fn dated(
        status: RecommendationStatus,
        set: i64,
        by: Option<&str>,
        modified: i64,
    ) -> RecommendationEntry {
        RecommendationEntry {
            status_modified: Some(at(set)),
            ..entry(status, by, modified)
        }
    }

    /// Shows an entry to an exporter that restarted, and twice to it then.
    fn see(
        history: &mut StatusHistory,
        entry: &RecommendationEntry,
        now: i64,
    ) -> Option<StatusChange> {
        let text = serde_json::to_string(history).unwrap();
        *history = serde_json::from_str(&text).unwrap();
        let change = history.observe(entry, at(now), at(now));
        assert_eq!(history.observe(entry, at(now + 1), at(now + 1)), None);
        change
    }

    /// The changes when entries were seen at these times, first to last.
    fn seen(entries: &[(RecommendationEntry, i64)]) -> (StatusHistory, Vec<StatusChange>) {
        let mut history = StatusHistory::default();
        let changes = entries
            .iter()
            .filter_map(|(entry, now)| see(&mut history, entry, *now));
        let changes = changes.collect();
        (history, changes)
    }

    fn by(change: &StatusChange) -> Option<&str> {
        change.by.as_deref()
    }

    const ANN: Option<&str> = Some("ann");
    const EVE: Option<&str> = Some("eve");
    const ZED: Option<&str> = Some("zed");

    #[test]
    fn each_change_is_new_once_with_its_person() {
        let (_, changes) = seen(&[
            (entry(Active, None, 10 * DAY), 20 * DAY),
            (entry(Dismissed, ANN, 20 * DAY + 60), 20 * DAY + 900),
            // The time of Microsoft's check is not that of the change.
            (entry(Postponed, None, 21 * DAY), 21 * DAY + 900),
            (entry(Unknown, ANN, 22 * DAY), 22 * DAY + 900),
            (entry(Postponed, None, 22 * DAY), 22 * DAY + 950),
            // No change is in the future.
            (entry(RiskAccepted, ANN, 99 * DAY), 24 * DAY),
        ]);
        let shown = changes.iter().map(|it| (it.status, it.at, by(it)));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                (Active, at(20 * DAY), None),
                (Dismissed, at(20 * DAY + 60), ANN),
                (Postponed, at(21 * DAY + 900), None),
                (RiskAccepted, at(24 * DAY), ANN),
            ]
        );
        assert!(changes.iter().all(|it| !it.is_exact));
    }

    #[test]
    fn the_time_that_graph_sends_for_the_status_is_exact() {
        let (history, _) = seen(&[(dated(RiskAccepted, 5 * DAY, None, 6 * DAY), 7 * DAY)]);
        let last = history.last().unwrap();
        assert_eq!((last.at, last.is_exact), (at(5 * DAY), true));
        let by_ann = dated(RiskAccepted, 6 * DAY, ANN, 6 * DAY + 1);
        let (history, changes) = seen(&[
            (entry(Active, None, 5 * DAY), 5 * DAY + 900),
            (by_ann, 7 * DAY),
        ]);
        assert_eq!((changes.len(), changes[1].at), (2, at(6 * DAY)));
        assert!(history.last().unwrap().is_exact);
    }

    #[test]
    fn a_date_from_before_the_last_status_was_seen_is_of_no_later_one() {
        let approved = Decision {
            approved_on: Some(at(30 * DAY)),
            ..Decision::new("A", "SEC-1", at(900 * DAY))
        };
        // Graph sends the date of the first acceptance ever after, or once more.
        for (date_while_active, today_by) in [(true, ZED), (true, None), (false, ZED)] {
            let active = match date_while_active {
                true => dated(Active, DAY, EVE, 40 * DAY),
                false => entry(Active, EVE, 40 * DAY),
            };
            let dismissed = dated(Dismissed, DAY, today_by, 60 * DAY);
            let (history, changes) = seen(&[
                (dated(RiskAccepted, DAY, EVE, DAY), 2 * DAY),
                (active, 41 * DAY),
                (dismissed, 60 * DAY + 900),
            ]);
            let times: Vec<_> = changes.iter().map(|it| (it.at, it.is_exact)).collect();
            let today = match today_by {
                Some(_) => 60 * DAY,
                None => 60 * DAY + 900,
            };
            let expected = [(at(DAY), true), (at(40 * DAY), false), (at(today), false)];
            assert_eq!(times, expected);
            assert_eq!(history.changes(), changes, "none was moved");
            assert_eq!(by(&changes[2]), today_by);
            assert!(!approved.covers_acceptance(&history.declarations()));
        }
        // The acceptance is older than the first list, and its date comes late.
        let (_, changes) = seen(&[
            (entry(Active, None, 20 * DAY), 20 * DAY + 900),
            (entry(Active, None, 40 * DAY), 40 * DAY + 900),
            (dated(Dismissed, 30 * DAY, None, 41 * DAY), 41 * DAY + 900),
        ]);
        let last = changes.last().unwrap();
        assert_eq!((last.at, last.is_exact), (at(41 * DAY + 900), false));
        assert_eq!(last.graph_date, None);
    }

    #[test]
    fn within_minutes_a_date_is_of_one_status_only_and_keeps_the_order() {
        let (_, changes) = seen(&[
            (dated(Active, 100, None, 100), 130),
            (dated(Dismissed, 100, None, 140), 150),
        ]);
        assert_eq!((changes[1].at, changes[1].is_exact), (at(150), false));
        let (_, changes) = seen(&[
            (entry(Active, None, 0), 1_000),
            (dated(Dismissed, 900, None, 900), 1_060),
        ]);
        assert_eq!((changes[1].at, changes[1].is_exact), (at(1_060), false));
    }

    #[test]
    fn a_date_from_before_a_change_by_a_person_is_not_of_that_change() {
        let (history, _) = seen(&[(dated(Dismissed, DAY, ZED, 40 * DAY), 41 * DAY)]);
        let last = history.last().unwrap();
        assert_eq!((last.at, last.is_exact), (at(40 * DAY), false));
    }

    #[test]
    fn the_person_of_an_earlier_change_is_not_named() {
        // A postponement ends by itself; another person reactivates.
        for (back, expected) in [
            (entry(Active, EVE, 10 * DAY), (at(20 * DAY), None)),
            (entry(Active, ZED, 19 * DAY), (at(19 * DAY), ZED)),
        ] {
            let (_, changes) = seen(&[
                (entry(Postponed, EVE, 10 * DAY), 10 * DAY + 900),
                (back, 20 * DAY),
            ]);
            assert_eq!((changes[1].at, by(&changes[1])), expected);
        }
    }

    #[test]
    fn the_last_status_that_sets_aside_counts_until_another_kind_follows() {
        let mut history = StatusHistory::default();
        let mut set_aside = |status, day: i64| {
            see(&mut history, &entry(status, ANN, day * DAY), day * DAY);
            let day = |change: &StatusChange| change.at.nanos() / at(DAY).nanos();
            let begun = history.last_set_aside().map(day);
            (begun, history.withdrawal().map(day))
        };
        assert_eq!(set_aside(Active, 1), (None, None));
        assert_eq!(set_aside(Dismissed, 2), (Some(2), None));
        assert_eq!(set_aside(Postponed, 3), (Some(3), None));
        assert_eq!(set_aside(ThirdParty, 4), (Some(3), Some(4)));
        assert_eq!(set_aside(Active, 5), (Some(3), Some(4)));
        assert_eq!(set_aside(RiskAccepted, 6), (Some(6), None));
    }

    #[test]
    fn what_is_set_aside_anew_is_a_change() {
        let mut history = StatusHistory::default();
        let mut count = |status, modified: Option<i64>, until: Option<i64>, now: i64| {
            let entry = RecommendationEntry {
                status_modified: modified.map(at),
                postponed_until: until.map(at),
                ..entry(status, ANN, 0)
            };
            usize::from(see(&mut history, &entry, now).is_some())
        };
        count(Active, None, None, 1);
        assert_eq!(count(RiskAccepted, Some(20), None, 25), 1);
        assert_eq!(count(RiskAccepted, Some(20), None, 30), 0);
        assert_eq!(count(RiskAccepted, None, None, 35), 0);
        assert_eq!(count(RiskAccepted, Some(40), None, 45), 1, "accepted anew");
        assert_eq!(count(Postponed, None, Some(100), 50), 1);
        assert_eq!(count(Postponed, None, Some(100), 55), 0);
        assert_eq!(count(Postponed, None, Some(900), 60), 1, "for longer");
        assert_eq!(count(Active, Some(70), None, 75), 1);
        assert_eq!(count(Active, Some(80), None, 85), 0, "nothing is set aside");
    }

    #[test]
    fn a_later_change_by_another_person_sets_aside_anew() {
        let by_eve = Decision {
            accepted_by: Some("Eve".into()),
            ..Decision::new("A", "SEC-1", at(900 * DAY))
        };
        let first = || dated(Dismissed, DAY, EVE, DAY);
        for (later, is_anew) in [
            (dated(Dismissed, DAY, ZED, 10 * DAY), true),
            (entry(Dismissed, ZED, 10 * DAY), true),
            // Microsoft checks it again, or Graph names the same person otherwise.
            (dated(Dismissed, DAY, None, 10 * DAY), false),
            (dated(Dismissed, DAY, Some("eve-id"), DAY), false),
            (dated(Dismissed, DAY, EVE, 10 * DAY), false),
        ] {
            let checked = dated(Dismissed, DAY, None, 5 * DAY);
            let between = [
                (first(), 2 * DAY),
                (checked, 6 * DAY),
                (later.clone(), 11 * DAY),
            ];
            let directly = [(first(), 2 * DAY), (later, 11 * DAY)];
            for entries in [&between[..], &directly] {
                let (history, changes) = seen(entries);
                assert_eq!(changes.len(), 1 + usize::from(is_anew), "{entries:?}");
                assert_eq!(by_eve.covers_acceptance(&history.declarations()), !is_anew);
                if is_anew {
                    let last = history.last().unwrap();
                    assert_eq!((last.at, by(last)), (at(10 * DAY), ZED));
                    assert!(!last.is_exact);
                }
            }
        }
        let (_, changes) = seen(&[
            (entry(Planned, EVE, DAY), 2 * DAY),
            (entry(Planned, ZED, 10 * DAY), 11 * DAY),
        ]);
        assert_eq!(changes.len(), 1, "nothing is set aside");
    }

    #[test]
    fn one_that_returns_with_other_dates_is_set_aside_anew() {
        let returned = |first: RecommendationEntry, later: RecommendationEntry| {
            let mut history = StatusHistory::default();
            see(&mut history, &first, 2 * DAY);
            assert!(history.leave().is_some());
            assert_eq!(history.leave(), None, "it left once");
            let change = see(&mut history, &later, 11 * DAY);
            let leaves_anew = history.leave().is_some();
            assert_eq!(leaves_anew, change.is_some(), "once for each acceptance");
            change.map(|it| it.by)
        };
        let eve = || entry(Dismissed, EVE, DAY);
        let zed: Arc<str> = "zed".into();
        assert_eq!(
            returned(eve(), entry(Dismissed, ZED, 9 * DAY)),
            Some(Some(zed))
        );
        assert_eq!(
            returned(eve(), entry(Dismissed, EVE, 9 * DAY)),
            Some(Some("eve".into()))
        );
        assert_eq!(returned(eve(), entry(Dismissed, None, 9 * DAY)), Some(None));
        assert_eq!(
            returned(eve(), eve()),
            None,
            "the list lacked it by mistake"
        );
        let with_date = |by, modified| dated(Dismissed, DAY, by, modified);
        let checked = returned(with_date(EVE, DAY), with_date(None, 9 * DAY));
        assert_eq!(checked, None, "Graph dates the status as before");
        let by_person = returned(with_date(EVE, DAY), with_date(EVE, 9 * DAY));
        assert!(by_person.is_some(), "but a person changed it");
    }

    #[test]
    fn a_date_that_is_ahead_of_the_clock_completes_the_change() {
        let ahead = dated(RiskAccepted, DAY + 45, EVE, DAY + 45);
        let active = (entry(Active, None, 0), DAY - 900);
        let (history, changes) = seen(&[
            active,
            (ahead.clone(), DAY),
            (ahead.clone(), DAY + 30 * MINUTE),
        ]);
        assert_eq!((changes.len(), changes[1].is_exact), (2, false));
        assert_eq!(changes[1].graph_date, Some(at(DAY + 45)));
        let last = history.last().unwrap();
        assert_eq!((last.at, last.is_exact), (at(DAY + 45), true));
        // A clock that is hours behind.
        let later = dated(RiskAccepted, DAY + 7_200, EVE, DAY + 7_200);
        let (history, changes) = seen(&[(later.clone(), DAY), (later, DAY + 9_000)]);
        assert_eq!(changes.len(), 1);
        assert!(!history.last().unwrap().is_exact, "it was seen before");
    }

    #[test]
    fn a_person_whom_graph_names_late_completes_the_change() {
        let unnamed = (entry(Dismissed, None, DAY - 900), DAY);
        let (history, changes) = seen(&[
            unnamed.clone(),
            (entry(Dismissed, EVE, DAY - 60), DAY + 30 * MINUTE),
        ]);
        assert_eq!((changes.len(), history.last().and_then(by)), (1, EVE));
        // A clock that is a minute behind.
        let (history, changes) = seen(&[
            unnamed.clone(),
            (entry(Dismissed, EVE, DAY + MINUTE), DAY + 30 * MINUTE),
        ]);
        assert_eq!((changes.len(), history.last().and_then(by)), (1, EVE));
        let (_, changes) = seen(&[
            unnamed,
            (entry(Dismissed, ZED, DAY + 20 * MINUTE), DAY + 30 * MINUTE),
        ]);
        assert_eq!((changes.len(), by(&changes[1])), (2, ZED));
    }

    #[test]
    fn a_list_that_is_seen_late_counts_as_of_when_it_was_sent() {
        let mut history = StatusHistory::default();
        history.observe(&entry(Active, None, 0), at(DAY), at(DAY));
        // Another list of the tenant is refreshed meanwhile.
        history.observe(&entry(Active, None, 0), at(DAY), at(DAY + 20 * MINUTE));
        let accepted = dated(RiskAccepted, DAY + 60, None, DAY + 120);
        let now = at(DAY + 30 * MINUTE);
        let change = history.observe(&accepted, now, now).unwrap();
        assert_eq!((change.at, change.is_exact), (at(DAY + 60), true));
    }

    #[test]
    fn a_clock_that_was_ahead_keeps_the_order_of_the_changes() {
        let (history, _) = seen(&[
            (entry(Active, None, 0), 5),
            (dated(Dismissed, 800, None, 800), 900),
            (entry(Active, None, 0), 50),
        ]);
        assert!(history.changes().is_sorted_by_key(|it| it.at));
        assert_eq!(history.withdrawal().unwrap().at, at(50));
        assert!(history.changes().iter().all(|it| !it.is_exact));
    }

    #[test]
    fn a_decision_for_a_day_covers_no_later_acceptance() {
        let mut history = StatusHistory::default();
        let decision = Decision {
            approved_on: Some(at(10 * DAY)),
            ..Decision::new("A", "SEC-1", at(100 * DAY))
        };
        let mut covers = |status, day: i64| {
            see(&mut history, &entry(status, ANN, day * DAY), day * DAY);
            decision.covers_acceptance(&history.declarations())
        };
        assert!(covers(RiskAccepted, 10));
        assert!(!covers(Dismissed, 11), "that is another decision");
        assert!(!covers(Active, 12), "of that one");
        assert!(!covers(RiskAccepted, 13));
    }
}
