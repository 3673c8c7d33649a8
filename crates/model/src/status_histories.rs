//! The statuses of a tenant's recommendations over time, as the exporter saw them.

use crate::{RecommendationList, RecommendationStatus, StatusChange, StatusHistory, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Recommendations that are remembered. Entra has some dozens.
const MAX_RECOMMENDATIONS: usize = 1_000;

/// How old a status may be that the first list of a tenant reports.
const FIRST_WINDOW_NANOS: i64 = 24 * 60 * 60 * 1_000_000_000;

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

    /// Whether readers see no difference, because only the times differ at which
    /// the statuses were last seen.
    pub fn shows_same(&self, other: &Self) -> bool {
        let mut both = self.0.iter().zip(&other.0);
        self.0.len() == other.0.len() && both.all(|(a, b)| a.0 == b.0 && a.1.shows_same(b.1))
    }

    /// Remembers the statuses of a list that Graph sent at a time. Returns the
    /// changes, oldest first, and the recommendations that left a complete list
    /// while they were set aside.
    ///
    /// In the tenant's first list, and of a recommendation that is new, only a
    /// status that a person set counts as a change; in the first list, if Graph
    /// dates it within a day.
    pub fn observe(
        &mut self,
        list: &RecommendationList,
        is_complete: bool,
        sent: Timestamp,
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
            let Some(change) = history.observe(entry, sent, now) else {
                continue;
            };
            let is_by_person = !matches!(
                change.status,
                RecommendationStatus::Active
                    | RecommendationStatus::NeedsMoreAction
                    | RecommendationStatus::CompletedBySystem
            );
            let dated = change.graph_date;
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
            if listed.contains(&**id) {
                continue;
            }
            if let Some(last) = history.leave().cloned() {
                left.push(NewStatus {
                    id: Arc::clone(id),
                    from: Some(last.status),
                    to: None,
                    change: last,
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
    use crate::RecommendationEntry;
    use crate::status_history::MAX_CHANGES;
    use RecommendationStatus::{
        Active, CompletedBySystem, Dismissed, Postponed, RiskAccepted, ThirdParty,
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

    /// Shows a list to an exporter that restarted.
    fn see(
        seen: &mut StatusHistories,
        list: &RecommendationList,
        is_complete: bool,
        now: i64,
    ) -> Vec<NewStatus> {
        let text = serde_json::to_string(seen).unwrap();
        *seen = serde_json::from_str(&text).unwrap();
        seen.observe(list, is_complete, at(now), at(now))
    }

    #[test]
    fn the_first_list_reports_what_graph_dates_within_a_day() {
        let first = |entry| {
            let new = see(
                &mut StatusHistories::default(),
                &list(entry),
                true,
                20 * DAY,
            );
            new.len() == 1
        };
        let (recent, old) = (20 * DAY - 600, 18 * DAY);
        let ann = Some("ann");
        let dated = |set, by, modified| RecommendationEntry {
            status_modified: Some(at(set)),
            ..entry(RiskAccepted, by, modified)
        };
        assert!(first(entry(Dismissed, ann, recent)));
        assert!(first(entry(ThirdParty, ann, recent)));
        assert!(first(dated(recent, None, recent)));
        assert!(first(dated(old, ann, recent)), "a person changed it since");
        assert!(!first(entry(Dismissed, ann, old)));
        assert!(!first(entry(Dismissed, None, recent)), "Microsoft's check");
        assert!(!first(dated(old, None, recent)), "likewise");
        assert!(!first(RecommendationEntry {
            last_modified: None,
            ..entry(Dismissed, ann, recent)
        }));
        assert!(!first(entry(Active, None, recent)));
        assert!(!first(entry(CompletedBySystem, None, recent)));
    }

    #[test]
    fn a_new_recommendation_of_a_known_tenant_is_reported_if_a_person_set_its_status() {
        let reported = |status| {
            let mut seen = StatusHistories::default();
            let other = RecommendationEntry::new("B");
            see(&mut seen, &list(other), false, DAY);
            let old = entry(status, Some("ann"), 0);
            see(&mut seen, &list(old), true, 20 * DAY).len() == 1
        };
        assert!(reported(RiskAccepted) && reported(Postponed));
        assert!(!reported(Active) && !reported(CompletedBySystem));
    }

    #[test]
    fn one_that_leaves_a_complete_list_while_set_aside_is_reported_once() {
        let mut seen = StatusHistories::default();
        let with = |status| list(entry(status, Some("ann"), 10));
        let without = list(RecommendationEntry::new("B"));
        see(&mut seen, &with(Dismissed), true, 10);
        assert_eq!(see(&mut seen, &without, false, 20), []);
        let left = see(&mut seen, &without, true, 30);
        assert_eq!((left.len(), left[0].to), (1, None));
        assert_eq!(left[0].history.name.as_ref(), "A");
        assert_eq!(see(&mut seen, &without, true, 40), []);
        assert_eq!(see(&mut seen, &with(Dismissed), true, 50), [], "it returns");
        assert_eq!(see(&mut seen, &without, true, 60), [], "the same leaves");
        see(&mut seen, &with(Active), true, 70);
        assert_eq!(see(&mut seen, &without, true, 80), []);
        let again = list(entry(Dismissed, Some("ann"), 90));
        assert_eq!(see(&mut seen, &again, true, 95).len(), 1);
        assert_eq!(see(&mut seen, &without, true, 99).len(), 1);
    }

    #[test]
    fn when_a_status_was_last_seen_makes_no_difference_to_readers() {
        let mut seen = StatusHistories::default();
        see(&mut seen, &list(entry(Dismissed, None, 10)), true, 10);
        let before = seen.clone();
        see(&mut seen, &list(entry(Dismissed, None, 20)), true, 20);
        assert!(seen != before && seen.shows_same(&before));
        see(&mut seen, &list(entry(Active, None, 30)), true, 30);
        assert!(!seen.shows_same(&before));
        assert!(!before.shows_same(&StatusHistories::default()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = StatusHistories::default();
        for round in 0..200 {
            let status = [Active, Dismissed][round % 2];
            see(&mut seen, &list(entry(status, None, 0)), true, round as i64);
        }
        assert_eq!(seen.of("a").unwrap().changes().len(), MAX_CHANGES);
        for number in 0..2_000 {
            let new = RecommendationEntry::new(&number.to_string());
            seen.observe(&list(new), true, at(1), at(1));
        }
        assert_eq!(seen.0.len(), MAX_RECOMMENDATIONS);
    }
}
