//! The result of a backfill, printed at its end.

use super::history::TenantHistory;
use super::openmetrics::OutputSize;
use crate::commands::Failure;
use crate::commands::progress::{Progress, Steps};
use crate::commands::stdout::{line, not_read, paragraph, tenants};
use crate::config::Environment;
use crate::diagnostics;
use crate::graph::GraphError;
use crate::text::count;
use crate::tsdb::ServerError;
use indicatif::{HumanBytes, HumanCount};
use std::path::Path;

/// The most days without a report that are named; the others are counted.
const GAPS_NAMED: usize = 5;

/// The steps of a tenant: it is read, and written, sent or compared.
const STEPS: usize = 2;

/// In bytes. The text about a larger output names the flags that write less.
const LARGE: u64 = 1 << 30;

/// A tenant that was not read.
struct FailedTenant {
    alias: String,
    error: anyhow::Error,
    hint: Option<String>,
}

/// The server of the command failed at a tenant.
struct ServerFailure {
    error: anyhow::Error,
    hint: Option<&'static str>,
    /// What was not done with this tenant and those behind it, such as `sent`.
    verb: &'static str,
}

/// Counts what was read and written.
pub(super) struct Summary {
    progress: Progress,
    tenants: usize,
    read: usize,
    failed: Vec<FailedTenant>,
    /// What the server failed at, which ends the run.
    unanswered: Option<ServerFailure>,
    days: usize,
    gaps: usize,
    /// What this run wrote or sent.
    pub(super) written: OutputSize,
    /// The output as a whole, with the blocks of earlier runs.
    pub(super) all: OutputSize,
}

impl Summary {
    /// A summary of this many tenants, whose progress is shown.
    pub(super) fn new(tenants: usize, environment: &Environment) -> Self {
        Self {
            progress: Progress::start(environment, "tenant", tenants, STEPS),
            tenants,
            read: 0,
            failed: Vec::new(),
            unanswered: None,
            days: 0,
            gaps: 0,
            written: OutputSize::default(),
            all: OutputSize::default(),
        }
    }

    /// Counts a tenant and returns its history where it was read.
    pub(super) fn tenant(
        &mut self,
        alias: &str,
        history: Result<TenantHistory, GraphError>,
    ) -> Option<TenantHistory> {
        let history = match history {
            Ok(history) => history,
            Err(error) => {
                self.failed.push(FailedTenant {
                    alias: alias.to_owned(),
                    hint: Some(error.command_hint()),
                    error: anyhow::Error::new(error).context(alias.to_owned()),
                });
                self.end(alias);
                return None;
            }
        };
        self.read += 1;
        self.days += history.days;
        self.gaps += history.gaps.len();
        warnings(alias, &history);
        Some(history)
    }

    /// The handle with which the reading of a tenant is noted.
    pub(super) fn steps(&self) -> Steps {
        self.progress.steps()
    }

    /// Notes that nothing is left to do for a tenant.
    pub(super) fn end(&self, alias: &str) {
        self.progress.steps().end(alias);
    }

    /// Notes that the server failed, with what it was to do with the tenant's history:
    /// `sent` or `compared`.
    pub(super) fn server_failed(
        &mut self,
        history: &TenantHistory,
        error: ServerError,
        verb: &'static str,
    ) {
        self.read = self.read.saturating_sub(1);
        self.unanswered = Some(ServerFailure {
            hint: error.hint(),
            error: anyhow::Error::new(error).context(history.series.alias.clone()),
            verb,
        });
    }

    /// Prints what is about to be written into a file.
    pub(super) fn announce(&self, size: OutputSize, file: &Path) {
        self.note_size("", size, &format!("into {}", file.display()));
    }

    /// Prints what is about to be written into a directory, if all tenants are like the
    /// first ones.
    pub(super) fn announce_like(&self, size: OutputSize, first: usize, directory: &Path) {
        let all = |part: u64| part * self.tenants as u64 / first.max(1) as u64;
        let all = OutputSize {
            samples: all(size.samples),
            bytes: all(size.bytes),
        };
        let (tenants, directory) = (tenants(self.tenants), directory.display());
        self.note_size("about ", all, &format!("for {tenants} into {directory}"));
    }

    fn note_size(&self, about: &str, size: OutputSize, target: &str) {
        let OutputSize { samples, bytes } = size;
        let less = match bytes > LARGE {
            true => "; a larger --step or --no-controls writes less",
            false => "",
        };
        self.progress.note(&format!(
            "writing {about}{}, {about}{}, {target}{less}",
            count(HumanCount(samples), "sample"),
            HumanBytes(bytes)
        ));
    }

    /// Prints the counts.
    pub(super) fn print(&self, kept: usize, verb: &str) -> Result<(), Failure> {
        self.progress.hide();
        paragraph(&format!(
            "{} read: {}, {} without one; {}, {} {verb}",
            tenants(self.read),
            count(self.days, "daily report"),
            count(self.gaps, "day"),
            count(HumanCount(self.written.samples), "sample"),
            HumanBytes(self.written.bytes),
        ))?;
        match kept {
            0 => Ok(()),
            kept => line(format_args!(
                "{} had blocks already; {}, {} in all",
                tenants(kept),
                count(HumanCount(self.all.samples), "sample"),
                HumanBytes(self.all.bytes),
            )),
        }
    }

    /// Hides the progress, so that a result can be printed.
    pub(super) fn hide_progress(&self) {
        self.progress.hide();
    }

    /// Prints which tenants failed, and why.
    pub(super) fn print_failures(&self) {
        self.progress.hide();
        let names: Vec<&str> = self.failed.iter().map(|it| it.alias.as_str()).collect();
        if !names.is_empty() {
            diagnostics::note(&not_read(&names, self.tenants));
        }
        for failed in &self.failed {
            diagnostics::error(failed.error.as_ref(), failed.hint.as_deref());
        }
        if let Some(ServerFailure { error, hint, verb }) = &self.unanswered {
            let all = tenants(self.tenants);
            let left = self.tenants.saturating_sub(self.read + names.len());
            diagnostics::note(&format!("{left} of {all} could not be {verb}"));
            diagnostics::error(error.as_ref(), *hint);
        }
    }

    /// Prints the failures, and returns the exit status.
    pub(super) fn conclude(&self, kept: usize) -> Result<(), Failure> {
        self.print_failures();
        let is_complete = self.failed.is_empty() && self.unanswered.is_none();
        match (is_complete, self.read + kept) {
            (true, _) => Ok(()),
            (false, 0) => Err(Failure::Found),
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
