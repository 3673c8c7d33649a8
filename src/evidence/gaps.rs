//! What the evidence does not know, in sentences.

use super::Period;
use crate::serde_time::{Day, Minute};
use crate::store::TenantState;
use crate::text::count;
use secure_score_model::{Api, Control, DailyScore, History, Persons, RefreshHealth, Timestamp};
use std::time::Duration;

/// How late a refresh may be.
const MARGIN: Duration = Duration::from_secs(10 * 60);

/// Each gap of a tenant's data in a period with the scores of these days; empty where all is known.
pub(super) fn gaps(
    state: &TenantState,
    days: &[DailyScore],
    period: &Period,
    persons: &Persons,
    now: Timestamp,
) -> Vec<String> {
    let mut gaps: Vec<String> = period.cut().into_iter().collect();
    controls(state, period, now, &mut gaps);
    recommendations(state, period, now, &mut gaps);
    scores(days, period, now, &mut gaps);
    match persons {
        Persons::Plain => {}
        Persons::Pseudonyms(_) => gaps.push(
            "Persons are shown under pseudonyms and comments are hidden, by the configuration."
                .to_owned(),
        ),
        Persons::Hidden => gaps.push("Persons and comments are not shown.".to_owned()),
    }
    gaps
}

fn controls(state: &TenantState, period: &Period, now: Timestamp, gaps: &mut Vec<String>) {
    if state.lacks_catalogue() {
        gaps.push("The controls and their states are not known: every decision in Secure Score is missing.".to_owned());
        return;
    }
    let health = state.health.of(Api::Profiles);
    not_read_since("The states of controls", health, period, now, gaps);
    let histories = || state.snapshot.controls.iter().filter_map(Control::history);
    let unknown = histories().filter(|it| it.has_unknown()).count();
    if unknown > 0 {
        gaps.push(format!(
            "The history of {} has a state that cannot be read; a decision may be missing there.",
            count(unknown, "control")
        ));
    }
    let undated = histories().flat_map(History::declarations);
    let undated = undated.filter(|it| it.at.is_none()).count();
    if undated > 0 {
        gaps.push(format!(
            "Decisions of an unknown time, which stand under those of before and may be later: {undated}."
        ));
    }
    let unbound = state.snapshot.decisions.iter();
    let unbound = unbound.filter(|it| it.approved_on.is_none()).count();
    if unbound > 0 {
        gaps.push(format!(
            "Approvals of the configuration without a day, which count as given in the whole period: {unbound}."
        ));
    }
    gaps.push("Microsoft keeps the history of a control's states; changes that it no longer lists, and controls that it has removed, are missing.".to_owned());
}

fn recommendations(state: &TenantState, period: &Period, now: Timestamp, gaps: &mut Vec<String>) {
    if state.snapshot.recommendation_anomalies.is_none() {
        gaps.push(
            "Entra's recommendations are not read: what was decided there is missing.".to_owned(),
        );
        return;
    }
    let health = state.health.of(Api::Recommendations);
    not_read_since("Entra's recommendations", health, period, now, gaps);
    gaps.push("Entra keeps no history of recommendations: what changed before the exporter watched, between two refreshes or while it did not run is missing, and so are recommendations that left the list.".to_owned());
}

/// A list that was last read before the end of the period, unless the next refresh
/// is not due yet.
fn not_read_since(
    what: &str,
    health: &RefreshHealth,
    period: &Period,
    now: Timestamp,
    gaps: &mut Vec<String>,
) {
    let Some(last) = health.last_success.filter(|it| *it < period.last_time(now)) else {
        return;
    };
    let is_overdue = health.next_refresh.is_none_or(|at| at.plus(MARGIN) < now);
    if !health.up || period.is_over(now) || is_overdue {
        gaps.push(format!(
            "{what} were last read at {}; later changes are missing.",
            Minute(last)
        ));
    }
}

fn scores(days: &[DailyScore], period: &Period, now: Timestamp, gaps: &mut Vec<String>) {
    let days = days.iter().map(|it| it.as_of.day());
    // Microsoft computes the score of a day in the course of the next one.
    let late = if period.is_over(now) { 0 } else { 2 };
    let last = period.last_time(now).day() - late;
    let mut missing = Vec::new();
    let mut expected = period.from.day();
    for day in days.chain([last + 1]) {
        if expected < day {
            missing.push(range(expected, day - 1));
        }
        expected = day + 1;
    }
    if !missing.is_empty() {
        gaps.push(format!("No score is known of {}.", missing.join(", ")));
    }
}

fn range(first: i64, last: i64) -> String {
    let day = |it| Day::beginning(Timestamp::of_day(it));
    match first == last {
        true => day(first).to_string(),
        false => format!("{} to {}", day(first), day(last)),
    }
}
