//! The past of many tenants, read from Graph one after the other.

use super::past::{Gathering, Past, Terms};
use super::window::Window;
use crate::cli::Backfill;
use crate::commands::{Failure, persons};
use crate::config::{Config, Tenant};
use crate::graph::{Client, GraphError, HttpClients, RefreshPermit};
use crate::telemetry::Telemetry;
use anyhow::Context as _;
use secure_score_exposition::Policy;
use secure_score_model::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// A tenant that was asked for, and what came.
pub(super) struct Read {
    pub(super) alias: String,
    pub(super) past: Result<Past, GraphError>,
}

/// Reads tenants ahead of whoever takes them, in the order given: as many at
/// once as the configuration allows, and none more, so that memory does not
/// grow with their number.
pub(super) struct Reading<'a> {
    config: &'a Config,
    pools: HttpClients<'a>,
    telemetry: Arc<Telemetry>,
    places: Arc<Semaphore>,
    flags: &'a Backfill,
    window: Window,
    now: Timestamp,
    waiting: VecDeque<&'a Tenant>,
    under_way: VecDeque<(String, JoinHandle<Result<Past, GraphError>>)>,
}

impl<'a> Reading<'a> {
    /// Asks nobody yet.
    pub(super) fn new(
        config: &'a Config,
        tenants: Vec<&'a Tenant>,
        flags: &'a Backfill,
        (window, now): (Window, Timestamp),
    ) -> Result<Self, Failure> {
        let telemetry = Telemetry::new().context("the telemetry cannot be set up")?;
        Ok(Self {
            pools: HttpClients::new(config)?,
            telemetry: Arc::new(telemetry),
            places: Arc::new(Semaphore::new(config.refresh.concurrency.get())),
            config,
            flags,
            window,
            now,
            waiting: tenants.into(),
            under_way: VecDeque::new(),
        })
    }

    /// The next tenant, with its past or with the trouble there was.
    pub(super) async fn next(&mut self) -> Result<Option<Read>, Failure> {
        while self.under_way.len() < self.config.refresh.concurrency.get()
            && let Some(tenant) = self.waiting.pop_front()
        {
            let reading = tokio::spawn(self.read(tenant));
            self.under_way.push_back((tenant.alias.clone(), reading));
        }
        let Some((alias, reading)) = self.under_way.pop_front() else {
            return Ok(None);
        };
        let past = reading.await.context("reading a tenant broke off")?;
        Ok(Some(Read { alias, past }))
    }

    fn read(&self, tenant: &Tenant) -> impl Future<Output = Result<Past, GraphError>> + use<> {
        let client = self.pools.line(tenant, &self.telemetry);
        let places = Arc::clone(&self.places);
        let terms = Terms {
            alias: tenant.alias.clone(),
            rules: self.config.rules(&tenant.alias),
            policy: Policy {
                accepted_by: None,
                comment: false,
                ..persons::label_policy(self.config)
            },
            window: self.window,
            now: self.now.nanos().div_euclid(1_000_000_000),
            controls: !self.flags.no_controls,
        };
        async move { past(&client, RefreshPermit::take(places).await, terms).await }
    }
}

async fn past(client: &Client, mut turn: RefreshPermit, terms: Terms) -> Result<Past, GraphError> {
    let catalogue = client.catalogue(&mut turn).await?;
    let mut gathering = Gathering::new(terms, catalogue.value);
    let partial = client
        .past_reports(&mut turn, |page| gathering.page(page))
        .await?;
    Ok(gathering.finish(partial || catalogue.partial))
}
