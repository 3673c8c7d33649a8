//! Reports and scores that are older or newer than the last.

use super::*;
use crate::logged::{log_of, only_line};
use secure_score_model::Reason;

#[tokio::test]
async fn the_last_score_of_an_earlier_day_is_remembered() {
    let cell = cell();
    apply(&cell, catalogue(&["A"], false)).unwrap();
    let previous = |day: Option<i64>, points| {
        let report = Report {
            as_of: day.map(|day| Timestamp::from_seconds(day * 86_400)),
            max_score: Points::new(10.0),
            ..report(points)
        };
        apply(&cell, score(report)).unwrap();
        let snapshot = &published(&cell).snapshot;
        let as_of = snapshot.report.as_ref().and_then(|it| it.as_of);
        let previous = as_of.and_then(|it| snapshot.score_history.before(it));
        previous.map(|it| (it.as_of.as_seconds(), it.score.get()))
    };
    assert_eq!(previous(Some(1), 4.0), None);
    assert_eq!(previous(Some(1), 5.0), None, "the same day, corrected");
    assert_eq!(previous(Some(2), 6.0), Some((86_400.0, 5.0)));
    assert_eq!(previous(Some(2), 7.0), Some((86_400.0, 5.0)));
    assert_eq!(previous(Some(1), 5.0), Some((86_400.0, 5.0)));
    assert_eq!(previous(None, 8.0), Some((86_400.0, 5.0)));
}

#[tokio::test(start_paused = true)]
async fn an_older_report_replaces_no_newer_one_unless_microsoft_withdrew_it() {
    let mut cell = cell();
    set_clock(&mut cell, 0);
    apply(&cell, catalogue(&["A"], false)).unwrap();
    apply(&cell, of_day(9)).unwrap();
    apply(&cell, of_day(8)).unwrap();
    apply(&cell, score(report(5.0))).unwrap();
    assert_eq!(shown_day(&cell), (Some(9), 2), "one has no day");
    apply(&cell, of_day(10)).unwrap();
    assert_eq!(shown_day(&cell), (Some(10), 2));

    set_clock(&mut cell, 10);
    apply(&cell, of_day(9)).unwrap();
    assert_eq!(shown_day(&cell), (Some(10), 3));
    set_clock(&mut cell, 30);
    let mut restarted = restarted(&cell);
    assert_eq!(shown_day(&restarted), (None, 0), "it expired at 24 hours");
    apply(&restarted, of_day(9)).unwrap();
    assert_eq!(shown_day(&restarted), (None, 1));
    set_clock(&mut restarted, 34);
    apply(&restarted, of_day(9)).unwrap();
    assert_eq!(shown_day(&restarted), (Some(9), 1), "a day of older ones");
}

#[tokio::test]
async fn an_older_report_is_logged_with_both_days() {
    let text = log_of(|| {
        let mut cell = cell();
        set_clock(&mut cell, 0);
        for day in [8, 9, 9, 8] {
            apply(&cell, of_day(day)).unwrap();
        }
    });
    let message = "Graph sent an older report than before; it is not used";
    let line = only_line(&text, message);
    for part in ["INFO", "tenant=contoso", "newest=777600", "received=691200"] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[tokio::test]
async fn a_report_of_the_future_is_refused_and_hides_no_other_one() {
    let mut cell = cell();
    set_clock(&mut cell, 0);
    apply(&cell, catalogue(&["A"], false)).unwrap();
    apply(&cell, of_day(12)).unwrap();
    let error = apply(&cell, of_day(13)).unwrap_err();
    assert_eq!(error.reason(), Reason::Malformed);
    let message = "the score report is of 1970-01-14, which is in the future";
    assert_eq!(error.to_string(), message);
    assert!(error.hint().contains("clock"));
    assert_eq!(shown_day(&cell), (Some(12), 0));

    // A clock that was ahead, and is right again.
    set_clock(&mut cell, 20 * 365 * 24);
    apply(&cell, of_day(7_000)).unwrap();
    set_clock(&mut cell, 1);
    let restarted = restarted(&cell);
    for cell in [cell, restarted] {
        apply(&cell, of_day(10)).unwrap();
        assert_eq!(shown_day(&cell), (Some(10), 0));
    }
}

#[tokio::test]
async fn an_older_identity_score_replaces_no_newer_one() {
    let cell = cell();
    apply(&cell, catalogue(&["A"], false)).unwrap();
    let shown = |day: Option<i64>, points| {
        let score = IdentityScore {
            as_of: day.map(Timestamp::from_seconds),
            score: Points::new(points),
            ..IdentityScore::default()
        };
        let fetched = FetchResult::IdentityScore(fetched(Some(score), false));
        let outcome = apply(&cell, fetched).map_err(|error| error.reason());
        let score = published(&cell).snapshot.identity_score.clone();
        (outcome, score.and_then(|it| it.score).map(Points::get))
    };
    assert_eq!(shown(Some(500), 5.0), (Ok(()), Some(5.0)));
    assert_eq!(shown(Some(400), 4.0), (Ok(()), Some(5.0)));
    assert_eq!(shown(None, 3.0), (Ok(()), Some(5.0)));
    assert_eq!(shown(Some(600), 6.0), (Ok(()), Some(6.0)));
    let future = shown(Some(10 * DAY), 7.0);
    assert_eq!(future, (Err(Reason::Malformed), Some(6.0)));
    let none = FetchResult::IdentityScore(fetched(None, false));
    let error = apply(&cell, none).unwrap_err();
    assert_eq!(error.reason(), Reason::Emptied);
}

/// The day of the report that is shown, and how many were older.
fn shown_day(cell: &TenantCell) -> (Option<i64>, u64) {
    let state = published(cell);
    let day = state.snapshot.report.as_ref().and_then(|it| it.as_of);
    let day = day.map(|it| it.as_seconds() as i64 / DAY);
    (day, state.health.older_reports)
}
