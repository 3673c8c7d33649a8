//! Whether each tenant can be watched: token, permission, one call of each
//! kind, and whether Microsoft's sums add up.

use super::print::{self, line};
use super::{Failure, serve};
use crate::cli::{Check, ConfigFlags};
use crate::config::{Config, Environment, Tenant, nearest_id};
use crate::graph::{Client, GraphError, PERMISSION, Pools, Subject, TokenFacts, Turn};
use crate::model::{Anomalies, Catalogue, CategoryPins, ControlState, Report, TenantSnapshot};
use crate::telemetry::Telemetry;
use anyhow::Context as _;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Differences up to this many points are rounding of Microsoft's: their own
/// totals carry two decimals.
const ROUNDING: f64 = 0.05;

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
    let pools = Pools::new(&config)?;
    let places = Arc::new(Semaphore::new(config.refresh.concurrency.get()));
    let telemetry = Arc::new(Telemetry::new().context("the telemetry cannot be set up")?);
    let mut examinations = JoinSet::new();
    for tenant in tenants {
        let client = pools.line(tenant, &telemetry);
        let examination = Examination {
            alias: tenant.alias.clone(),
            client,
            config: Arc::clone(&config),
        };
        let turn = Turn::take(Arc::clone(&places));
        examinations.spawn(async move { examination.run(turn.await).await });
    }
    let mut findings: Vec<Findings> = examinations.join_all().await;
    findings.sort_by(|a, b| a.alias.cmp(&b.alias));
    print(&findings)
}

fn chosen<'a>(config: &'a Config, names: &[String]) -> Result<Vec<&'a Tenant>, Failure> {
    let known = |name: &String| config.tenants.iter().any(|tenant| tenant.alias == *name);
    let names_known = config.tenants.iter().map(|tenant| tenant.alias.as_str());
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(Failure::Other {
            error: anyhow::anyhow!(
                "--tenant {unknown}: no tenant of the configuration has this name"
            ),
            hint: Some(match nearest_id(unknown, names_known) {
                Some(near) => format!("did you mean {near}?"),
                None => "use the `name` of a tenant as the configuration spells it".to_owned(),
            }),
        });
    }
    let wanted = |tenant: &&Tenant| names.is_empty() || names.contains(&tenant.alias);
    Ok(config.tenants.iter().filter(wanted).collect())
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

    fn failed(&self) -> bool {
        self.findings.iter().any(|f| f.verdict == Verdict::Bad)
    }
}

/// One tenant under examination.
struct Examination {
    alias: String,
    client: Client,
    config: Arc<Config>,
}

impl Examination {
    async fn run(self, mut turn: Turn) -> Findings {
        let mut findings = Findings {
            alias: self.alias.clone(),
            findings: Vec::new(),
        };
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
        if let (Some(catalogue), Some(report)) = (catalogue, report) {
            self.reconcile(&catalogue, report, &mut findings);
        }
        findings
    }

    async fn catalogue(&self, turn: &mut Turn, findings: &mut Findings) -> Option<Catalogue> {
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
        Some(fetched.value)
    }

    fn watch_list(&self, catalogue: &Catalogue, findings: &mut Findings) {
        for unmatched in catalogue.unmatched_watches(&self.config.rules(&self.alias)) {
            let ids = catalogue.entries.iter().map(|entry| &*entry.id);
            let nearest = nearest_id(&unmatched, ids);
            findings.odd(
                format!("watch list: {unmatched} fits no control of the catalogue"),
                &nearest.map_or_else(
                    || "it may be renamed, withdrawn, or not offered to this tenant; correct risk_accepted.watch".to_owned(),
                    |id| format!("did you mean {id}? Correct risk_accepted.watch"),
                ),
            );
        }
    }

    async fn report(&self, turn: &mut Turn, findings: &mut Findings) -> Option<Report> {
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

    /// Compares the sum of the controls with Microsoft's own total.
    fn reconcile(&self, catalogue: &Catalogue, report: Report, findings: &mut Findings) {
        let mut pins = CategoryPins::default();
        pins.learn(catalogue);
        let snapshot = TenantSnapshot::join(
            Some(catalogue),
            Some(Arc::new(report)),
            &pins,
            &self.config.rules(&self.alias),
        );
        let Some((score, difference)) = snapshot
            .report
            .as_ref()
            .and_then(|report| Some((report.current_score?.get(), snapshot.unreconciled_score()?)))
        else {
            findings.odd(
                "score: the report says no total that can be believed".to_owned(),
                "whether the controls add up cannot be told; see secure_score_skipped_elements",
            );
            return;
        };
        let scored = snapshot.scored().count();
        let text = format!("score: {score} points, {scored} scored controls");
        if difference.abs() <= ROUNDING {
            findings.good(format!("{text}, which add up to it"));
        } else {
            findings.odd(
                format!("{text}, whose sum differs by {difference}"),
                "Microsoft's total counts something its list of controls lacks; category sums are too low by this much",
            );
        }
        let unknown = snapshot.unknown_maxima().count();
        if unknown > 0 {
            findings.odd(
                format!("score: the maximum of {unknown} scored controls cannot be known"),
                "the catalogue does not list them; the maxima of their categories are left out",
            );
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
    let needless = facts.needless();
    if facts.may_read() == Some(true) && !needless.is_empty() {
        findings.odd(
            format!("token: carries more than it needs: {}", needless.join(", ")),
            "take these permissions from the application; the exporter only reads Secure Score",
        );
    }
}

fn anomalies(list: &str, anomalies: &Anomalies, findings: &mut Findings) {
    if !anomalies.is_empty() {
        findings.odd(
            format!("{list}: {anomalies}"),
            "secure_score_unknown_values and secure_score_skipped_elements count them; the rest is used",
        );
    }
}
