//! What is kept, and when it is tried again, after a list failed.

use super::*;
use secure_score_model::Reason;

#[tokio::test(start_paused = true)]
async fn an_emptied_list_is_a_failure_after_expiry_and_a_restart() {
    let mut cell = cell();
    set_clock(&mut cell, 0);
    // Its category is unknown, so no pin remembers it.
    apply(&cell, catalogue(&["A"], false)).unwrap();
    apply(&cell, of_day(9)).unwrap();
    tokio::time::advance(25 * HOUR).await;
    set_clock(&mut cell, 25);
    cell.drop_expired();
    let restarted = restarted(&restarted(&cell));
    assert_eq!(controls(&restarted), 0);
    let no_report = FetchResult::Report(ListAnswer::Other(fetched(None, false)));
    for emptied in [catalogue(&[], false), no_report] {
        let error = apply(&restarted, emptied).unwrap_err();
        assert_eq!(error.reason(), Reason::Emptied);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_retried_after_a_restart_or_reload_with_its_reason_and_count() {
    let cell = cell();
    apply(&cell, catalogue(&["A"], false)).unwrap();
    apply(&cell, score(report(5.0))).unwrap();
    let mut update = cell.update();
    let failed = Err(GraphError::partial(Subject::Catalogue));
    for _ in 0..3 {
        update.record_outcome(Api::Profiles, &failed, Traffic::default(), HOUR);
    }
    update.record_outcome(Api::Scores, &Ok(()), Traffic::default(), HOUR);
    update.publish();
    assert_eq!(due_in(&cell), [Some(60), Some(60)]);
    assert!(cell.is_failing());

    let before = published(&cell).health.clone();
    let restarted = restarted(&cell);
    let mut after = published(&restarted).health.clone();
    assert_eq!(due_in(&restarted), [None, Some(60)]);
    let now = Some(Timestamp::from_seconds(1_000));
    assert_eq!(after.profiles.next_refresh, now, "it is due");
    after.profiles.next_refresh = before.profiles.next_refresh;
    assert_eq!(after, before, "nothing else differs");

    cell.retry_failed();
    assert_eq!(due_in(&cell), [None, Some(60)]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_microsoft_asked_for_is_kept_for_both_lists() {
    let cell = cell();
    let mut update = cell.update();
    let failed = Err(GraphError::partial(Subject::Report));
    update.record_outcome(Api::Scores, &failed, Traffic::default(), HOUR);
    update.postpone(Api::Profiles, 2 * HOUR / 3);
    update.publish();
    let restarted = restarted(&cell);
    assert_eq!(due_in(&restarted), [Some(40), Some(40)]);
    cell.retry_failed();
    assert_eq!(due_in(&cell), [Some(40), Some(40)]);
    let due = Some(Timestamp::from_seconds(1_000 + 40 * 60));
    assert_eq!(published(&restarted).health.scores.next_refresh, due);
    tokio::time::advance(HOUR).await;
    assert_eq!(due_in(&restarted), [None, None]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_ahead_leaves_no_time_in_the_future_and_no_long_wait() {
    let mut cell = cell();
    set_clock(&mut cell, 20 * 365 * 24);
    apply(&cell, catalogue(&["A"], false)).unwrap();
    let record = |cell: &TenantCell, outcome| {
        let mut update = cell.update();
        update.record_outcome(Api::Profiles, &outcome, Traffic::default(), HOUR);
        update.publish();
    };
    record(&cell, Ok(()));
    set_clock(&mut cell, 0);
    let before = restarted(&cell);
    assert_eq!(due_in(&before), [Some(15), None], "the interval");
    let health = &published(&before).health.profiles;
    let now = Timestamp::from_seconds(10 * DAY);
    assert_eq!(health.last_success, Some(now));
    assert_eq!(health.next_refresh, Some(now.plus(HOUR / 4)));

    // The data's age counts from the first restart with the right clock.
    record(&before, Err(GraphError::partial(Subject::Catalogue)));
    let mut before = before;
    set_clock(&mut before, 25);
    assert_eq!(controls(&restarted(&before)), 0);
}

#[tokio::test]
async fn an_empty_catalogue_after_a_restart_with_expired_data_removes_nothing() {
    let cell = cell();
    apply(&cell, accepted(false)).unwrap();
    let at = Timestamp::from_seconds(-DAY);
    cell.data.lock().catalogue.current_mut().unwrap().at = at;
    let restarted = restarted(&cell);
    assert_eq!(controls(&restarted), 0);
    let error = apply(&restarted, catalogue(&[], false)).unwrap_err();
    assert_eq!(error.reason(), Reason::Emptied);
    assert_eq!(emitted(&restarted), ["state_changed"]);
}

#[tokio::test]
async fn a_failure_is_reported_with_its_reason_until_a_success() {
    let cell = cell();
    let record = |outcome| record(&cell, outcome).health.profiles.clone();
    let health = record(Err(GraphError::emptied(Subject::Catalogue)));
    assert!(!health.up);
    assert_eq!(health.failures.get(&Reason::Emptied), Some(&1));
    assert_eq!(health.trouble.map(|t| t.reason), Some(Reason::Emptied));
    assert_eq!(health.next_refresh, Some(Timestamp::from_seconds(4_600)));

    let health = record(Ok(()));
    assert!(health.up && health.trouble.is_none());
    assert_eq!(health.refreshes, 2);
    assert_eq!(health.last_success, Some(Timestamp::from_seconds(1_000)));
}

/// What `not_due_for` gives for each list, in minutes.
fn due_in(cell: &TenantCell) -> [Option<u64>; 2] {
    Api::SECURE_SCORE.map(|api| Some(cell.not_due_for(api)?.as_secs() / 60))
}
