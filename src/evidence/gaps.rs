//! What the evidence does not know, in sentences.

use super::Period;
use crate::serde_time::{Day, Rfc3339};
use crate::store::TenantState;
use secure_score_model::{Api, Persons, RefreshHealth, Timestamp};

const DAY_NANOS: i64 = 24 * 60 * 60 * 1_000_000_000;

/// Each gap of a tenant's data in a period; empty where all is known.
pub(super) fn gaps(
    state: &TenantState,
    period: &Period,
    persons: &Persons,
    now: Timestamp,
) -> Vec<String> {
    let mut gaps = Vec::new();
    controls(state, period, now, &mut gaps);
    recommendations(state, period, now, &mut gaps);
    scores(state, period, now, &mut gaps);
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
    if state.snapshot.catalogue_anomalies.is_none() {
        gaps.push("The controls and their states are not known: every decision in Secure Score is missing.".to_owned());
        return;
    }
    not_read_since(
        "The states of controls",
        state.health.of(Api::Profiles),
        period,
        now,
        gaps,
    );
    match state.snapshot.unknown_states() {
        0 => {}
        unknown => gaps.push(format!(
            "The state of {unknown} controls cannot be read; a risk may be accepted there."
        )),
    }
    gaps.push("Microsoft keeps the history of a control's states; changes that it no longer lists are missing.".to_owned());
}

fn recommendations(state: &TenantState, period: &Period, now: Timestamp, gaps: &mut Vec<String>) {
    if state.snapshot.recommendation_anomalies.is_none() {
        gaps.push(
            "Entra's recommendations are not read: what was decided there is missing.".to_owned(),
        );
        return;
    }
    not_read_since(
        "Entra's recommendations",
        state.health.of(Api::Recommendations),
        period,
        now,
        gaps,
    );
    gaps.push("Entra keeps no history of recommendations: what changed before the exporter watched, between two refreshes or while it did not run is missing.".to_owned());
}

/// A list that was last read before the end of the period.
fn not_read_since(
    what: &str,
    health: &RefreshHealth,
    period: &Period,
    now: Timestamp,
    gaps: &mut Vec<String>,
) {
    let end = period.end_or(now);
    let Some(last) = health.last_success.filter(|last| *last < end) else {
        return;
    };
    // A refresh that is not due yet is no gap.
    let is_late = !health.up || period.end <= now;
    if is_late {
        gaps.push(format!(
            "{what} were last read at {}; later changes are missing.",
            Rfc3339(last)
        ));
    }
}

fn scores(state: &TenantState, period: &Period, now: Timestamp, gaps: &mut Vec<String>) {
    let end = period.end_or(now);
    let days = state.snapshot.score_history.days().iter();
    let days: Vec<i64> = days
        .filter(|it| period.contains(it.as_of))
        .map(|it| it.as_of.nanos().div_euclid(DAY_NANOS))
        .collect();
    let first = period.from.nanos().div_euclid(DAY_NANOS);
    // Microsoft computes the score of a day on the next one.
    let last = (end.nanos() - 1).div_euclid(DAY_NANOS) - i64::from(end == now);
    let mut missing = Vec::new();
    let mut expected = first;
    for day in days.into_iter().chain([last + 1]) {
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
    let day = |it: i64| Day::beginning(Timestamp::from_nanos(it.saturating_mul(DAY_NANOS)));
    match first == last {
        true => day(first).to_string(),
        false => format!("{} to {}", day(first), day(last)),
    }
}
