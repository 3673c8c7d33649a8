//! Recommendations of Entra and their statuses.

use super::*;
use crate::graph::UnknownWord;
use crate::logged::log_of;
use secure_score_model::{Reason, RecommendationEntry, RecommendationStatus, UnknownField};

#[tokio::test]
async fn a_status_of_entra_is_reported_once_over_a_restart_and_the_list_stays_expected() {
    use RecommendationStatus::{Active, Dismissed, RiskAccepted};
    let cell = cell();
    assert!(!cell.is_expected(Api::Recommendations));
    apply(&cell, recommendations(&[("R", RiskAccepted)], 900, false)).unwrap();
    assert_eq!(emitted(&cell).len(), 0, "its control is not known yet");
    apply(&cell, catalogue(&["r"], false)).unwrap();
    assert_eq!(emitted(&cell), ["state_changed"]);
    recorded(&cell, Api::Recommendations);

    let restarted = restarted(&cell);
    assert!(restarted.is_expected(Api::Recommendations));
    assert!(!restarted.is_expected(Api::IdentityScores));
    let shown = published(&restarted);
    let shown = &shown.snapshot.recommendations[0];
    assert_eq!(shown.control.as_deref(), Some("r"));
    assert_eq!(shown.changed().unwrap().at, Timestamp::from_seconds(900));
    let before = emitted(&restarted).len();
    apply(
        &restarted,
        recommendations(&[("R", RiskAccepted)], 900, false),
    )
    .unwrap();
    apply(
        &restarted,
        recommendations(&[("R", RiskAccepted)], 950, false),
    )
    .unwrap();
    assert_eq!(emitted(&restarted).len(), before);
    for status in [Active, Dismissed] {
        apply(&restarted, recommendations(&[("R", status)], 960, false)).unwrap();
    }
    assert_eq!(emitted(&restarted).len(), before + 2);
    let error = apply(&restarted, recommendations(&[], 970, false)).unwrap_err();
    assert_eq!(error.reason(), Reason::Emptied);
}

#[tokio::test]
async fn each_status_of_entra_is_reported_once_over_restarts() {
    use RecommendationStatus::{Active, Dismissed, Postponed, RiskAccepted};
    let mut cell = cell();
    apply(&cell, catalogue(&["A"], false)).unwrap();
    let list = |status, at| recommendations(&[("R", status)], at, false);
    apply(&cell, list(Active, 900)).unwrap();
    let statuses = [Dismissed, Postponed, Active, RiskAccepted];
    for (done, status) in statuses.into_iter().enumerate() {
        let at = 910 + 10 * i64::try_from(done).unwrap();
        apply(&cell, list(status, at)).unwrap();
        assert_eq!(emitted(&cell).len(), done + 1, "{status}");
        cell = restarted(&cell);
        apply(&cell, catalogue(&["A"], false)).unwrap();
        apply(&cell, list(status, at)).unwrap();
        assert_eq!(emitted(&cell).len(), done + 1, "{status}: after a restart");
    }
}

#[tokio::test]
async fn a_list_of_entra_that_is_only_seen_again_is_not_joined_again() {
    let cell = cell();
    apply(&cell, catalogue(&["A"], false)).unwrap();
    let dismissed = [("R", RecommendationStatus::Dismissed)];
    apply(&cell, recommendations(&dismissed, 900, false)).unwrap();
    let before = published(&cell);
    let later = Timestamp::from_seconds(990);
    cell.data.lock().recommendations.current_mut().unwrap().at = later;
    cell.update().publish();
    assert!(Arc::ptr_eq(&before.snapshot, &published(&cell).snapshot));
}

#[tokio::test]
async fn an_unknown_word_of_entra_is_logged_once() {
    let with_word = |word: &str| {
        let list = recommendations(&[("R", RecommendationStatus::Unknown)], 900, false);
        let FetchResult::Recommendations(ListAnswer::Other(mut fetched)) = list else {
            unreachable!();
        };
        fetched.unknown_words.insert(UnknownWord {
            field: UnknownField::Status,
            word: word.to_owned(),
        });
        FetchResult::Recommendations(ListAnswer::Other(fetched))
    };
    let text = log_of(|| {
        let cell = cell();
        for word in ["noted", "noted", "parked", "noted"] {
            apply(&cell, with_word(word)).unwrap();
        }
    });
    let count = |word: &str| text.matches(&format!("word={word}")).count();
    assert_eq!((count("noted"), count("parked")), (1, 1), "{text}");
    assert!(text.contains("recommendations") && text.contains("contoso"));
}

#[tokio::test]
async fn an_incomplete_list_of_entra_shows_what_is_set_aside_and_removes_nothing() {
    use RecommendationStatus::{Active, Dismissed, RiskAccepted};
    let cell = cell();
    apply(&cell, catalogue(&["A"], false)).unwrap();
    let both = [("R", Active), ("S", Dismissed)];
    apply(&cell, recommendations(&both, 900, false)).unwrap();
    let before = emitted(&cell).len();
    let partial = recommendations(&[("R", RiskAccepted)], 950, true);
    let error = apply(&cell, partial).unwrap_err();
    assert_eq!(error.reason(), Reason::Partial);
    let withdrawn = recommendations(&[("S", Active)], 950, true);
    assert!(apply(&cell, withdrawn).is_err());
    let shown = published(&cell);
    let shown = shown.snapshot.recommendations.iter();
    let statuses: Vec<_> = shown.map(|it| it.entry.status).collect();
    assert_eq!(statuses, [RiskAccepted, Dismissed]);
    assert_eq!(emitted(&cell).len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_a_tenant_does_not_offer_waits_over_a_restart() {
    let cell = cell();
    apply(&cell, catalogue(&["A"], false)).unwrap();
    let mut update = cell.update();
    update.not_offered(Api::Recommendations, Traffic::default(), HOUR);
    update.publish();
    let restarted = restarted(&cell);
    let rest = restarted.not_due_for(Api::Recommendations);
    assert_eq!(rest, Some(HOUR));
    assert!(!restarted.is_expected(Api::Recommendations));
    assert_eq!(restarted.not_due_for(Api::IdentityScores), None);
    let lists = published(&restarted).health.lists().count();
    assert_eq!(lists, 2, "it has no series");
}

/// Recommendations that a person changed at a time.
fn recommendations(
    statuses: &[(&str, RecommendationStatus)],
    at: i64,
    partial: bool,
) -> FetchResult {
    let entry = |(name, status): &(&str, RecommendationStatus)| {
        Arc::new(RecommendationEntry {
            status: *status,
            last_modified: Some(Timestamp::from_seconds(at)),
            last_modified_by: Some("alex".into()),
            ..RecommendationEntry::new(name)
        })
    };
    let list = RecommendationList {
        entra_tenant_id: Some("guid".into()),
        entries: statuses.iter().map(entry).collect(),
        ..RecommendationList::default()
    };
    FetchResult::Recommendations(ListAnswer::Other(fetched(list, partial)))
}

fn recorded(cell: &TenantCell, api: Api) {
    let mut update = cell.update();
    update.record_outcome(api, &Ok(()), Traffic::default(), HOUR);
    update.publish();
}
