//! `--check`: which samples a Prometheus lacks, and which differ from Graph's
//! history.

use super::reader::HistoryReader;
use super::series::{Series, TenantSeries};
use super::window::Window;
use crate::cli::Label;
use crate::commands::Failure;
use crate::commands::stdout::{line, tenants};
use crate::serde_time::Rfc3339;
use crate::text::count;
use crate::tsdb::{QueriedSeries, Server, ServerError};
use secure_score_exposition::{FAMILIES, Family, PastSource, is_past_label, write_label};
use secure_score_model::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// Four times a day are compared, none of them midnight, when reports change.
const EVERY: i64 = 6 * 60 * 60;
const AFTER_MIDNIGHT: i64 = 3 * 60 * 60;

/// Prometheus' lookback for instant queries.
const LOOKBACK: i64 = 5 * 60;

/// How late a scrape can see a report. A report appears hours after the
/// midnight it is dated with, at times a day later.
const LATE_REPORT: [i64; 2] = [24 * 60 * 60, 48 * 60 * 60];

/// How late a scrape can see a change of state: it appears with the next
/// refresh.
const LATE_STATE: [i64; 2] = [15 * 60, 60 * 60];

/// How many differing values are printed; the others are counted.
const PRINTED: usize = 10;

/// Compares tenant after tenant and prints the results: how many are equal, then those,
/// then the others. A missing or differing sample is a failure.
pub(super) async fn run(server: &Server, reader: &mut HistoryReader<'_>) -> Result<(), Failure> {
    let mut compared = Vec::new();
    while let Some(history) = reader.next().await? {
        let labels = &reader.flags.labels;
        match compare(server, &history.series, labels, reader.window).await {
            Ok(comparison) => {
                compared.push((comparison, history.series.alias, history.gaps));
            }
            Err(error) => {
                reader.summary.server_failed(&history, error, "compared");
                break;
            }
        }
    }
    reader.summary.hide_progress();
    // The order of the tenants stays.
    compared.sort_by_key(|(comparison, ..)| !comparison.is_equal());
    let equal = compared.iter().filter(|(it, ..)| it.is_equal()).count();
    line(format_args!(
        "{} compared, {equal} of them without a difference",
        tenants(compared.len())
    ))?;
    for (comparison, alias, gaps) in &compared {
        print(alias, comparison, gaps)?;
    }
    reader.summary.conclude(0)?;
    match equal == compared.len() {
        true => Ok(()),
        false => Err(Failure::Found),
    }
}

fn print(alias: &str, comparison: &Comparison, without_report: &[String]) -> Result<(), Failure> {
    line(format_args!(
        "{alias}: {} compared, {} missing, {} different",
        count(comparison.compared, "value"),
        comparison.missing,
        comparison.differing
    ))?;
    for gap in comparison.gaps() {
        line(format_args!(
            "  missing    {} to {}: {} series, such as {}",
            time_of(gap.first),
            time_of(gap.last),
            gap.series,
            gap.example
        ))?;
    }
    for example in &comparison.examples {
        line(format_args!("  different  {example}"))?;
    }
    let more = comparison
        .differing
        .saturating_sub(comparison.examples.len() as u64);
    if more > 0 {
        line(format_args!("  different  and {more} more"))?;
    }
    if !without_report.is_empty() {
        line(format_args!(
            "  Graph has no report of {}",
            without_report.join(" ")
        ))?;
    }
    Ok(())
}

/// The comparison of one tenant.
#[derive(Default)]
struct Comparison {
    compared: u64,
    missing: u64,
    differing: u64,
    /// The times at which series are missing: how many, and one of them.
    holes: BTreeMap<i64, (u64, String)>,
    /// Some differing values.
    examples: Vec<String>,
}

impl Comparison {
    const fn is_equal(&self) -> bool {
        self.missing == 0 && self.differing == 0
    }

    /// The intervals in which series are missing.
    fn gaps(&self) -> Vec<Gap<'_>> {
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

    fn compare(
        &mut self,
        (series, alias): (&Series, &str),
        stored: &Stored,
        (time, window): (i64, Window),
    ) {
        let written = window.step_before(time);
        let Some(expected) = series.at(written).filter(|_| written >= window.from) else {
            return;
        };
        self.compared += 1;
        let found = stored.at((series, alias), time);
        let Some(nearest) = found.first() else {
            self.missing += 1;
            let hole = self.holes.entry(time).or_default();
            hole.0 += 1;
            if hole.1.is_empty() {
                hole.1 = series.name(alias);
            }
            return;
        };
        let late = match series.family.past {
            Some(PastSource::States) => LATE_STATE,
            _ => LATE_REPORT,
        };
        let earlier = late.iter().filter_map(|late| series.at(written - late));
        let mut possible = std::iter::once(expected).chain(earlier);
        if possible.any(|value| found.iter().any(|found| alike(*found, value))) {
            return;
        }
        self.differing += 1;
        if self.examples.len() < PRINTED {
            self.examples.push(format!(
                "{} at {}: {nearest} instead of {expected}",
                series.name(alias),
                time_of(time)
            ));
        }
    }
}

/// An interval in which series are missing.
struct Gap<'a> {
    first: i64,
    last: i64,
    /// The most missing series at one time.
    series: u64,
    /// One of them.
    example: &'a str,
}

/// Compares a tenant's series with the server's.
async fn compare(
    server: &Server,
    tenant: &TenantSeries,
    labels: &[Label],
    window: Window,
) -> Result<Comparison, ServerError> {
    let mut comparison = Comparison::default();
    let times = times(window);
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Ok(comparison);
    };
    for family in FAMILIES.iter().filter(|it| !tenant.of(it).is_empty()) {
        let promql = promql(family, &tenant.alias, labels, window);
        let stored = Stored::new(server.query(&promql, *first..=*last, EVERY).await?);
        for series in tenant.of(family) {
            let series = (series, &*tenant.alias);
            for at in &times {
                comparison.compare(series, &stored, (*at, window));
            }
        }
    }
    Ok(comparison)
}

/// A second as text.
fn time_of(second: i64) -> Rfc3339 {
    Rfc3339(Timestamp::from_seconds(second))
}

fn times(window: Window) -> Vec<i64> {
    let first = window.from + (AFTER_MIDNIGHT - window.from).rem_euclid(EVERY);
    let times = std::iter::successors(Some(first), |at| Some(at + EVERY));
    times.take_while(|at| *at < window.to).collect()
}

/// Selects the newest sample within Prometheus' lookback, or within the step
/// where that is longer.
fn promql(family: &Family, alias: &str, labels: &[Label], window: Window) -> String {
    let mut matchers = Vec::new();
    for (name, value) in labels {
        write_label(name, value, &mut matchers);
    }
    let matchers = String::from_utf8_lossy(&matchers);
    let range = window.step.max(LOOKBACK);
    let name = family.name;
    format!("last_over_time({name}{{tenant=\"{alias}\"{matchers}}}[{range}s])")
}

/// Labels in order of their names.
type Labels = Vec<(String, String)>;

/// Times and values in order.
type Values = Vec<(i64, f64)>;

/// The server's samples, by the labels that the exporter sets.
struct Stored(HashMap<Labels, Vec<Values>>);

impl Stored {
    fn new(answers: Vec<QueriedSeries>) -> Self {
        let mut stored: HashMap<_, Vec<_>> = HashMap::new();
        for answer in answers {
            let own = answer.labels.into_iter();
            let own = own.filter(|(name, _)| is_past_label(name));
            stored.entry(own.collect()).or_default().push(answer.values);
        }
        Self(stored)
    }

    /// The values at a time: several where several exporters were scraped.
    fn at(&self, (series, alias): (&Series, &str), time: i64) -> Vec<f64> {
        let mut key = series.labels(alias, &[]);
        key.retain(|(name, _)| name != "__name__");
        key.sort();
        let all = self.0.get(&key).into_iter().flatten();
        all.filter_map(|values| {
            let place = values.binary_search_by_key(&time, |(at, _)| *at).ok()?;
            values.get(place).map(|(_, value)| *value)
        })
        .collect()
    }
}

fn alike(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}
