//! A tenant whose recommendations of Entra are read, for the pages and the API.

use crate::test_server::{self, change, control};
use secure_score_model::*;
use std::sync::Arc;

const ALEX: &str = "alex.wilber@contoso.example";

const SAM: &str = "sam@contoso.example";

const DAY: i64 = 24 * 60 * 60;

/// A status, so many days from now, and the person who set it.
type Set = (RecommendationStatus, i64, Option<&'static str>);

/// At two recommendations the places disagree, one is postponed with an
/// approval, and one was dismissed and is active again.
pub(crate) fn snapshot(now: Timestamp) -> Arc<TenantSnapshot> {
    use RecommendationStatus::{Active, Dismissed, Postponed, RiskAccepted};
    let four_days_ago = now.nanos() / 1_000_000_000 - 4 * DAY;
    let accepted = change(ControlState::RiskAccepted, four_days_ago, ALEX, "a pilot");
    let controls = vec![
        control("AdminMFAV2", Category::Identity, vec![accepted]),
        control("UserRiskPolicy", Category::Identity, Vec::new()),
    ];
    let admins = Recommendation {
        control: Some("AdminMFAV2".into()),
        control_state: Some(ControlState::RiskAccepted),
        ..recommendation("adminMFAV2", &[(Active, -20, None)], now)
    };
    let user_risk = [(Active, -20, None), (RiskAccepted, -6, Some(ALEX))];
    let user_risk = Recommendation {
        control: Some("UserRiskPolicy".into()),
        control_state: Some(ControlState::ToAddress),
        watched: true,
        ..recommendation("userRiskPolicy", &user_risk, now)
    };
    let reset = [(Dismissed, -30, Some(SAM)), (Active, -25, Some(ALEX))];
    let reset = recommendation("turnOffPerUserMFA", &reset, now);
    let postponed = [(Postponed, -5, Some(SAM))];
    let mut stale = recommendation("staleApps", &postponed, now);
    stale.history = statuses("staleApps", &postponed, false, now);
    stale.decisions = vec![Arc::new(Decision {
        control: None,
        recommendation: Some("staleApps".into()),
        ..Decision::new("", "SEC-20", Timestamp::from_seconds(7_229_174_400))
    })];
    stale.entry = Arc::new(RecommendationEntry {
        postponed_until: Some(Timestamp::from_nanos(
            now.nanos() + 28 * DAY * 1_000_000_000,
        )),
        score: None,
        max_score: None,
        ..(*stale.entry).clone()
    });
    Arc::new(TenantSnapshot {
        recommendations: vec![admins, stale, reset, user_risk],
        recommendation_anomalies: Some(Anomalies::default()),
        identity_score: Some(Arc::new(IdentityScore {
            as_of: Some(Timestamp::from_seconds(1_795_305_600)),
            score: Points::new(11.0),
            max_score: Points::new(56.0),
            anomalies: Anomalies::default(),
        })),
        ..test_server::snapshot(controls)
    })
}

/// The health where the lists of Entra fare as that of the score does.
pub(crate) fn health(of: &TenantHealth) -> TenantHealth {
    let expected = RefreshHealth {
        has_series: true,
        ..of.scores.clone()
    };
    TenantHealth {
        recommendations: expected.clone(),
        identity_scores: expected,
        ..of.clone()
    }
}

/// A recommendation that had these statuses, at times that Graph names.
pub(crate) fn recommendation(name: &str, set: &[Set], now: Timestamp) -> Recommendation {
    Recommendation {
        history: statuses(name, set, true, now),
        ..Recommendation::new(entry(name, *set.last().unwrap(), true, now))
    }
}

/// One that is active, as Microsoft lists it: Graph names neither a person nor a date
/// of its status.
pub(crate) fn untouched(name: &str, now: Timestamp) -> Recommendation {
    let set = (RecommendationStatus::Active, -20, None);
    Recommendation {
        history: statuses(name, &[set], false, now),
        ..Recommendation::new(entry(name, set, false, now))
    }
}

/// These statuses of a recommendation; without exact times, Graph dates only that
/// a person changed it.
pub(crate) fn statuses(name: &str, set: &[Set], exact: bool, now: Timestamp) -> StatusHistory {
    let mut seen = StatusHistories::default();
    for set in set {
        let entry = entry(name, *set, exact, now);
        let at = entry.last_modified.unwrap();
        let list = RecommendationList {
            entries: vec![Arc::new(entry)],
            ..RecommendationList::default()
        };
        seen.observe(&list, true, at, at);
    }
    seen.of(&name.to_ascii_lowercase()).unwrap().clone()
}

fn entry(name: &str, (status, days, by): Set, exact: bool, now: Timestamp) -> RecommendationEntry {
    let at = Timestamp::from_nanos(now.nanos() + days * DAY * 1_000_000_000);
    RecommendationEntry {
        title: Arc::from(format!("Advice on {name}")),
        status,
        category: RecommendationCategory::IdentitySecureScore,
        score: Points::new(5.25),
        max_score: Points::new(7.0),
        status_modified: exact.then_some(at),
        last_modified: Some(at),
        last_modified_by: by.map(Arc::from),
        ..RecommendationEntry::new(name)
    }
}
