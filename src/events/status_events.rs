//! The events of Entra's recommendations.

use super::Event;
use super::event::EventState;
use secure_score_model::{
    Category, EventKind, Judgement, NewStatus, Place, Recommendation, TenantIdentity,
    TenantSnapshot, Timestamp,
};
use std::sync::Arc;

/// The events of new statuses, in their order: one each, since the statuses are
/// remembered with the tenant's data.
///
/// The category of an event is that of the control in Secure Score;
/// recommendations without one are about identity.
pub fn of_statuses(
    tenant: &TenantIdentity,
    snapshot: &TenantSnapshot,
    new: &[NewStatus],
    now: Timestamp,
) -> Vec<Event> {
    let event = |status: &NewStatus| {
        let mut known = snapshot.recommendations.iter();
        let recommendation = known.find(|it| it.entry.id == status.id);
        of_status(tenant, snapshot, recommendation, status, now)
    };
    new.iter().map(event).collect()
}

/// `recommendation` is missing where it left the list.
fn of_status(
    tenant: &TenantIdentity,
    snapshot: &TenantSnapshot,
    recommendation: Option<&Recommendation>,
    new: &NewStatus,
    now: Timestamp,
) -> Event {
    let NewStatus {
        change, history, ..
    } = new;
    let control = match recommendation {
        Some(it) => it.control.as_deref(),
        None => Some(&*history.name),
    };
    let control = control.and_then(|id| snapshot.control_named(id));
    let event = Event {
        kind: match new.to {
            Some(_) => EventKind::StateChanged,
            None => EventKind::AcceptedControlLeft,
        },
        place: Place::Entra,
        tenant: Arc::clone(&tenant.alias),
        entra_tenant_id: tenant.entra_tenant_id.clone(),
        control: Arc::clone(control.map_or(&history.name, |it| &it.id)),
        recommendation: Some(Arc::clone(&history.name)),
        category: control.map_or(Category::Identity, |it| it.category),
        title: Arc::clone(&history.title),
        from: new.from.map(EventState::from),
        to: new.to.map(EventState::from),
        by: change.by.clone(),
        at: change.is_exact.then_some(change.at),
        comment: None,
        approved: None,
        reference: None,
        lost: None,
        postponed_until: change.postponed_until,
        seen_at: now,
        discriminator: discriminator(new),
    };
    if !event.concerns_acceptance() {
        return event;
    }
    // A change that ends an acceptance is judged by the acceptance that it ends.
    let decisions = recommendation.map_or(&[][..], |it| &it.decisions);
    let judgement = Judgement::new(history.declarations(), None, decisions);
    let approval = judgement.acceptance_approval(now);
    let decision = approval.decision();
    Event {
        approved: recommendation.map(|_| approval.is_approved()),
        reference: decision.map(|decision| Arc::clone(&decision.reference)),
        ..event
    }
}

/// The status and Graph's date of it or of the change by the person, which every
/// process sees. Without one, the number of the change and the date of Microsoft's
/// last check: a later process counts anew.
fn discriminator(new: &NewStatus) -> String {
    let nanos = |at: Timestamp| at.nanos().to_string();
    let of_change = new.change.graph_date.map_or_else(
        || {
            let checked = new.history.last_modified().map_or_else(String::new, nanos);
            format!("#{} {checked}", new.history.count)
        },
        nanos,
    );
    format!("entra {} {of_change}", new.change.status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::{
        Category, Control, Decision, RecommendationEntry, RecommendationList, RecommendationStatus,
        StatusHistories,
    };

    const DAY: i64 = 24 * 60 * 60;

    fn events(statuses: &[(RecommendationStatus, i64)]) -> Vec<Event> {
        let mut histories = StatusHistories::default();
        let mut found = Vec::new();
        for (status, day) in statuses {
            let now = Timestamp::from_seconds(day * DAY);
            let entry = RecommendationEntry {
                status: *status,
                last_modified: Some(now),
                last_modified_by: Some("ann".into()),
                ..RecommendationEntry::new("userRiskPolicy")
            };
            let list = RecommendationList {
                entries: vec![Arc::new(entry.clone())],
                ..RecommendationList::default()
            };
            let new = histories.observe(&list, true, now, now);
            let expires = Timestamp::from_seconds(12 * DAY);
            let decision = Decision::new("userRiskPolicy", "SEC-1", expires);
            let snapshot = TenantSnapshot {
                controls: vec![Control::new("UserRiskPolicy", Category::Identity)],
                recommendations: vec![Recommendation {
                    control: Some("UserRiskPolicy".into()),
                    decisions: vec![Arc::new(decision)],
                    ..Recommendation::new(entry)
                }],
                ..TenantSnapshot::default()
            };
            let tenant = TenantIdentity::new("contoso");
            found.extend(of_statuses(&tenant, &snapshot, &new, now));
        }
        found
    }

    #[test]
    fn a_recommendation_that_left_has_the_category_of_its_control() {
        let tenant = TenantIdentity::new("contoso");
        let mut histories = StatusHistories::default();
        let list = |entries| RecommendationList {
            entries,
            ..RecommendationList::default()
        };
        let entry = RecommendationEntry {
            status: RecommendationStatus::Dismissed,
            ..RecommendationEntry::new("oneApp")
        };
        let now = Timestamp::from_seconds(9 * DAY);
        histories.observe(&list(vec![Arc::new(entry)]), true, now, now);
        let new = histories.observe(&list(Vec::new()), true, now, now);
        let snapshot = TenantSnapshot {
            controls: vec![Control::new("OneApp", Category::Apps)],
            ..TenantSnapshot::default()
        };
        let events = of_statuses(&tenant, &snapshot, &new, now);
        let shown: Vec<_> = events
            .iter()
            .map(|it| (&*it.control, it.category))
            .collect();
        assert_eq!(shown, [("OneApp", Category::Apps)]);
    }

    #[test]
    fn a_status_that_sets_a_recommendation_aside_is_an_event_with_its_approval() {
        use RecommendationStatus::{Active, Dismissed, Planned, RiskAccepted};
        let events = events(&[
            (Active, 9),
            (RiskAccepted, 10),
            (Planned, 11),
            (Dismissed, 13),
        ]);
        let shown = events.iter().map(|it| {
            let (from, to) = (it.from.map(|it| it.as_str()), it.to.map(|it| it.as_str()));
            (
                from.unwrap_or_default(),
                to.unwrap_or_default(),
                it.approved,
            )
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                ("active", "risk_accepted", Some(true)),
                ("risk_accepted", "planned", Some(true)),
                ("planned", "dismissed", Some(false)),
            ]
        );
        let first = &events[0];
        assert_eq!(
            (&*first.control, first.by.as_deref()),
            ("UserRiskPolicy", Some("ann"))
        );
        assert_eq!(first.at, None, "Graph does not say when the status was set");
    }

    /// The discriminators of the new statuses in lists, as one process sees them.
    fn discriminators(lists: &[(RecommendationEntry, i64)]) -> Vec<String> {
        let mut histories = StatusHistories::default();
        let mut found = Vec::new();
        for (entry, day) in lists {
            let now = Timestamp::from_seconds(day * DAY);
            let list = RecommendationList {
                entries: vec![Arc::new(entry.clone())],
                ..RecommendationList::default()
            };
            let new = histories.observe(&list, true, now, now);
            found.extend(new.iter().map(discriminator));
        }
        found
    }

    fn entry(status: RecommendationStatus, by: Option<&str>, day: i64) -> RecommendationEntry {
        RecommendationEntry {
            status,
            last_modified: Some(Timestamp::from_seconds(day * DAY)),
            last_modified_by: by.map(Into::into),
            ..RecommendationEntry::new("A")
        }
    }

    #[test]
    fn a_change_that_graph_dates_has_one_id_in_every_process() {
        use RecommendationStatus::{Active, Dismissed, RiskAccepted};
        let by_person = entry(Dismissed, Some("ann"), 10);
        let dated = RecommendationEntry {
            status_modified: Some(Timestamp::from_seconds(9 * DAY + 60)),
            ..entry(RiskAccepted, None, 10)
        };
        for change in [by_person, dated] {
            let earlier = [(Active, 8), (Dismissed, 8), (Active, 9)];
            let mut lists = earlier
                .map(|(status, day)| (entry(status, None, day), day))
                .to_vec();
            lists.push((change.clone(), 10));
            let long_running = discriminators(&lists);
            let restarted = discriminators(&[(change, 10)]);
            assert_eq!(restarted.len(), 1);
            assert_eq!(long_running.last(), restarted.last());
        }
    }

    #[test]
    fn two_changes_have_two_ids_within_a_process_and_over_a_restart() {
        use RecommendationStatus::{Active, Dismissed};
        let mut all = Vec::new();
        // Microsoft's check has taken the place of the person, or sends no date.
        for start in [9, 19] {
            let by_ann = entry(Dismissed, Some("ann"), start + 1);
            all.extend(discriminators(&[
                (entry(Active, None, start), start),
                (by_ann, start + 1),
                (entry(Active, None, start + 2), start + 2),
                (entry(Dismissed, None, start + 3), start + 3),
                (entry(Active, None, start + 3), start + 4),
                (entry(Dismissed, None, start + 3), start + 5),
            ]));
        }
        let count = all.len();
        assert_eq!(count, 10);
        let distinct: std::collections::BTreeSet<_> = all.into_iter().collect();
        assert_eq!(distinct.len(), count, "{distinct:?}");
    }
}
