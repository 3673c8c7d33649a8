//! Whether each tenant can be watched: token, permission, one call of each
//! kind, and whether Microsoft's sums add up.

use super::chosen::chosen;
use super::print::{self, line};
use super::{Failure, serve};
use crate::acceptances;
use crate::cli::{Check, ConfigFlags};
use crate::config::{Config, Environment};
use crate::credentials::{PERMISSION, TokenFacts};
use crate::graph::{Client, GraphError, HttpClients, RefreshPermit, Subject};
use crate::telemetry::Telemetry;
use anyhow::Context as _;
use secure_score_model::{
    Anomalies, Catalogue, CategoryPins, ControlRules as _, ControlState, Report, TenantSnapshot,
    Timestamp,
};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Differences up to this many points are rounding of Microsoft's: their own
/// totals carry two decimals.
const ROUNDING: f64 = 0.05;

/// Time enough to get a new credential.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Checks every tenant, or those named, and prints a line per finding.
pub(super) async fn run(
    flags: &ConfigFlags,
    check: &Check,
    environment: &Environment,
) -> Result<(), Failure> {
    let config = Arc::new(serve::load(flags, environment)?);
    let tenants = chosen(&config, &check.tenants)?;
    line(format_args!(
        "ok    configuration: {}, {} to check",
        print::tenants(config.tenants.len()),
        tenants.len()
    ))?;
    let pools = HttpClients::new(&config)?;
    let places = Arc::new(Semaphore::new(config.refresh.concurrency.get()));
    let telemetry = Arc::new(Telemetry::new().context("the telemetry cannot be set up")?);
    let mut examinations = JoinSet::new();
    for tenant in tenants {
        let client = pools.client_for(tenant, &telemetry);
        let examination = Examination {
            alias: tenant.alias.clone(),
            expires: tenant.credential.expires(),
            renewal: tenant.credential.renewal(),
            client,
            config: Arc::clone(&config),
        };
        let turn = RefreshPermit::take(Arc::clone(&places));
        examinations.spawn(async move { examination.run(turn.await).await });
    }
    let mut findings: Vec<Findings> = examinations.join_all().await;
    findings.sort_by(|a, b| a.alias.cmp(&b.alias));
    print(&findings)?;
    let all = findings.len() == config.tenants.len();
    print_exceptions(&findings, all, Timestamp::from(SystemTime::now()))?;
    conclude(&findings)
}

fn print(findings: &[Findings]) -> Result<(), Failure> {
    for tenant in findings {
        for finding in &tenant.findings {
            line(format_args!(
                "{:<5} {}: {}",
                finding.verdict, tenant.alias, finding.text
            ))?;
            if let Some(hint) = &finding.hint {
                line(format_args!("      hint: {hint}"))?;
            }
        }
    }
    Ok(())
}

/// What is odd about the approved exceptions; no reason to fail.
fn print_exceptions(tenants: &[Findings], all: bool, now: Timestamp) -> Result<(), Failure> {
    let snapshots = tenants
        .iter()
        .map(|tenant| (tenant.alias.as_str(), &tenant.snapshot));
    for finding in acceptances::audit_exceptions(snapshots, all, now) {
        let tenant = finding.tenant.as_deref();
        let on = tenant.map_or_else(String::new, |tenant| format!(" on {tenant}"));
        line(format_args!("{:<5} {finding}{on}", Verdict::Odd))?;
        line(format_args!("      hint: {}", finding.issue.remedy()))?;
    }
    Ok(())
}

fn conclude(findings: &[Findings]) -> Result<(), Failure> {
    let failed = findings.iter().filter(|tenant| tenant.failed()).count();
    line(format_args!(
        "{} of {} tenants can be watched",
        findings.len() - failed,
        findings.len()
    ))?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::Found),
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Odd,
    Bad,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "ok",
            Self::Odd => "warn",
            Self::Bad => "FAIL",
        })
    }
}

struct Finding {
    verdict: Verdict,
    text: String,
    hint: Option<String>,
}

/// What was found of one tenant.
struct Findings {
    alias: String,
    findings: Vec<Finding>,
    /// Empty where nothing could be read.
    snapshot: TenantSnapshot,
}

impl Findings {
    fn good(&mut self, text: String) {
        self.add(Verdict::Good, text, None);
    }

    fn odd(&mut self, text: String, hint: &str) {
        self.add(Verdict::Odd, text, Some(hint.to_owned()));
    }

    fn bad(&mut self, error: &GraphError) {
        self.add(Verdict::Bad, error.to_string(), error.hint());
    }

    fn add(&mut self, verdict: Verdict, text: String, hint: Option<String>) {
        self.findings.push(Finding {
            verdict,
            text,
            hint,
        });
    }

    fn expiry(&mut self, expires: Timestamp, remedy: &str, now: Timestamp) {
        let left = expires.since(now);
        let days = left.as_secs() / (24 * 60 * 60);
        if left.is_zero() {
            self.odd("credential: its day of expiry is past".to_owned(), remedy);
        } else if left < SOON {
            self.odd(format!("credential: {days} days to its expiry"), remedy);
        } else {
            self.good(format!("credential: {days} days to its expiry"));
        }
    }

    /// Compares the sum of the controls with Microsoft's own total.
    fn reconcile(&mut self) {
        let snapshot = &self.snapshot;
        let report = snapshot.report.as_ref();
        let total = report.and_then(|report| report.current_score);
        let scored = snapshot.scored().count();
        let unknown = snapshot.unknown_maxima().count();
        match total.zip(snapshot.unreconciled_score()) {
            None => self.odd(
                "score: the report says no total that can be believed".to_owned(),
                "whether the controls add up cannot be told; see secure_score_skipped_elements",
            ),
            Some((score, difference)) if difference.abs() <= ROUNDING => self.good(format!(
                "score: {} points, {scored} scored controls, which add up to it",
                score.get()
            )),
            Some((score, difference)) => self.odd(
                format!(
                    "score: {} points, {scored} scored controls, whose sum differs by {difference}",
                    score.get()
                ),
                "Microsoft's total counts something its list of controls lacks; category sums are too low by this much",
            ),
        }
        if total.is_some() && unknown > 0 {
            self.odd(
                format!("score: the maximum of {unknown} scored controls cannot be known"),
                "the catalogue does not list them; the maxima of their categories are left out",
            );
        }
    }

    fn failed(&self) -> bool {
        self.findings.iter().any(|f| f.verdict == Verdict::Bad)
    }
}

/// One tenant under examination.
struct Examination {
    alias: String,
    /// When the credential stops working, where somebody wrote it down.
    expires: Option<Timestamp>,
    /// What to do before that.
    renewal: &'static str,
    client: Client,
    config: Arc<Config>,
}

impl Examination {
    async fn run(self, mut turn: RefreshPermit) -> Findings {
        let mut findings = Findings {
            alias: self.alias.clone(),
            findings: Vec::new(),
            snapshot: TenantSnapshot::default(),
        };
        if let Some(expires) = self.expires {
            let now = Timestamp::from(SystemTime::now());
            findings.expiry(expires, self.renewal, now);
        }
        match self.client.token_facts().await {
            Ok(facts) => token(&facts, &mut findings),
            Err(error) => {
                // Without a token the calls can only fail the same way.
                findings.bad(&error);
                return findings;
            }
        }
        let catalogue = self.catalogue(&mut turn, &mut findings).await;
        let report = self.report(&mut turn, &mut findings).await;
        let reconciled = catalogue.is_some() && report.is_some();
        findings.snapshot = self.join(catalogue, report);
        if reconciled {
            findings.reconcile();
        }
        findings
    }

    fn join(&self, catalogue: Option<Catalogue>, report: Option<Report>) -> TenantSnapshot {
        let mut pins = CategoryPins::default();
        if let Some(catalogue) = &catalogue {
            pins.learn(catalogue);
        }
        let rules = self.config.rules(&self.alias);
        TenantSnapshot::join(catalogue.as_ref(), report.map(Arc::new), &pins, &rules)
    }

    async fn catalogue(
        &self,
        turn: &mut RefreshPermit,
        findings: &mut Findings,
    ) -> Option<Catalogue> {
        let fetched = match self.client.catalogue(turn).await {
            Ok(fetched) => fetched,
            Err(error) => {
                findings.bad(&error);
                return None;
            }
        };
        if fetched.partial {
            findings.bad(&GraphError::partial(Subject::Catalogue));
        }
        if fetched.value.entries.is_empty() {
            findings.odd(
                "catalogue: it holds no control at all".to_owned(),
                "a new tenant gets its controls after some days; otherwise see in the portal whether it has Secure Score",
            );
            return None;
        }
        let accepted = fetched
            .value
            .entries
            .iter()
            .filter(|entry| entry.history.state() == ControlState::RiskAccepted)
            .count();
        findings.good(format!(
            "catalogue: {} controls, {accepted} with the risk accepted",
            fetched.value.entries.len()
        ));
        anomalies("catalogue", &fetched.value.anomalies, findings);
        self.watch_list(&fetched.value, findings);
        self.watched_and_deprecated(&fetched.value, findings);
        Some(fetched.value)
    }

    fn watch_list(&self, catalogue: &Catalogue, findings: &mut Findings) {
        for unmatched in catalogue.unmatched_watches(&self.config.rules(&self.alias)) {
            let ids = catalogue.entries.iter().map(|entry| &*entry.id);
            let nearest = strict_yaml::suggest::nearest(&unmatched, ids);
            findings.odd(
                format!("watch list: {unmatched} fits no control of the catalogue"),
                &nearest.map_or_else(
                    || "it may be renamed, withdrawn, or not offered to this tenant; correct risk_accepted.watch".to_owned(),
                    |id| format!("did you mean {id}? Correct risk_accepted.watch"),
                ),
            );
        }
    }

    /// Deprecated controls are still watched, but not for long.
    fn watched_and_deprecated(&self, catalogue: &Catalogue, findings: &mut Findings) {
        let rules = self.config.rules(&self.alias);
        let deprecated = catalogue.entries.iter().filter(|entry| entry.deprecated);
        for entry in deprecated.filter(|entry| rules.watches(&entry.id)) {
            findings.odd(
                format!("watch list: Microsoft has deprecated {}", entry.id),
                "it may vanish from the catalogue; watch what replaces it, too",
            );
        }
    }

    async fn report(&self, turn: &mut RefreshPermit, findings: &mut Findings) -> Option<Report> {
        match self.client.report(turn).await {
            Ok(fetched) => {
                let Some(report) = fetched.value else {
                    findings.odd(
                        "score: Graph has none yet".to_owned(),
                        "a new tenant gets its first score after some days",
                    );
                    return None;
                };
                if fetched.partial {
                    findings.bad(&GraphError::partial(Subject::Report));
                }
                anomalies("score", &report.anomalies, findings);
                Some(report)
            }
            Err(error) => {
                findings.bad(&error);
                None
            }
        }
    }
}

fn token(facts: &TokenFacts, findings: &mut Findings) {
    let permissions = facts.permissions.as_deref().unwrap_or_default().join(", ");
    match facts.may_read() {
        Some(true) => findings.good(format!("token: carries {permissions}")),
        Some(false) => findings.odd(
            format!("token: carries [{permissions}] but not {PERMISSION}"),
            "grant the permission and give admin consent; a new token may take some minutes to show it",
        ),
        None => findings.odd(
            "token: obtained; what it permits cannot be read".to_owned(),
            "the calls below show whether it is enough",
        ),
    }
    let needless = facts.unneeded();
    if facts.may_read() == Some(true) && !needless.is_empty() {
        findings.odd(
            format!("token: carries more than it needs: {}", needless.join(", ")),
            &too_much(needless.len() < facts.permissions.iter().flatten().count()),
        );
    }
}

/// How to take away what is not needed, and in which order: a tenant that
/// loses the writing permission before it has the reading one goes dark.
fn too_much(has_the_right_one: bool) -> String {
    let first = match has_the_right_one {
        true => String::new(),
        false => format!("grant {PERMISSION} first; then "),
    };
    format!(
        "{first}remove the others under API permissions of the app registration and revoke their consent \
         (of a managed identity: delete its app role assignments), as docs/permissions.md has it; \
         a token lives for about an hour"
    )
}

fn anomalies(list: &str, anomalies: &Anomalies, findings: &mut Findings) {
    if !anomalies.is_empty() {
        findings.odd(
            format!("{list}: {anomalies}"),
            "secure_score_unknown_values and secure_score_skipped_elements count them; the rest is used",
        );
    }
}
