//! The printed result of a check.

use crate::commands::Failure;
use crate::commands::stdout::line;
use crate::credentials::{PERMISSION, TokenFacts};
use crate::graph::GraphError;
use crate::terminal::{Colour, Screen};
use crate::text::count;
use secure_score_model::{Anomalies, TenantSnapshot, Timestamp};
use std::fmt;
use std::time::Duration;

/// Microsoft rounds its totals to two decimals: differences up to this many
/// points are no warning.
const ROUNDING: f64 = 0.05;

/// The time that replacing a credential takes.
const EXPIRES_SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The remedy for a token without the permission.
pub(super) const GRANT: &str =
    "grant the permission and give admin consent; a new token may take some minutes to show it";

/// The first word of a printed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    /// Neither good nor bad.
    Info,
    Warn,
    Fail,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        })
    }
}

impl Status {
    const fn colour(self) -> Colour {
        match self {
            Self::Ok => Colour::Green,
            Self::Info => Colour::Bold,
            Self::Warn => Colour::Yellow,
            Self::Fail => Colour::Red,
        }
    }
}

/// The columns of a status and the blank behind it.
const STATUS_WIDTH: usize = 6;

/// Where the text of a hint begins.
const HINT_INDENT: usize = STATUS_WIDTH + "hint: ".len();

struct Line {
    status: Status,
    text: String,
    hint: Option<String>,
}

/// Prints a status with its text and, where there is one, the fix.
pub(super) fn print_line(
    screen: Screen,
    status: Status,
    text: &str,
    hint: Option<&str>,
) -> Result<(), Failure> {
    let padded = format!("{status:<5}");
    let word = screen.paint(status.colour(), padded.trim_end());
    let blanks = " ".repeat(STATUS_WIDTH - padded.trim_end().len());
    let text = screen.wrap(&format!("{word}{blanks}{text}"), STATUS_WIDTH);
    line(format_args!("{text}"))?;
    match hint {
        Some(hint) => {
            let hint = screen.wrap(&format!("      hint: {hint}"), HINT_INDENT);
            line(format_args!("{hint}"))
        }
        None => Ok(()),
    }
}

/// The result of one tenant, or of a partner.
pub(super) struct CheckResult {
    /// The alias of the tenant, or what the partner is called in its lines.
    pub(super) alias: String,
    /// Whether the tenant has not consented to the application.
    pub(super) not_consented: bool,
    /// The server that cannot be reached, without which the rest is not checked.
    pub(super) blocked_by: Option<String>,
    /// Once known.
    pub(super) entra_tenant_id: Option<String>,
    lines: Vec<Line>,
    /// What is neither good nor bad, and likely the same for other tenants.
    pub(super) notes: Vec<String>,
    /// Empty if no list was read.
    pub(super) snapshot: TenantSnapshot,
}

impl CheckResult {
    pub(super) fn new(alias: &str) -> Self {
        Self {
            alias: alias.to_owned(),
            not_consented: false,
            blocked_by: None,
            entra_tenant_id: None,
            lines: Vec::new(),
            notes: Vec::new(),
            snapshot: TenantSnapshot::default(),
        }
    }

    pub(super) fn print(&self, screen: Screen) -> Result<(), Failure> {
        for Line { status, text, hint } in &self.lines {
            let text = format!("{}: {text}", self.alias);
            print_line(screen, *status, &text, hint.as_deref())?;
        }
        Ok(())
    }

    /// Notes the server that cannot be reached; returns whether there is one.
    pub(super) fn is_blocked(&mut self, server: Option<&str>) -> bool {
        self.blocked_by = server.map(str::to_owned);
        server.is_some()
    }

    pub(super) fn has_failed(&self) -> bool {
        let is_failure = |line: &Line| line.status == Status::Fail;
        self.blocked_by.is_some() || self.lines.iter().any(is_failure)
    }

    pub(super) fn ok(&mut self, text: String) {
        self.add(Status::Ok, text, None);
    }

    pub(super) fn warn(&mut self, text: impl Into<String>, hint: impl Into<String>) {
        self.add(Status::Warn, text.into(), Some(hint.into()));
    }

    pub(super) fn fail(&mut self, error: &GraphError) {
        self.fail_step(format!("{}: {error}", error.step()), &error.command_hint());
    }

    /// A failure whose text begins with the step.
    pub(super) fn fail_step(&mut self, text: String, hint: &str) {
        self.add(Status::Fail, text, Some(hint.to_owned()));
    }

    /// Like [`fail`](Self::fail), with what helps beside the error's own hint.
    pub(super) fn fail_with_hint(&mut self, error: &GraphError, more: &str) {
        let hint = format!("{}; {more}", error.command_hint());
        self.fail_step(format!("{}: {error}", error.step()), &hint);
    }

    /// The value; an error is a line of the result.
    pub(super) fn unless_failed<T>(&mut self, answer: Result<T, GraphError>) -> Option<T> {
        answer.inspect_err(|error| self.fail(error)).ok()
    }

    fn add(&mut self, status: Status, text: String, hint: Option<String>) {
        self.lines.push(Line { status, text, hint });
    }

    pub(super) fn add_expiry(&mut self, expires: Timestamp, renewal: &str, now: Timestamp) {
        let left = expires.since(now);
        let days = count(left.as_secs() / (24 * 60 * 60), "day");
        if left.is_zero() {
            self.warn("credential: expired", renewal);
        } else if left < EXPIRES_SOON {
            self.warn(format!("credential: expires in {days}"), renewal);
        } else {
            self.ok(format!("credential: expires in {days}"));
        }
    }

    /// Whether the token's permissions suffice; `recommendations` if those of
    /// Entra are to be read.
    pub(super) fn add_token(&mut self, token: &TokenFacts, recommendations: bool) {
        let permissions = token.permissions.as_deref().unwrap_or_default().join(", ");
        match token.may_read() {
            Some(true) => self.ok(format!("token: carries {permissions}")),
            Some(false) if permissions.is_empty() => self.warn(
                format!("token: carries no roles, so not {PERMISSION}"),
                GRANT,
            ),
            Some(false) => self.warn(
                format!("token: carries {permissions} but not {PERMISSION}"),
                GRANT,
            ),
            None => self.warn(
                "token: obtained; its permissions cannot be read",
                "the requests below show whether they suffice",
            ),
        }
        let needless = token.unneeded(recommendations);
        if token.may_read() == Some(true) && !needless.is_empty() {
            self.warn(
                format!("token: carries more than it needs: {}", needless.join(", ")),
                remove_permissions(&token.missing_read_only(recommendations)),
            );
        }
    }

    pub(super) fn add_anomalies(&mut self, list: &str, anomalies: &Anomalies) {
        if !anomalies.is_empty() {
            self.warn(
                format!("{list}: {anomalies}"),
                "secure_score_unknown_values and secure_score_skipped_elements count them; the rest is used",
            );
        }
    }

    /// Compares the sums of the controls with Microsoft's totals.
    pub(super) fn reconcile(&mut self) {
        let snapshot = &self.snapshot;
        let report = snapshot.report.as_ref();
        let total = report.and_then(|report| report.current_score);
        let max = report.and_then(|report| report.max_score);
        let max_difference = snapshot.unreconciled_max_score();
        let scored = count(snapshot.scored().count(), "scored control");
        let unknown = snapshot.unknown_maxima().count();
        match total.zip(snapshot.unreconciled_score()) {
            None => self.warn(
                "score: the report has no valid total",
                "the sum of the controls cannot be compared with it; see secure_score_skipped_elements",
            ),
            Some((score, difference)) if difference.abs() <= ROUNDING => self.ok(format!(
                "score: {}, the sum of {scored}",
                count(score.get(), "point")
            )),
            Some((score, difference)) => self.warn(
                format!(
                    "score: {}, from which the sum of {scored} differs by {difference}",
                    count(score.get(), "point")
                ),
                "Microsoft's total includes something that its list of controls lacks; sums by category are too low by this much",
            ),
        }
        if total.is_some() && unknown > 0 {
            self.warn(
                format!(
                    "score: the maximum of {} is not known",
                    count(unknown, "scored control")
                ),
                "the catalogue does not list them; the maxima of their categories are not exported",
            );
            return;
        }
        if let Some((max, difference)) = max.zip(max_difference)
            && difference.abs() > ROUNDING
        {
            self.warn(
                format!(
                    "score: the maximum is {}, and the sum of the controls' maxima differs by {difference}",
                    count(max.get(), "point")
                ),
                "Microsoft counts other controls than it lists as scored; its total is exported as it is, and the maxima by category differ from it by this much",
            );
        }
    }
}

/// How to take permissions from an application. A tenant that loses a write permission before it has the read permission can
/// no longer be refreshed, so the order matters.
pub(super) fn remove_permissions(missing: &[&str]) -> String {
    let first = match missing {
        [] => String::new(),
        some => format!("grant {} first; then ", some.join(" and ")),
    };
    format!(
        "{first}remove the others under API permissions of the app registration and revoke their consent \
         (for a managed identity: delete its app role assignments); \
         a token is valid for about an hour"
    )
}
