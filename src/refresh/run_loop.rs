//! The loop that refreshes one list of one tenant.

use super::endless_loop;
use super::on_demand::RefreshTrigger;
use super::past_days::PastDays;
use super::schedule;
use super::tenant_cell::{FetchResult, TenantCell};
use crate::graph::{Client, GraphError, RefreshPermit, RefreshPermits, Subject};
use crate::telemetry::Telemetry;
use secure_score_model::Api;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// One loop. The loops of a tenant share all but list, interval and trigger.
pub(super) struct RefreshLoop {
    pub(super) api: Api,
    pub(super) interval: Duration,
    /// Whether recommendations are read with the resources that they concern.
    pub(super) impacted_resources: bool,
    pub(super) client: Arc<Client>,
    pub(super) cell: Arc<TenantCell>,
    pub(super) permits: RefreshPermits,
    pub(super) telemetry: Arc<Telemetry>,
    /// The start of the process, from which phases are counted.
    pub(super) epoch: Instant,
    /// Reads the scores of the days before the report; with the reports only.
    pub(super) past_days: Option<Arc<PastDays>>,
    /// Starts refreshes that are due, in `refresh.mode: scrape`.
    pub(super) trigger: Option<Arc<RefreshTrigger>>,
}

impl RefreshLoop {
    /// Refreshes until it is dropped.
    ///
    /// A panic in a refresh is caught in [`contained`](Self::contained), one
    /// outside of it here.
    pub(super) async fn run(self: Arc<Self>) {
        let report = |panic| {
            tracing::error!(
                tenant = self.cell.alias(),
                api = self.api.as_str(),
                panic,
                "a refresh loop ended because of a bug in the exporter and is started again"
            );
        };
        endless_loop::run(|| Arc::clone(&self).run_loop(), report).await;
    }

    /// Refreshes once and records the outcome.
    pub(super) async fn run_once(self: &Arc<Self>) {
        let complete = |this: &Self, fetched| {
            this.record(fetched, |_| Next {
                failures: 0,
                delay: this.interval,
            })
        };
        self.contained(complete).await;
    }

    async fn run_loop(self: Arc<Self>) {
        if let Some(delay) = self.cell.not_due_for(self.api) {
            self.sleep(delay).await;
        }
        let mut failures = 0;
        let mut past_days_not_before = Instant::now();
        loop {
            let complete = move |this: &Self, fetched| this.complete(fetched, failures);
            let next = self.contained(complete).await;
            failures = next.failures;
            // A scrape waits for the refresh, not for the past days.
            let ((), next_past_days) = tokio::join!(
                self.sleep(next.delay),
                self.read_past_days(past_days_not_before)
            );
            past_days_not_before = next_past_days;
        }
    }

    async fn read_past_days(&self, not_before: Instant) -> Instant {
        match &self.past_days {
            Some(past_days) => past_days.read(not_before).await,
            None => not_before,
        }
    }

    /// Fetches the list and passes the result on, in a task of its own: a panic
    /// in it fails this refresh, and is passed on as an internal error.
    async fn contained<T: Send + 'static>(
        self: &Arc<Self>,
        complete: impl Fn(&Self, Result<FetchResult, GraphError>) -> T + Copy + Send + 'static,
    ) -> T {
        self.cell.begin(self.api);
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let mut permit = this.permits.take().await;
            let started = Instant::now();
            let fetched = this.fetch(&mut permit).await;
            let completed = complete(&this, fetched);
            this.telemetry.refresh(this.api.as_str(), started.elapsed());
            completed
        });
        AbortOnDropHandle::new(task)
            .await
            .unwrap_or_else(|_| complete(self, Err(GraphError::internal(Subject::of(self.api)))))
    }

    async fn fetch(&self, permit: &mut RefreshPermit) -> Result<FetchResult, GraphError> {
        let client = &self.client;
        match self.api {
            Api::Profiles => {
                let known = self.cell.known_catalogue();
                let list = client.catalogue(known.as_ref(), permit);
                list.await.map(FetchResult::Catalogue)
            }
            Api::Scores => {
                let known = self.cell.known_report();
                let report = client.report(known.as_ref(), permit);
                report.await.map(FetchResult::Report)
            }
            Api::Recommendations => {
                let known = self.cell.known_recommendations();
                let list = client.recommendations(self.impacted_resources, known.as_ref(), permit);
                list.await.map(FetchResult::Recommendations)
            }
            Api::IdentityScores => {
                let score = client.identity_score(permit);
                score.await.map(FetchResult::IdentityScore)
            }
        }
    }

    /// Whether a failure shows that the tenant does not offer the list, or shows
    /// at the lists of Secure Score already.
    fn is_not_offered<T>(&self, fetched: &Result<T, GraphError>) -> bool {
        let error = fetched.as_ref().err();
        let error = error.filter(|it| it.is_not_offered() || it.is_of_token());
        error.is_some() && self.api.is_of_entra() && !self.cell.is_expected(self.api)
    }

    /// Applies what was fetched and publishes the outcome.
    fn record(
        &self,
        fetched: Result<FetchResult, GraphError>,
        next: impl FnOnce(&Result<(), GraphError>) -> Next,
    ) -> Next {
        let is_not_offered = self.is_not_offered(&fetched);
        let mut update = self.cell.update();
        if update.next.settings.recommendations.excludes(self.api) {
            // The configuration changed meanwhile, and this loop is stopped.
            return next(&Ok(()));
        }
        if is_not_offered {
            if let Err(error) = &fetched {
                tracing::debug!(
                    tenant = self.cell.alias(),
                    api = self.api.as_str(),
                    "not refreshed: {error}"
                );
            }
            let next = next(&Ok(()));
            update.not_offered(self.api, self.client.traffic(), next.delay);
            update.publish();
            return next;
        }
        let outcome = fetched.and_then(|fetched| update.apply(fetched));
        let next = next(&outcome);
        update.record_outcome(self.api, &outcome, self.client.traffic(), next.delay);
        update.publish();
        next
    }

    /// Ends a refresh that follows `failures` failed ones.
    fn complete(&self, fetched: Result<FetchResult, GraphError>, failures: u32) -> Next {
        let error = fetched.as_ref().err();
        if let Some(delay) = error.and_then(GraphError::waiting_for_retry_after) {
            // Graph asked for the delay in its response for another list.
            // This list was not requested, so its refresh has not failed.
            let mut update = self.cell.update();
            update.postpone(self.api, delay);
            update.publish();
            return Next { failures, delay };
        }
        self.record(fetched, |outcome| {
            let failures = outcome.as_ref().map_or(failures + 1, |()| 0);
            let delay = self.delay(outcome, failures);
            let next = Next { failures, delay };
            self.log(outcome, &next);
            next
        })
    }

    fn delay(&self, outcome: &Result<(), GraphError>, failures: u32) -> Duration {
        match outcome {
            // Scrapes decide the time; there is no load to spread.
            Ok(()) if self.trigger.is_some() => self.interval,
            _ => {
                let phase = schedule::phase(self.cell.alias(), self.api.as_str());
                schedule::delay_after_refresh(outcome, failures, self.interval, self.epoch, phase)
            }
        }
    }

    /// Waits until the next refresh, and renders data that waits for another list.
    async fn sleep(&self, delay: Duration) {
        tokio::join!(self.sleep_until_due(delay), self.cell.render_late());
    }

    /// Waits until the next refresh, and drops data that expires meanwhile.
    async fn sleep_until_due(&self, delay: Duration) {
        let timer = tokio::time::sleep(delay);
        let Some(trigger) = &self.trigger else {
            return self.dropping_expired(timer).await;
        };
        trigger.set_idle();
        self.dropping_expired(timer).await;
        self.dropping_expired(trigger.requested()).await;
    }

    async fn dropping_expired(&self, wait: impl Future<Output = ()>) {
        let mut wait = std::pin::pin!(wait);
        while let Some(expiry) = self.cell.expires_at(self.api) {
            tokio::select! {
                biased;
                () = wait.as_mut() => return,
                () = tokio::time::sleep_until(expiry) => self.cell.drop_expired(),
            }
        }
        wait.await;
    }

    fn log(&self, outcome: &Result<(), GraphError>, next: &Next) {
        let tenant = self.cell.alias();
        let api = self.api.as_str();
        let delay = humantime::format_duration(Duration::from_secs(next.delay.as_secs()));
        match outcome {
            Ok(()) => tracing::debug!(tenant, api, next = %delay, "refreshed"),
            Err(error) => tracing::warn!(
                tenant,
                api,
                reason = error.reason().as_str(),
                failures = next.failures,
                next = %delay,
                hint = error.hint(),
                "refresh failed: {error}"
            ),
        }
    }
}

/// What follows a refresh.
struct Next {
    /// The refreshes that failed in a row.
    failures: u32,
    delay: Duration,
}
