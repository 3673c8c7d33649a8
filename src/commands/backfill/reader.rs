//! Reads the histories of many tenants from Graph.

use super::history::{HistoryBuilder, HistoryOptions, TenantHistory};
use super::summary::Summary;
use super::window::Window;
use crate::cli::Backfill;
use crate::commands::entra_tenants::EntraTenants;
use crate::commands::{Failure, privacy};
use crate::config::{Config, Environment, Tenant};
use crate::graph::{Client, GraphError, HttpClients, RefreshPermit, RefreshPermits};
use crate::telemetry::Telemetry;
use anyhow::Context as _;
use secure_score_exposition::Policy;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Reads tenants ahead of the caller, in the order given: as many at a time as
/// the configuration allows, so that memory does not grow with their number.
pub(super) struct HistoryReader<'a> {
    config: &'a Config,
    clients: HttpClients,
    telemetry: Arc<Telemetry>,
    permits: RefreshPermits,
    pub(super) flags: &'a Backfill,
    pub(super) window: Window,
    /// Counts what was read.
    pub(super) summary: Summary,
    waiting: VecDeque<&'a Tenant>,
    in_flight: VecDeque<(&'a Tenant, JoinHandle<Result<ReadTenant, GraphError>>)>,
    known: EntraTenants,
    /// The tenant whose history was returned last.
    returned: Option<&'a Tenant>,
}

/// What was read of a tenant.
struct ReadTenant {
    /// Its Entra id, if a response showed it.
    id: Option<String>,
    history: TenantHistory,
}

impl<'a> HistoryReader<'a> {
    /// Prepares the reader; requests begin with `next`.
    pub(super) fn new(
        config: &'a Config,
        tenants: Vec<&'a Tenant>,
        (flags, window): (&'a Backfill, Window),
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let telemetry = Telemetry::new().context("the telemetry cannot be set up")?;
        Ok(Self {
            clients: HttpClients::new(config)?,
            telemetry: Arc::new(telemetry),
            permits: RefreshPermits::new(config.refresh.concurrency),
            config,
            flags,
            window,
            summary: Summary::new(tenants.len(), environment),
            waiting: tenants.into(),
            in_flight: VecDeque::new(),
            known: EntraTenants::default(),
            returned: None,
        })
    }

    /// The next history that can be read; the one before it is done then. A tenant that
    /// fails is skipped, and reported at the end.
    pub(super) async fn next(&mut self) -> Result<Option<TenantHistory>, Failure> {
        if let Some(before) = self.returned.take() {
            self.summary.end(&before.alias);
        }
        loop {
            while self.in_flight.len() < self.config.refresh.concurrency.get()
                && let Some(tenant) = self.waiting.pop_front()
            {
                let reading = tokio::spawn(self.read(tenant));
                self.in_flight.push_back((tenant, reading));
            }
            let Some((tenant, reading)) = self.in_flight.pop_front() else {
                return Ok(None);
            };
            let read = reading
                .await
                .context("the task that reads a tenant ended early")?;
            let history = read.and_then(|ReadTenant { id, history }| {
                let claimed = id.map_or(Ok(()), |id| self.known.claim(tenant, id));
                claimed.map(|()| history)
            });
            if let Some(history) = self.summary.tenant(&tenant.alias, history) {
                self.returned = Some(tenant);
                return Ok(Some(history));
            }
        }
    }

    fn read(
        &self,
        tenant: &Tenant,
    ) -> impl Future<Output = Result<ReadTenant, GraphError>> + use<> {
        let client = self.clients.client_for(tenant, &self.telemetry);
        let permits = self.permits.clone();
        let options = HistoryOptions {
            alias: tenant.alias.clone(),
            rules: self.config.rules(&tenant.alias),
            policy: Policy {
                accepted_by: None,
                comment: false,
                ..privacy::label_policy(self.config)
            },
            window: self.window,
            controls: !self.flags.no_controls,
        };
        let steps = self.summary.steps();
        async move {
            let permit = permits.take().await;
            let alias = options.alias.clone();
            steps.begin(&alias);
            let history = read(&client, permit, options).await;
            steps.advance(&alias);
            history
        }
    }
}

async fn read(
    client: &Client,
    mut permit: RefreshPermit,
    options: HistoryOptions,
) -> Result<ReadTenant, GraphError> {
    let catalogue = client.catalogue(None, &mut permit).await?;
    let catalogue = catalogue.into_fetched();
    let mut builder = HistoryBuilder::new(options, catalogue.value);
    let partial = client
        .past_reports(&mut permit, |page| builder.add_page(page))
        .await?;
    Ok(ReadTenant {
        id: client.entra_tenant_id().map(str::to_owned),
        history: builder.finish(partial || catalogue.partial),
    })
}
