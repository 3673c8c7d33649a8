//! The statuses of Entra's recommendations over time, as the exporter saw them.

use crate::{
    ControlState, History, RecommendationEntry, RecommendationList, RecommendationStatus,
    StateUpdate, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Not;
use std::sync::Arc;

/// Statuses that are remembered of one recommendation.
const MAX_CHANGES: usize = 50;

/// Recommendations that are remembered. Entra has some dozens.
const MAX_RECOMMENDATIONS: usize = 1_000;

/// How old a status may be that the first list of a tenant reports.
const FIRST_WINDOW_NANOS: i64 = 24 * 60 * 60 * 1_000_000_000;

/// One status of a recommendation, and since when it has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// The status that it changed to.
    pub status: RecommendationStatus,
    /// When it changed: as Graph says, else when the exporter first saw it or,
    /// where that is earlier, when a person last changed the recommendation.
    pub at: Timestamp,
    /// Whether Graph says so. Otherwise it changed at this time or before.
    #[serde(rename = "exact", default, skip_serializing_if = "Not::not")]
    pub is_exact: bool,
    /// The person who set it, where Graph names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Arc<str>>,
    /// The end of a postponement.
    #[serde(rename = "until", default, skip_serializing_if = "Option::is_none")]
    pub postponed_until: Option<Timestamp>,
}

impl StatusChange {
    fn sets_aside(&self) -> bool {
        self.status.sets_aside() == Some(true)
    }
}

/// A change that was not seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStatus {
    /// The recommendation's id in the tenant.
    pub id: Arc<str>,
    /// The status before, where one is known.
    pub from: Option<RecommendationStatus>,
    /// The new status; missing where the recommendation left the list while it
    /// was set aside.
    pub to: Option<RecommendationStatus>,
    /// How and when it came into the new status, or into its last one.
    pub change: StatusChange,
    /// Its statuses with this one.
    pub history: StatusHistory,
}

/// The statuses of one recommendation, oldest first, none unknown.
///
/// The same status follows itself where a recommendation was set aside anew:
/// Graph says so by a later date, or it is postponed until another day.
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

    /// The same as a history of a control, by which exceptions are judged. Each
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

    /// Adds the present status, if it is another one or was set anew. An unknown
    /// one is no change.
    fn observe(&mut self, entry: &RecommendationEntry, now: Timestamp) -> Option<StatusChange> {
        self.name = Arc::clone(&entry.name);
        self.title = Arc::clone(&entry.title);
        self.has_left = false;
        let status = entry.status;
        if status == RecommendationStatus::Unknown {
            return None;
        }
        if let Some(last) = self.changes.last_mut() {
            // Of a clock that was ahead.
            last.at = last.at.min(now);
        }
        let exact = entry.status_modified.filter(|at| *at <= now);
        let last = self.changes.last();
        let same = last.filter(|it| it.status == status);
        if same.is_some_and(|last| !is_set_anew(last, entry, exact)) {
            return None;
        }
        let by = entry.last_modified_by.clone();
        let by_person = entry.last_modified.filter(|_| by.is_some());
        // A date from before the last change is that of another one.
        let is_later = |at: &Timestamp| last.is_none_or(|last| *at >= last.at);
        let is_first_seen = last.is_some_and(|last| !last.is_exact);
        let exact = exact.filter(|at| is_first_seen || is_later(at));
        let at = exact.or(by_person.filter(is_later)).unwrap_or(now).min(now);
        if let Some(last) = self.changes.last_mut() {
            last.at = last.at.min(at);
        }
        let change = StatusChange {
            status,
            at,
            is_exact: exact.is_some(),
            by,
            postponed_until: entry.postponed_until,
        };
        self.changes.push(change.clone());
        self.count += 1;
        let excess = self.changes.len().saturating_sub(MAX_CHANGES);
        self.changes.drain(..excess);
        Some(change)
    }
}

/// Whether a recommendation in the status of its last change was set aside again.
fn is_set_anew(last: &StatusChange, entry: &RecommendationEntry, exact: Option<Timestamp>) -> bool {
    let is_later = exact.is_some_and(|at| at > last.at);
    let is_moved = entry.postponed_until.is_some() && entry.postponed_until != last.postponed_until;
    last.sets_aside() && (is_later || is_moved)
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

/// The statuses of a tenant's recommendations, by id.
///
/// Graph keeps no history of them, only the present status. One that a list
/// lacks stays, since it may return.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StatusHistories(BTreeMap<Arc<str>, StatusHistory>);

impl StatusHistories {
    /// The statuses of one recommendation.
    pub fn of(&self, id: &str) -> Option<&StatusHistory> {
        self.0.get(id)
    }

    /// Whether nothing was seen yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Remembers the statuses of a list. Returns the changes, oldest first, and
    /// the recommendations that left a complete list while they were set aside.
    ///
    /// In the tenant's first list, and of a recommendation that is new, only a
    /// status that a person set counts as a change; in the first list, if it is
    /// not older than a day.
    pub fn observe(
        &mut self,
        list: &RecommendationList,
        is_complete: bool,
        now: Timestamp,
    ) -> Vec<NewStatus> {
        let is_first_list = self.0.is_empty();
        let first = now.nanos().saturating_sub(FIRST_WINDOW_NANOS);
        let listed: BTreeSet<&str> = list.entries.iter().map(|it| &*it.id).collect();
        let mut changes = Vec::new();
        if is_complete {
            changes.extend(self.left(&listed));
            self.make_room(&listed);
        }
        for entry in &list.entries {
            let is_known = self.0.contains_key(&entry.id);
            if !is_known && self.0.len() >= MAX_RECOMMENDATIONS {
                continue;
            }
            let history = self.0.entry(Arc::clone(&entry.id)).or_default();
            let from = history.last().map(|it| it.status);
            let Some(change) = history.observe(entry, now) else {
                continue;
            };
            let is_by_person = !matches!(
                change.status,
                RecommendationStatus::Active
                    | RecommendationStatus::NeedsMoreAction
                    | RecommendationStatus::CompletedBySystem
            );
            let dated = entry.status_modified.or(entry.last_modified);
            let is_recent = !is_first_list || dated.is_some_and(|at| at.nanos() >= first);
            if from.is_some() || (is_by_person && is_recent) {
                changes.push(NewStatus {
                    id: Arc::clone(&entry.id),
                    from,
                    to: Some(change.status),
                    change,
                    history: history.clone(),
                });
            }
        }
        changes.sort_by_key(|it| it.change.at);
        changes
    }

    /// The recommendations that were set aside and that a complete list lacks for
    /// the first time.
    fn left(&mut self, listed: &BTreeSet<&str>) -> Vec<NewStatus> {
        let mut left = Vec::new();
        for (id, history) in &mut self.0 {
            if listed.contains(&**id) || history.has_left {
                continue;
            }
            history.has_left = true;
            if let Some(last) = history.last().filter(|it| it.sets_aside()) {
                left.push(NewStatus {
                    id: Arc::clone(id),
                    from: Some(last.status),
                    to: None,
                    change: last.clone(),
                    history: history.clone(),
                });
            }
        }
        left
    }

    /// Forgets recommendations that a list lacks, if the new ones in it would
    /// exceed the maximum.
    fn make_room(&mut self, listed: &BTreeSet<&str>) {
        let new = listed.iter().filter(|id| !self.0.contains_key(**id));
        let mut excess = (self.0.len() + new.count()).saturating_sub(MAX_RECOMMENDATIONS);
        self.0.retain(|id, _| {
            let goes = excess > 0 && !listed.contains(&**id);
            excess -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exception;
    use RecommendationStatus::{
        Active, CompletedBySystem, Dismissed, Postponed, RiskAccepted, ThirdParty, Unknown,
    };

    const DAY: i64 = 24 * 60 * 60;

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

    fn list(entry: RecommendationEntry) -> RecommendationList {
        RecommendationList {
            entries: vec![Arc::new(entry)],
            ..RecommendationList::default()
        }
    }

    #[test]
    fn each_change_is_new_once_with_its_person() {
        let mut seen = StatusHistories::default();
        let mut observe = |status, by, modified, now| {
            let text = serde_json::to_string(&seen).unwrap();
            seen = serde_json::from_str(&text).unwrap();
            let new = seen.observe(&list(entry(status, by, modified)), true, at(now));
            let twice = seen.observe(&list(entry(status, by, modified)), true, at(now + 1));
            assert_eq!(twice, []);
            let new = new.into_iter().next()?;
            let by = new.change.by.as_deref().map(str::to_owned);
            Some((new.from, new.change.status, new.change.at, by))
        };
        let ann = Some("ann");
        let by_ann = Some("ann".to_owned());
        assert_eq!(observe(Active, None, 10 * DAY, 20 * DAY), None);
        assert_eq!(
            observe(Dismissed, ann, 20 * DAY + 60, 20 * DAY + 900),
            Some((Some(Active), Dismissed, at(20 * DAY + 60), by_ann.clone()))
        );
        assert_eq!(
            observe(Postponed, None, 21 * DAY, 21 * DAY + 900),
            Some((Some(Dismissed), Postponed, at(21 * DAY + 900), None)),
            "the time of Microsoft's check is not that of the change"
        );
        assert_eq!(observe(Unknown, ann, 22 * DAY, 22 * DAY + 900), None);
        assert_eq!(observe(Postponed, None, 22 * DAY, 22 * DAY + 950), None);
        assert_eq!(
            observe(Active, ann, 19 * DAY, 23 * DAY),
            Some((Some(Postponed), Active, at(23 * DAY), by_ann.clone())),
            "a time before the last change is not that of the change"
        );
        assert_eq!(
            observe(RiskAccepted, ann, 99 * DAY, 24 * DAY),
            Some((Some(Active), RiskAccepted, at(24 * DAY), by_ann)),
            "no change is in the future"
        );
    }

    #[test]
    fn the_time_that_graph_sends_for_the_status_is_exact() {
        let mut seen = StatusHistories::default();
        let entry = RecommendationEntry {
            status_modified: Some(at(5 * DAY)),
            ..entry(RiskAccepted, None, 6 * DAY)
        };
        seen.observe(&list(entry), true, at(7 * DAY));
        let last = seen.of("a").and_then(StatusHistory::last).unwrap();
        assert_eq!((last.at, last.is_exact), (at(5 * DAY), true));
    }

    #[test]
    fn the_last_status_that_sets_aside_counts_until_another_kind_follows() {
        let mut seen = StatusHistories::default();
        let mut set_aside = |status, day: i64| {
            seen.observe(
                &list(entry(status, Some("ann"), day * DAY)),
                true,
                at(day * DAY),
            );
            let history = seen.of("a").unwrap();
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
    fn the_first_list_reports_what_a_person_set_within_a_day() {
        let first = |status, by, modified| {
            let list = list(entry(status, by, modified));
            let new = StatusHistories::default().observe(&list, true, at(20 * DAY));
            new.len() == 1
        };
        assert!(first(Dismissed, Some("ann"), 20 * DAY - 600));
        assert!(first(ThirdParty, Some("ann"), 20 * DAY - 600));
        assert!(!first(Dismissed, Some("ann"), 18 * DAY));
        assert!(!first(Active, None, 20 * DAY - 600));
        assert!(!first(CompletedBySystem, None, 20 * DAY - 600));
    }

    #[test]
    fn a_new_recommendation_of_a_known_tenant_is_reported_if_a_person_set_its_status() {
        let reported = |status| {
            let mut seen = StatusHistories::default();
            let other = RecommendationEntry::new("B");
            seen.observe(&list(other), false, at(DAY));
            let old = entry(status, Some("ann"), 0);
            seen.observe(&list(old), true, at(20 * DAY)).len() == 1
        };
        assert!(reported(RiskAccepted) && reported(Postponed));
        assert!(!reported(Active) && !reported(CompletedBySystem));
    }

    #[test]
    fn what_is_set_aside_anew_is_a_change() {
        let mut seen = StatusHistories::default();
        let mut observe = |status, modified: Option<i64>, until: Option<i64>, now: i64| {
            let entry = RecommendationEntry {
                status_modified: modified.map(at),
                postponed_until: until.map(at),
                ..entry(status, Some("ann"), 0)
            };
            seen.observe(&list(entry), true, at(now)).len()
        };
        observe(Active, None, None, 1);
        assert_eq!(observe(RiskAccepted, Some(20), None, 25), 1);
        assert_eq!(observe(RiskAccepted, Some(20), None, 30), 0);
        assert_eq!(observe(RiskAccepted, None, None, 35), 0);
        assert_eq!(
            observe(RiskAccepted, Some(40), None, 45),
            1,
            "accepted anew"
        );
        assert_eq!(observe(Postponed, None, Some(100), 50), 1);
        assert_eq!(observe(Postponed, None, Some(100), 55), 0);
        assert_eq!(observe(Postponed, None, Some(900), 60), 1, "for longer");
        assert_eq!(observe(Active, Some(70), None, 75), 1);
        assert_eq!(
            observe(Active, Some(80), None, 85),
            0,
            "nothing is set aside"
        );
    }

    #[test]
    fn one_that_leaves_a_complete_list_while_set_aside_is_reported_once() {
        let mut seen = StatusHistories::default();
        let with = |status| list(entry(status, Some("ann"), 10));
        let without = list(RecommendationEntry::new("B"));
        seen.observe(&with(Dismissed), true, at(10));
        assert_eq!(seen.observe(&without, false, at(20)), []);
        let left = seen.observe(&without, true, at(30));
        assert_eq!((left.len(), left[0].to), (1, None));
        assert_eq!(left[0].history.name.as_ref(), "A");
        assert_eq!(seen.observe(&without, true, at(40)), []);
        assert_eq!(
            seen.observe(&with(Dismissed), true, at(50)),
            [],
            "it returns"
        );
        assert_eq!(seen.observe(&without, true, at(60)).len(), 1);
        seen.observe(&with(Active), true, at(70));
        assert_eq!(seen.observe(&without, true, at(80)), []);
    }

    #[test]
    fn a_clock_that_was_ahead_keeps_the_order_of_the_changes() {
        let mut seen = StatusHistories::default();
        for (status, now) in [(Active, 5), (Dismissed, 900), (Active, 50)] {
            seen.observe(&list(entry(status, None, 0)), true, at(now));
        }
        let history = seen.of("a").unwrap();
        assert!(history.changes().is_sorted_by_key(|it| it.at));
        assert_eq!(history.withdrawal().unwrap().at, at(50));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = StatusHistories::default();
        for round in 0..200 {
            let status = [Active, Dismissed][round % 2];
            seen.observe(&list(entry(status, None, 0)), true, at(round as i64));
        }
        assert_eq!(seen.of("a").unwrap().changes().len(), MAX_CHANGES);
        for number in 0..2_000 {
            seen.observe(
                &list(RecommendationEntry::new(&number.to_string())),
                true,
                at(1),
            );
        }
        assert_eq!(seen.0.len(), MAX_RECOMMENDATIONS);
    }

    #[test]
    fn an_exception_for_a_day_covers_no_later_acceptance() {
        let mut seen = StatusHistories::default();
        let exception = Exception {
            approved_on: Some(at(10 * DAY)),
            ..Exception::new("A", "SEC-1", at(100 * DAY))
        };
        let mut covers = |status, day: i64| {
            seen.observe(
                &list(entry(status, Some("ann"), day * DAY)),
                true,
                at(day * DAY),
            );
            exception.covers(&seen.of("a").unwrap().as_history())
        };
        assert!(covers(RiskAccepted, 10));
        assert!(!covers(Dismissed, 11), "that is another decision");
        assert!(!covers(Active, 12), "of that one");
        assert!(!covers(RiskAccepted, 13));
    }
}
