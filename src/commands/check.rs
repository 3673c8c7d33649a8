//! `check`: whether each tenant can be watched. It gets a token, reads each
//! list once, and compares Microsoft's totals with the sum of the controls.

mod entra_check;
mod result;
mod tenant_check;

use super::config_source::{self, selected_tenants};
use super::entra_tenants::EntraTenants;
use super::stdout::{line, tenants};
use super::{Failure, now};
use crate::acceptances;
use crate::cli::{Check, ConfigFlags};
use crate::config::{Environment, Tenant};
use crate::graph::{HttpClients, RefreshPermits};
use crate::telemetry::Telemetry;
use anyhow::Context as _;
use result::{Status, TenantResult};
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
        tenants(config.tenants.len()),
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
            result: TenantResult::new(&tenant.alias),
            tenant: tenant.clone(),
        };
        let permits = permits.clone();
        checks.spawn(async move { check.run(permits.take().await).await });
    }
    let mut results: Vec<TenantResult> = checks.join_all().await;
    find_duplicates(&config.tenants, &mut results);
    results.sort_by(|a, b| a.alias.cmp(&b.alias));
    for result in &results {
        result.print()?;
    }
    let all = results.len() == config.tenants.len();
    print_exceptions(&results, all)?;
    exit_status(&results)
}

/// Fails each tenant that is the same one in Entra as an earlier one of the
/// configuration.
fn find_duplicates(tenants: &[Tenant], results: &mut [TenantResult]) {
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

/// Prints the exceptions that need attention, and which ones cannot be judged.
/// They are no failure.
fn print_exceptions(results: &[TenantResult], all: bool) -> Result<(), Failure> {
    let snapshots = results
        .iter()
        .map(|result| (result.alias.as_str(), &result.snapshot));
    let audited = acceptances::audit_exceptions(snapshots, all, now());
    for finding in &audited.findings {
        let tenant = finding.tenant.as_deref();
        let on = tenant.map_or_else(String::new, |tenant| format!(" on {tenant}"));
        line(format_args!("{:<5} {finding}{on}", Status::Warn))?;
        line(format_args!("      hint: {}", finding.issue.remedy()))?;
    }
    if let Some(limit) = audited.limit() {
        line(format_args!("{:<5} {limit}", Status::Warn))?;
        line(format_args!(
            "      hint: check all tenants, once each of them can be read"
        ))?;
    }
    Ok(())
}

fn exit_status(results: &[TenantResult]) -> Result<(), Failure> {
    let failed = results.iter().filter(|result| result.has_failed()).count();
    line(format_args!(
        "{} of {} tenants can be watched",
        results.len() - failed,
        results.len()
    ))?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::Found),
    }
}
