//! When what was fetched is rendered and published.

use super::*;
use secure_score_model::TenantSnapshot;

#[tokio::test]
async fn a_report_is_published_once_the_catalogue_was_requested() {
    let cell = cell();
    apply(&cell, score(report(5.0))).unwrap();
    assert!(published(&cell).snapshot.report.is_none());
    let failed = record(&cell, Err(GraphError::partial(Subject::Catalogue)));
    assert!(failed.snapshot.report.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_first_catalogue_and_report_are_rendered_together_or_after_a_second() {
    let error = || GraphError::internal(Subject::Report);
    let rendered = |cell: &TenantCell| cell.data.lock().rendered.clone();
    for late in [Ok(score(report(5.0))), Err(error())] {
        let cell = cell();
        cell.request_first_lists();
        let first = refreshed(&cell, Api::Profiles, Ok(accepted(false)));
        assert_eq!(first, [false; 2]);
        assert!(rendered(&cell).is_none() && emitted(&cell).is_empty());
        let has_report = late.is_ok();
        assert_eq!(refreshed(&cell, Api::Scores, late), [true, has_report]);
        assert_eq!(emitted(&cell), ["state_changed"]);
        assert!(cell.data.lock().requested_lists.wait_ends().is_none());
    }

    let cell = cell();
    cell.request_first_lists();
    refreshed(&cell, Api::Profiles, Ok(accepted(false)));
    let began = Instant::now();
    cell.render_late().await;
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    assert_eq!(emitted(&cell), ["state_changed"]);
    assert_eq!(
        refreshed(&cell, Api::Scores, Ok(score(report(5.0)))),
        [true; 2]
    );
    assert_eq!(emitted(&cell), ["state_changed"]);
}

#[tokio::test(start_paused = true)]
async fn a_later_refresh_waits_for_no_other_list() {
    let cell = cell();
    cell.request_first_lists();
    refreshed(&cell, Api::Scores, Ok(score(report(5.0))));
    refreshed(&cell, Api::Profiles, Ok(catalogue(&["A", "B"], false)));
    let before = published(&cell);
    apply(&cell, accepted(false)).unwrap();
    let after = cell.context.store.current();
    let after = after.find("contoso").unwrap();
    assert!(!Arc::ptr_eq(&before.snapshot, &after.snapshot));
    assert_eq!(emitted(&cell), ["state_changed"]);
    for cell in [restarted(&cell), cell] {
        cell.request_first_lists();
        assert!(!cell.data.lock().requested_lists.are_awaited());
    }
}

#[tokio::test(start_paused = true)]
async fn lists_that_are_requested_at_the_same_time_are_rendered_together() {
    let cell = cell();
    refreshed(&cell, Api::Profiles, Ok(catalogue(&["A", "B"], false)));
    refreshed(&cell, Api::Scores, Ok(score(report(5.0))));
    let snapshot = |cell: &TenantCell| Arc::clone(&published(cell).snapshot);
    let points = |it: &TenantSnapshot| it.report.as_ref().unwrap().current_score;
    let before = snapshot(&cell);
    cell.begin(Api::Profiles);
    cell.begin(Api::Scores);
    refreshed(&cell, Api::Profiles, Ok(accepted(false)));
    assert!(Arc::ptr_eq(&before, &snapshot(&cell)), "it waits");
    refreshed(&cell, Api::Scores, Ok(score(report(6.0))));
    let after = snapshot(&cell);
    assert_eq!(emitted(&cell), ["state_changed"]);
    assert_eq!(points(&after), Points::new(6.0));

    cell.begin(Api::Recommendations);
    cell.begin(Api::Profiles);
    refreshed(&cell, Api::Profiles, Ok(catalogue(&["A"], false)));
    let alone = snapshot(&cell);
    assert!(!Arc::ptr_eq(&after, &alone), "it waits for none of Entra");

    cell.begin(Api::Scores);
    cell.begin(Api::Profiles);
    refreshed(&cell, Api::Profiles, Ok(accepted(false)));
    let began = Instant::now();
    cell.render_late().await;
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    assert!(!Arc::ptr_eq(&alone, &snapshot(&cell)));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_waits_for_another_is_rendered_when_that_is_given_up() {
    let waiting = || {
        let cell = cell();
        cell.begin(Api::Scores);
        refreshed(&cell, Api::Profiles, Ok(accepted(false)));
        assert!(emitted(&cell).is_empty());
        cell
    };
    let reloaded = waiting();
    let settings = Arc::clone(&reloaded.data.lock().settings);
    reloaded.reconfigure(settings);
    assert_eq!(emitted(&reloaded), ["state_changed"]);

    let postponed = waiting();
    let mut update = postponed.update();
    update.postpone(Api::Scores, HOUR);
    update.publish();
    assert_eq!(emitted(&postponed), ["state_changed"]);

    let refused = waiting();
    refused.refuse("fabrikam");
    assert!(!refused.data.lock().requested_lists.are_awaited());
}

#[tokio::test(start_paused = true)]
async fn expired_data_is_dropped_and_returns_with_the_next_success() {
    let cell = cell();
    apply(&cell, catalogue(&["A"], false)).unwrap();
    tokio::time::advance(12 * HOUR).await;
    apply(&cell, score(report(5.0))).unwrap();

    tokio::time::advance(12 * HOUR - Duration::from_secs(1)).await;
    cell.drop_expired();
    assert_eq!(controls(&cell), 1);

    tokio::time::advance(Duration::from_secs(1)).await;
    cell.drop_expired();
    assert_eq!(controls(&cell), 0, "the catalogue is a day old");
    let report = &published(&cell).snapshot.report;
    assert!(report.is_some(), "the report is half a day old");

    apply(&cell, catalogue(&["A"], false)).unwrap();
    assert_eq!(controls(&cell), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_list_is_fresh_and_is_not_rendered_again() {
    let cell = cell();
    apply(&cell, catalogue(&["A"], false)).unwrap();
    let before = published(&cell);
    tokio::time::advance(20 * HOUR).await;
    apply(&cell, catalogue(&["A"], false)).unwrap();
    tokio::time::advance(20 * HOUR).await;
    cell.drop_expired();
    assert!(Arc::ptr_eq(&before.snapshot, &published(&cell).snapshot));
}

#[tokio::test]
async fn an_update_that_is_not_published_changes_nothing() {
    let cell = cell();
    apply(&cell, catalogue(&["A", "B"], false)).unwrap();
    let mut update = cell.update();
    update.apply(accepted(false)).unwrap();
    drop(update);
    assert_eq!(emitted(&cell).len(), 0);
    apply(&cell, accepted(false)).unwrap();
    assert_eq!(emitted(&cell), ["state_changed"]);
}

#[tokio::test]
async fn a_stopped_cell_publishes_and_emits_nothing() {
    let cell = cell();
    cell.stop_publishing();
    apply(&cell, accepted(false)).unwrap();
    assert!(cell.context.store.current().find("contoso").is_none());
    assert_eq!(emitted(&cell).len(), 0);
}
