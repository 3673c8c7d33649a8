//! What a check prints: the counts, then what is well, then what failed.

use super::result::{CheckResult, Status, print_line};
use crate::acceptances;
use crate::commands::stdout::{line, tenants};
use crate::commands::{Failure, now};
use crate::terminal::Screen;
use crate::text::count;
use std::collections::BTreeMap;

/// The tenants that a note names; more are counted.
const MAX_NAMED: usize = 5;

/// The results of a check.
pub(super) struct CheckReport {
    pub(super) servers: Vec<CheckResult>,
    pub(super) tenants: Vec<CheckResult>,
    pub(super) partners: Vec<CheckResult>,
    /// Whether all tenants of the configuration were checked.
    pub(super) all: bool,
    pub(super) screen: Screen,
}

impl CheckReport {
    /// Prints it. A tenant or partner that failed is a failure of the command.
    pub(super) fn print(&self) -> Result<(), Failure> {
        self.print_counts()?;
        let (failed, good): (Vec<_>, Vec<_>) = self.results().partition(|it| it.has_failed());
        for result in good {
            result.print(self.screen)?;
        }
        self.print_notes()?;
        self.print_decisions()?;
        for result in failed {
            result.print(self.screen)?;
        }
        self.print_blocked()?;
        let mut checked = self.tenants.iter().chain(&self.partners);
        match checked.any(CheckResult::has_failed) {
            true => Err(Failure::Found),
            false => Ok(()),
        }
    }

    fn results(&self) -> impl Iterator<Item = &CheckResult> {
        let servers = self.servers.iter();
        servers.chain(&self.tenants).chain(&self.partners)
    }

    fn print_counts(&self) -> Result<(), Failure> {
        let good = |results: &[CheckResult]| results.iter().filter(|it| !it.has_failed()).count();
        if !self.partners.is_empty() {
            let (good, all) = (good(&self.partners), self.partners.len());
            let all = count(all, "partner");
            line(format_args!("{good} of {all} can be read"))?;
        }
        let (good, all) = (good(&self.tenants), self.tenants.len());
        line(format_args!("{good} of {} can be watched", tenants(all)))
    }

    /// Prints each note once, with the tenants that it holds for.
    fn print_notes(&self) -> Result<(), Failure> {
        let mut notes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for result in self.results() {
            for note in &result.notes {
                notes.entry(note).or_default().push(&result.alias);
            }
        }
        for (note, names) in notes {
            let text = match names.get(MAX_NAMED..).map_or(0, <[_]>::len) {
                0 => format!("{}: {note}", names.join(", ")),
                _ => format!("{}: {note}", tenants(names.len())),
            };
            print_line(self.screen, Status::Info, &text, None)?;
        }
        Ok(())
    }

    /// Prints the decisions that need attention, and which ones cannot be judged.
    /// They are no failure.
    fn print_decisions(&self) -> Result<(), Failure> {
        let tenants = self.tenants.iter();
        let snapshots = tenants.map(|it| (it.alias.as_str(), &it.snapshot));
        let audited = acceptances::audit_decisions(snapshots, self.all, now());
        for finding in &audited.findings {
            let tenant = finding.tenant.as_deref();
            let on = tenant.map_or_else(String::new, |tenant| format!(" on {tenant}"));
            let text = format!("{finding}{on}");
            let remedy = finding.remedy();
            print_line(self.screen, Status::Warn, &text, Some(remedy))?;
        }
        match audited.limit() {
            Some(limit) => print_line(
                self.screen,
                Status::Warn,
                &limit.to_string(),
                Some("check all tenants, once each of them can be read"),
            ),
            None => Ok(()),
        }
    }

    /// Names those that a server keeps from being checked, once for each server.
    fn print_blocked(&self) -> Result<(), Failure> {
        let mut blocked: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for result in self.results() {
            if let Some(server) = &result.blocked_by {
                blocked.entry(server).or_default().push(&result.alias);
            }
        }
        for (server, names) in blocked {
            let text = format!(
                "{}: not checked further, since {server} cannot be reached",
                names.join(", ")
            );
            let hint = "follow the hint of this server above";
            print_line(self.screen, Status::Fail, &text, Some(hint))?;
        }
        Ok(())
    }
}
