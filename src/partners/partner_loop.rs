//! The loop that refreshes the lists of one partner.

use super::partner_cell::PartnerCell;
use crate::config::Partner;
use crate::graph::{CUSTOMERS, Client, FetchedCustomers, GraphError, RefreshPermits, Subject};
use crate::refresh::{endless_loop, schedule};
use crate::telemetry::Telemetry;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// One loop. Dropping the handle of its task stops it.
pub(super) struct PartnerLoop {
    pub(super) partner: Arc<Partner>,
    pub(super) client: Arc<Client>,
    pub(super) cell: Arc<PartnerCell>,
    pub(super) permits: RefreshPermits,
    pub(super) telemetry: Arc<Telemetry>,
    /// The start of the process, from which phases are counted.
    pub(super) epoch: Instant,
}

/// What follows a refresh.
struct Next {
    /// The refreshes that failed in a row.
    failures: u32,
    delay: Duration,
}

impl PartnerLoop {
    /// Starts it.
    pub(super) fn start(self) -> AbortOnDropHandle<()> {
        AbortOnDropHandle::new(tokio::spawn(Arc::new(self).run()))
    }

    /// Refreshes until it is dropped.
    async fn run(self: Arc<Self>) {
        let report = |panic| {
            tracing::error!(
                partner = self.partner.name,
                panic,
                "the loop of a partner ended because of a bug in the exporter and is started again"
            );
        };
        endless_loop::run(|| Arc::clone(&self).run_loop(), report).await;
    }

    async fn run_loop(self: Arc<Self>) {
        let delay = self.cell.data().not_due_for();
        tokio::time::sleep(delay).await;
        let mut failures = 0;
        loop {
            let next = self.refresh(failures).await;
            failures = next.failures;
            tokio::time::sleep(next.delay).await;
        }
    }

    /// Refreshes in a task of its own: a panic in it is a failure of this refresh.
    async fn refresh(self: &Arc<Self>, failures: u32) -> Next {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let mut permit = this.permits.take().await;
            let started = Instant::now();
            let sources = &this.partner.sources;
            let fetched = this.client.customers(sources, &mut permit).await;
            this.telemetry.refresh(CUSTOMERS, started.elapsed());
            this.complete(fetched, failures)
        });
        let ended = AbortOnDropHandle::new(task).await;
        ended.unwrap_or_else(|_| {
            let error = GraphError::internal(Subject::Customers);
            self.complete(Err(error), failures)
        })
    }

    /// Applies what was fetched after `failures` failed refreshes.
    fn complete(&self, fetched: Result<FetchedCustomers, GraphError>, failures: u32) -> Next {
        let now = self.cell.now();
        let mut data = self.cell.data();
        let error = fetched.as_ref().err();
        if let Some(delay) = error.and_then(GraphError::waiting_for_retry_after) {
            // The partner's own tenant is watched too, and shares the limits.
            data.postpone(delay, now);
            drop(data);
            self.cell.notify();
            return Next { failures, delay };
        }
        if let Some(id) = self.client.entra_tenant_id() {
            data.entra_tenant_id = Some(id.into());
        }
        let outcome = fetched.and_then(|fetched| match &data.same_as {
            Some(first) => Err(GraphError::duplicate_tenant(Subject::Customers, first)),
            None => data.apply(fetched, now),
        });
        let failures = outcome.as_ref().map_or(failures + 1, |()| 0);
        let next = Next {
            failures,
            delay: self.delay(&outcome, failures),
        };
        data.record_outcome(&outcome, next.delay, now);
        let customers = data.customers().len();
        drop(data);
        self.log(&outcome, customers, &next);
        self.cell.notify();
        next
    }

    fn delay(&self, outcome: &Result<(), GraphError>, failures: u32) -> Duration {
        let interval = self.partner.interval;
        let phase = schedule::phase(&self.partner.name, CUSTOMERS);
        schedule::delay_after_refresh(outcome, failures, interval, self.epoch, phase)
    }

    fn log(&self, outcome: &Result<(), GraphError>, customers: usize, next: &Next) {
        let partner = self.partner.name.as_str();
        let delay = humantime::format_duration(Duration::from_secs(next.delay.as_secs()));
        match outcome {
            Ok(()) => tracing::debug!(partner, customers, next = %delay, "customers refreshed"),
            Err(error) => tracing::warn!(
                partner,
                reason = error.reason().as_str(),
                failures = next.failures,
                next = %delay,
                hint = error.hint(),
                "refresh of the partner's customers failed: {error}"
            ),
        }
    }
}
