//! `check`: whether each tenant can be watched, and each partner's list read. It
//! reaches each server once, gets a token for each tenant, reads each list once, and
//! compares Microsoft's totals with the sum of the controls, and the customers of
//! partners with the tenants.

mod coverage;
mod entra_check;
mod partner_check;
mod report;
mod result;
mod servers;
mod tenant_check;

use super::Failure;
use super::config_source::{self, selected_tenants};
use super::entra_tenants::EntraTenants;
use super::progress::Progress;
use crate::cli::{Check, ConfigFlags};
use crate::config::{Cloud, Config, Environment, Partner, Tenant};
use crate::graph::{GraphError, HttpClients, RefreshPermits, Subject};
use crate::telemetry::Telemetry;
use crate::terminal::Screen;
use anyhow::Context as _;
use coverage::Coverage;
use partner_check::PartnerCheck;
use report::CheckReport;
use result::{CheckResult, Status, print_line};
use servers::Servers;
use std::collections::HashMap;
use std::sync::Arc;
use tenant_check::{STEPS, TenantCheck};
use tokio::task::JoinSet;

/// Checks the selected tenants and prints the counts, then what is well, then what
/// failed.
pub(super) async fn run(
    flags: &ConfigFlags,
    check: &Check,
    environment: &Environment,
) -> Result<(), Failure> {
    let config = Arc::new(config_source::load(flags, environment)?);
    let selected = selected_tenants(&config, &check.tenants)?;
    let screen = Screen::stdout(environment);
    let size = config_source::size(&config);
    let text = format!("configuration: {size}, {} to check", selected.len());
    print_line(screen, Status::Ok, &text, None)?;
    // With `--tenant`, only tenants are checked.
    let partners = match check.tenants.as_slice() {
        [] => config.partners.as_slice(),
        _ => &[],
    };
    let clients = HttpClients::new(&config)?;
    let run = CheckRun {
        servers: Arc::new(Servers::reach(&selected, partners, &clients, environment).await),
        permits: RefreshPermits::new(config.refresh.concurrency),
        telemetry: Arc::new(Telemetry::new().context("the telemetry cannot be set up")?),
        config: &config,
        clients,
        environment,
    };
    let tenants = run.tenants(&selected).await;
    let partners = run.partners(partners, &tenants).await;
    let report = CheckReport {
        all: tenants.len() == config.tenants.len(),
        servers: run.servers.results(),
        tenants,
        partners,
        screen,
    };
    report.print()
}

/// What all checks share.
struct CheckRun<'a> {
    config: &'a Arc<Config>,
    clients: HttpClients,
    servers: Arc<Servers>,
    permits: RefreshPermits,
    telemetry: Arc<Telemetry>,
    environment: &'a Environment,
}

impl CheckRun<'_> {
    /// Checks the tenants, as many at a time as the configuration allows. The results
    /// are in the order of the aliases.
    async fn tenants(&self, tenants: &[&Tenant]) -> Vec<CheckResult> {
        let progress = Progress::start(self.environment, "tenant", tenants.len(), STEPS);
        let mut checks = JoinSet::new();
        for tenant in tenants {
            let check = TenantCheck {
                client: self.clients.client_for(tenant, &self.telemetry),
                config: Arc::clone(self.config),
                servers: Arc::clone(&self.servers),
                steps: progress.steps(),
                result: CheckResult::new(&tenant.alias),
                tenant: (*tenant).clone(),
            };
            let permits = self.permits.clone();
            checks.spawn(async move { check.run(permits.take().await).await });
        }
        let mut results = checks.join_all().await;
        find_duplicates(&self.config.tenants, &mut results);
        results.sort_by(|a, b| a.alias.cmp(&b.alias));
        results
    }

    /// Reads the lists of each partner, and compares them with the tenants.
    async fn partners(&self, partners: &[Partner], tenants: &[CheckResult]) -> Vec<CheckResult> {
        let progress = Progress::start(self.environment, "partner", partners.len(), 1);
        let steps = progress.steps();
        let coverage = Coverage::of(self.config, tenants);
        let mut results = Vec::new();
        let mut known: HashMap<(Cloud, String), &str> = HashMap::new();
        for partner in partners {
            steps.begin(&partner.name);
            let client = self.clients.client_for_partner(partner, &self.telemetry);
            let mut check = PartnerCheck::new(partner, client);
            let permit = self.permits.take().await;
            if let Some(list) = check.run(&self.servers, permit).await {
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
            steps.end(&partner.name);
        }
        results
    }
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
