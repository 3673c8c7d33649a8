//! What came of it, told at the end.

use super::openmetrics::Written;
use super::past::Past;
use crate::commands::Failure;
use crate::commands::print::{line, tenants};
use crate::diagnostics;
use crate::graph::GraphError;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;

/// So many days without a report are named, and the others counted.
const GAPS_NAMED: usize = 5;

/// What was read and written.
pub(super) struct Summary {
    bar: ProgressBar,
    read: usize,
    failed: usize,
    days: usize,
    gaps: usize,
    /// What this run wrote.
    written: Written,
    /// What the output holds, with what earlier runs wrote.
    pub(super) all: Written,
    pub(super) files: usize,
}

impl Summary {
    /// Nothing yet, of so many tenants.
    pub(super) fn of(tenants: usize) -> Self {
        Self {
            bar: bar(tenants),
            read: 0,
            failed: 0,
            days: 0,
            gaps: 0,
            written: Written::default(),
            all: Written::default(),
            files: 0,
        }
    }

    /// Notes a tenant, and hands on its curves where it could be read.
    pub(super) fn tenant(&mut self, alias: &str, past: Result<Past, GraphError>) -> Option<Past> {
        self.bar.inc(1);
        let past = match past {
            Ok(past) => past,
            Err(error) => {
                self.failed(alias, &error);
                return None;
            }
        };
        self.read += 1;
        self.days += past.days;
        self.gaps += past.gaps.len();
        self.bar.suspend(|| oddities(alias, &past));
        Some(past)
    }

    fn failed(&mut self, alias: &str, error: &GraphError) {
        self.failed += 1;
        let hint = error.hint();
        let error = anyhow::Error::new(error.clone()).context(alias.to_owned());
        self.bar
            .suspend(|| diagnostics::error(error.as_ref(), hint.as_deref()));
    }

    /// Notes that a tenant could not be dealt with after it was read.
    pub(super) fn lost(&mut self, alias: &str, error: anyhow::Error, hint: Option<&str>) {
        self.failed += 1;
        self.read = self.read.saturating_sub(1);
        let error = error.context(alias.to_owned());
        self.bar
            .suspend(|| diagnostics::error(error.as_ref(), hint));
    }

    /// Whether nothing was written.
    pub(super) fn is_idle(&self) -> bool {
        self.written.samples == 0
    }

    /// Notes what was written.
    pub(super) fn add(&mut self, written: Written) {
        self.written.samples += written.samples;
        self.written.bytes += written.bytes;
    }

    /// Tells it.
    pub(super) fn print(&self, kept: usize, verb: &str) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        line(format_args!(
            "{} read: {} daily reports, {} days without one; {} samples, {} {verb}",
            tenants(self.read),
            self.days,
            self.gaps,
            HumanCount(self.written.samples),
            HumanBytes(self.written.bytes),
        ))?;
        match kept {
            0 => Ok(()),
            kept => line(format_args!(
                "{} had a file already; {} samples, {} in all",
                tenants(kept),
                HumanCount(self.all.samples),
                HumanBytes(self.all.bytes),
            )),
        }
    }

    /// The end, by how many tenants could be read.
    pub(super) fn conclude(&self, kept: usize) -> Result<(), Failure> {
        match (self.failed, self.read + kept) {
            (0, _) => Ok(()),
            (_, 0) => Err(Failure::Found),
            _ => Err(Failure::Partly),
        }
    }
}

/// Tells on standard error what is odd about a tenant's past.
fn oddities(alias: &str, past: &Past) {
    if past.days == 0 {
        tracing::warn!(tenant = alias, "Graph has no report of these days");
    }
    if past.partial {
        tracing::warn!(
            tenant = alias,
            "Graph's answer is not complete, or not all of it can be read; some of the past may be missing"
        );
    }
    if past.undated > 0 {
        tracing::warn!(
            tenant = alias,
            reports = past.undated,
            "reports without a day, or of a day to come, are left out"
        );
    }
    if past.skipped > 0 {
        tracing::warn!(
            tenant = alias,
            things = past.skipped,
            "things in reports that could not be read or believed are left out"
        );
    }
    if !past.gaps.is_empty() {
        let named: Vec<&str> = past
            .gaps
            .iter()
            .take(GAPS_NAMED)
            .map(String::as_str)
            .collect();
        tracing::info!(
            tenant = alias,
            days = past.gaps.len(),
            first = named.join(" "),
            "days without a report stay empty"
        );
    }
}

/// On standard error, and only where a person looks at it.
fn bar(tenants: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} tenants, {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(tenants as u64).with_style(style)
}
