//! `check`: whether each tenant can be watched, and each partner's list read. It
//! gets a token, reads each list once, and compares Microsoft's totals with the
//! sum of the controls, and the customers of partners with the tenants.

mod coverage;
mod entra_check;
mod partner_check;
mod result;
mod tenant_check;

use super::config_source::{self, selected_tenants};
use super::entra_tenants::EntraTenants;
use super::stdout::line;
use super::{Failure, now};
use crate::acceptances;
use crate::cli::{Check, ConfigFlags};
use crate::config::{Cloud, Config, Environment, Tenant};
use crate::graph::{GraphError, HttpClients, RefreshPermits, Subject};
use crate::telemetry::Telemetry;
use anyhow::Context as _;
use coverage::Coverage;
use partner_check::PartnerCheck;
use result::{CheckResult, Status};
use std::collections::HashMap;
use std::sync::Arc;
use tenant_check::TenantCheck;
use tokio::task::JoinSet;

/// Checks the selected tenants and prints a line per result.
pub(super) async fn run(
    flags: &ConfigFlags,
    check: &Check,
    environment: &Environment,
) -> Result<(), Failure> {
    let config = Arc::new(config_source::load(flags, environment)?);
    let selected = selected_tenants(&config, &check.tenants)?;
    line(format_args!(
        "ok    configuration: {}, {} to check",
        config_source::size(&config),
        selected.len()
    ))?;
    let clients = HttpClients::new(&config)?;
    let permits = RefreshPermits::new(config.refresh.concurrency);
    let telemetry = Arc::new(Telemetry::new().context("the telemetry cannot be set up")?);
    let mut checks = JoinSet::new();
    for tenant in selected {
        let check = TenantCheck {
            client: clients.client_for(tenant, &telemetry),
            config: Arc::clone(&config),
            result: CheckResult::new(&tenant.alias),
            tenant: tenant.clone(),
        };
        let permits = permits.clone();
        checks.spawn(async move { check.run(permits.take().await).await });
    }
    let mut results: Vec<CheckResult> = checks.join_all().await;
    find_duplicates(&config.tenants, &mut results);
    results.sort_by(|a, b| a.alias.cmp(&b.alias));
    for result in &results {
        result.print()?;
    }
    let all = results.len() == config.tenants.len();
    // With `--tenant`, only tenants are checked.
    let partners = match check.tenants.is_empty() {
        true => check_partners(&config, &clients, &permits, &telemetry, &results).await,
        false => Vec::new(),
    };
    for partner in &partners {
        partner.print()?;
    }
    print_decisions(&results, all)?;
    exit_status(&results, &partners)
}

/// Reads the lists of each partner, and compares them with the tenants.
async fn check_partners(
    config: &Config,
    clients: &HttpClients,
    permits: &RefreshPermits,
    telemetry: &Arc<Telemetry>,
    tenants: &[CheckResult],
) -> Vec<CheckResult> {
    let coverage = Coverage::of(config, tenants);
    let mut results = Vec::new();
    let mut known: HashMap<(Cloud, String), &str> = HashMap::new();
    for partner in &config.partners {
        let client = clients.client_for_partner(partner, telemetry);
        let mut check = PartnerCheck::new(partner, client);
        if let Some(list) = check.run(permits.take().await).await {
            coverage.compare(partner, &list, &mut check.result);
        }
        if let Some(id) = check.entra_tenant_id() {
            let first = *known.entry((partner.cloud, id)).or_insert(&partner.name);
            if first != partner.name {
                let error = GraphError::duplicate_tenant(Subject::Customers, first);
                check.result.fail(&error);
            }
        }
        results.push(check.result);
    }
    results
}

/// Fails each tenant that is the same one in Entra as an earlier one of the
/// configuration.
fn find_duplicates(tenants: &[Tenant], results: &mut [CheckResult]) {
    let mut known = EntraTenants::default();
    for tenant in tenants {
        let mut results = results.iter_mut();
        let Some(result) = results.find(|result| result.alias == tenant.alias) else {
            continue;
        };
        if let Some(id) = result.entra_tenant_id.clone()
            && let Err(error) = known.claim(tenant, id)
        {
            result.fail(&error);
        }
    }
}

/// Prints the decisions that need attention, and which ones cannot be judged.
/// They are no failure.
fn print_decisions(results: &[CheckResult], all: bool) -> Result<(), Failure> {
    let snapshots = results
        .iter()
        .map(|result| (result.alias.as_str(), &result.snapshot));
    let audited = acceptances::audit_decisions(snapshots, all, now());
    for finding in &audited.findings {
        let tenant = finding.tenant.as_deref();
        let on = tenant.map_or_else(String::new, |tenant| format!(" on {tenant}"));
        line(format_args!("{:<5} {finding}{on}", Status::Warn))?;
        line(format_args!("      hint: {}", finding.remedy()))?;
    }
    if let Some(limit) = audited.limit() {
        line(format_args!("{:<5} {limit}", Status::Warn))?;
        line(format_args!(
            "      hint: check all tenants, once each of them can be read"
        ))?;
    }
    Ok(())
}

fn exit_status(tenants: &[CheckResult], partners: &[CheckResult]) -> Result<(), Failure> {
    let good = |results: &[CheckResult]| results.iter().filter(|it| !it.has_failed()).count();
    if !partners.is_empty() {
        line(format_args!(
            "{} of {} partners can be read",
            good(partners),
            partners.len()
        ))?;
    }
    line(format_args!(
        "{} of {} tenants can be watched",
        good(tenants),
        tenants.len()
    ))?;
    match good(tenants) == tenants.len() && good(partners) == partners.len() {
        true => Ok(()),
        false => Err(Failure::Found),
    }
}
