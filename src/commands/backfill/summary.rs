//! The result of a backfill, printed at its end.

use super::history::TenantHistory;
use super::openmetrics::OutputSize;
use crate::commands::Failure;
use crate::commands::stdout::{line, progress_bar, tenants};
use crate::diagnostics;
use crate::graph::GraphError;
use crate::tsdb::ServerError;
use indicatif::{HumanBytes, HumanCount, ProgressBar};

/// The most days without a report that are named; the others are counted.
const GAPS_NAMED: usize = 5;

/// Counts what was read and written.
pub(super) struct Summary {
    bar: ProgressBar,
    read: usize,
    failed: usize,
    days: usize,
    gaps: usize,
    /// What this run wrote or sent.
    pub(super) written: OutputSize,
    /// The output as a whole, with the files of earlier runs.
    pub(super) all: OutputSize,
    pub(super) files: usize,
}

impl Summary {
    /// A summary of this many tenants.
    pub(super) fn new(tenants: usize) -> Self {
        Self {
            bar: progress_bar(tenants),
            read: 0,
            failed: 0,
            days: 0,
            gaps: 0,
            written: OutputSize::default(),
            all: OutputSize::default(),
            files: 0,
        }
    }

    /// Counts a tenant and returns its history where it was read.
    pub(super) fn tenant(
        &mut self,
        alias: &str,
        history: Result<TenantHistory, GraphError>,
    ) -> Option<TenantHistory> {
        self.bar.inc(1);
        let history = match history {
            Ok(history) => history,
            Err(error) => {
                let hint = error.command_hint();
                self.failed(alias, error.into(), Some(&hint));
                return None;
            }
        };
        self.read += 1;
        self.days += history.days;
        self.gaps += history.gaps.len();
        self.bar.suspend(|| warnings(alias, &history));
        Some(history)
    }

    fn failed(&mut self, alias: &str, error: anyhow::Error, hint: Option<&str>) {
        self.failed += 1;
        let error = error.context(alias.to_owned());
        self.bar
            .suspend(|| diagnostics::error(error.as_ref(), hint));
    }

    /// Counts a tenant as failed that was read, but neither sent nor compared.
    pub(super) fn not_sent(&mut self, history: &TenantHistory, error: ServerError) {
        self.read = self.read.saturating_sub(1);
        let hint = error.hint();
        self.failed(&history.series.alias, error.into(), hint);
    }

    /// Prints the counts.
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

    /// The exit status: which tenants failed, if any.
    pub(super) fn conclude(&self, kept: usize) -> Result<(), Failure> {
        match (self.failed, self.read + kept) {
            (0, _) => Ok(()),
            (_, 0) => Err(Failure::Found),
            _ => Err(Failure::Partly),
        }
    }
}

/// Logs what is missing in a tenant's history.
fn warnings(alias: &str, history: &TenantHistory) {
    if history.days == 0 {
        tracing::warn!(tenant = alias, "Graph has no report of these days");
    }
    if history.partial {
        tracing::warn!(
            tenant = alias,
            "Graph's answer is not complete, or not all of it can be read; some of the history may be missing"
        );
    }
    if history.undated > 0 {
        tracing::warn!(
            tenant = alias,
            reports = history.undated,
            "reports without a day, or of a day to come, are left out"
        );
    }
    if history.skipped > 0 {
        tracing::warn!(
            tenant = alias,
            things = history.skipped,
            "things in reports that could not be read or believed are left out"
        );
    }
    if !history.gaps.is_empty() {
        let named = history.gaps.get(..GAPS_NAMED).unwrap_or(&history.gaps);
        tracing::info!(
            tenant = alias,
            days = history.gaps.len(),
            first = named.join(" "),
            "days without a report stay empty"
        );
    }
}
