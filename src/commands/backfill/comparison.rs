//! What a Prometheus holds, held against Graph's history.

use super::curve::{Curve, Curves};
use super::window::Window;
use crate::cli::Label;
use crate::tsdb::{Answer, Question, Server, ServerError};
use secure_score_exposition::{
    PastFamily, Source, escape, past_families, past_labels, series_labels,
};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// Four moments a day are compared, none at midnight, when reports change.
const EVERY: i64 = 6 * 60 * 60;
const AFTER_MIDNIGHT: i64 = 3 * 60 * 60;

/// Prometheus finds nothing in a graph that is older than this.
const LOOKBACK: i64 = 5 * 60;

/// How late a scrape saw what Graph dates earlier. A report appears hours
/// after the midnight it is dated with, at times a day later.
const LATE: [i64; 2] = [24 * 60 * 60, 48 * 60 * 60];

/// A change of state appears with the next refresh, a quarter of an hour or,
/// with patience, some hours later.
const LATE_STATE: [i64; 2] = [15 * 60, 60 * 60];

/// How many values that differ are told; the others are counted.
const TOLD: usize = 10;

/// What was found of one tenant.
#[derive(Debug, Default)]
pub(super) struct Finding {
    pub(super) compared: u64,
    pub(super) missing: u64,
    pub(super) differing: u64,
    /// The moments at which series are missing: how many, and one of them.
    holes: BTreeMap<i64, (u64, String)>,
    /// Some values that differ.
    pub(super) examples: Vec<String>,
}

impl Finding {
    /// Stretches of time in which something is missing: first and last moment,
    /// the most series at once, and one of them.
    pub(super) fn gaps(&self) -> Vec<Gap<'_>> {
        let mut gaps: Vec<Gap<'_>> = Vec::new();
        for (at, (series, example)) in &self.holes {
            match gaps.last_mut() {
                Some(gap) if at - gap.last <= EVERY => {
                    gap.last = *at;
                    gap.series = gap.series.max(*series);
                }
                _ => gaps.push(Gap {
                    first: *at,
                    last: *at,
                    series: *series,
                    example,
                }),
            }
        }
        gaps
    }
}

/// A stretch of time in which something is missing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gap<'a> {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) series: u64,
    pub(super) example: &'a str,
}

/// Compares a tenant's curves with what the server holds.
pub(super) async fn compare(
    server: &Server,
    alias: &str,
    curves: &Curves,
    (labels, window): (&[Label], Window),
) -> Result<Finding, ServerError> {
    let mut finding = Finding::default();
    let moments = moments(window);
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
        return Ok(finding);
    };
    for family in past_families().filter(|it| !curves.of(*it).is_empty()) {
        let question = Question {
            promql: promql(family, alias, labels, window),
            start: *first,
            end: *last,
            step: EVERY,
        };
        let held = Held::new(server.query(&question).await?);
        for curve in curves.of(family) {
            for at in &moments {
                finding.look(family, curve, &held, (*at, window));
            }
        }
    }
    Ok(finding)
}

fn moments(window: Window) -> Vec<i64> {
    let first = window.from + (AFTER_MIDNIGHT - window.from).rem_euclid(EVERY);
    let moments = std::iter::successors(Some(first), |at| Some(at + EVERY));
    moments.take_while(|at| *at < window.to).collect()
}

/// Asks for the newest sample within what a graph sees, or within the step
/// where that is longer.
fn promql(family: PastFamily, alias: &str, labels: &[Label], window: Window) -> String {
    let mut matchers = format!("tenant=\"{alias}\"");
    for label in labels {
        let mut value = Vec::new();
        escape(&label.value, &mut value);
        let value = String::from_utf8_lossy(&value);
        // Writing to a string cannot fail.
        let _written = write!(matchers, ",{}=\"{value}\"", label.name);
    }
    let seen = window.step().max(LOOKBACK);
    format!("last_over_time({}{{{matchers}}}[{seen}s])", family.name())
}

/// Labels, in order of their names.
type Labels = Vec<(String, String)>;

/// Moments and values, in order.
type Values = Vec<(i64, f64)>;

/// What the server holds, by the labels that are the exporter's own.
struct Held(HashMap<Labels, Vec<Values>>);

impl Held {
    fn new(answers: Vec<Answer>) -> Self {
        let mut held: HashMap<_, Vec<_>> = HashMap::new();
        for answer in answers {
            let own = answer.labels.into_iter();
            let own = own.filter(|(name, _)| past_labels().any(|it| it == name));
            held.entry(own.collect()).or_default().push(answer.values);
        }
        Self(held)
    }

    /// The values at a moment: several where several exporters were scraped.
    fn at(&self, curve: &Curve, moment: i64) -> Vec<f64> {
        let mut key = series_labels(&curve.series);
        key.retain(|(name, _)| name != "__name__");
        key.sort();
        let all = self.0.get(&key).into_iter().flatten();
        all.filter_map(|values| {
            let place = values.binary_search_by_key(&moment, |(at, _)| *at).ok()?;
            values.get(place).map(|(_, value)| *value)
        })
        .collect()
    }
}

impl Finding {
    fn look(
        &mut self,
        family: PastFamily,
        curve: &Curve,
        held: &Held,
        (moment, window): (i64, Window),
    ) {
        let written = window.moment_before(moment);
        let Some(expected) = curve.at(written).filter(|_| written >= window.from) else {
            return;
        };
        self.compared += 1;
        let found = held.at(curve, moment);
        let Some(nearest) = found.first() else {
            self.missing += 1;
            let hole = self.holes.entry(moment).or_default();
            hole.0 += 1;
            if hole.1.is_empty() {
                hole.1 = curve.series.to_string();
            }
            return;
        };
        let late = match family.source {
            Source::Reports => LATE,
            Source::States => LATE_STATE,
        };
        let earlier = late.iter().filter_map(|late| curve.at(written - late));
        let mut possible = std::iter::once(expected).chain(earlier);
        if possible.any(|value| found.iter().any(|found| alike(*found, value))) {
            return;
        }
        self.differing += 1;
        if self.examples.len() < TOLD {
            let at = jiff::Timestamp::from_second(moment).unwrap_or_default();
            self.examples.push(format!(
                "{} at {at}: {nearest} instead of {expected}",
                curve.series
            ));
        }
    }
}

fn alike(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}
