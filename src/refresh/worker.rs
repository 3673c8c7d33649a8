//! One loop: one list of one tenant, for as long as the process lives.

use super::bell::Bell;
use super::desk::{Desk, Paper};
use super::schedule;
use crate::graph::{Client, GraphError, RefreshPermit, Retry, Subject};
use crate::telemetry::Telemetry;
use secure_score_model::{Api, ControlRules};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Between the end of a loop by a fault of ours and its next start.
const RESTART_PAUSE: Duration = Duration::from_secs(10);

/// What an earlier process may have been told to wait, at most.
const LONGEST_INHERITED_WAIT: Duration = Duration::from_secs(60 * 60);

/// What a loop needs; both loops of a tenant share all but the interval.
pub(super) struct Worker<R> {
    pub(super) api: Api,
    pub(super) interval: Duration,
    pub(super) client: Arc<Client>,
    pub(super) desk: Arc<Desk<R>>,
    pub(super) places: Arc<Semaphore>,
    pub(super) telemetry: Arc<Telemetry>,
    /// When the process began; phases count from here.
    pub(super) epoch: Instant,
    /// Who starts a refresh that is due, where time alone does not.
    pub(super) bell: Option<Arc<Bell>>,
}

impl<R: ControlRules + Send + Sync + 'static> Worker<R> {
    /// Refreshes for ever, come what may: a fault of ours in a loop ends the
    /// loop, which would freeze what is shown without anybody noticing.
    pub(super) async fn run(self) {
        let worker = Arc::new(self);
        loop {
            let task = tokio::spawn(Arc::clone(&worker).turn_after_turn());
            let stop = AbortOnDrop(task.abort_handle());
            let ended = task.await;
            drop(stop);
            tracing::error!(
                tenant = %worker.desk.alias(),
                api = worker.api.as_str(),
                panic = ended.is_err(),
                "a refresh loop ended by a fault of the exporter and is started again"
            );
            tokio::time::sleep(RESTART_PAUSE).await;
        }
    }

    /// Refreshes once and notes how it ended; nothing follows.
    pub(super) async fn run_once(self) {
        let worker = Arc::new(self);
        let outcome = Self::contained(&worker).await;
        let traffic = worker.client.traffic();
        let (api, interval) = (worker.api, worker.interval);
        worker.desk.conclude(api, &outcome, traffic, interval);
    }

    async fn turn_after_turn(self: Arc<Self>) {
        let mut failures = 0;
        // An earlier process asked not long ago.
        if let Some(wait) = self.desk.not_due_for(self.api, self.longest_wait()) {
            self.sleep(wait).await;
        }
        loop {
            let outcome = Self::contained(&self).await;
            if let Some(wait) = held(&outcome) {
                // Graph asked to wait when it was asked for the other list;
                // this one was not asked for, so it has not failed.
                self.desk.postpone(self.api, wait);
                self.sleep(wait).await;
                continue;
            }
            failures = match &outcome {
                Ok(()) => 0,
                Err(_) => failures + 1,
            };
            let wait = self.wait(&outcome, failures);
            self.tell(&outcome, failures, wait);
            let traffic = self.client.traffic();
            self.desk.conclude(self.api, &outcome, traffic, wait);
            self.sleep(wait).await;
        }
    }

    /// One refresh in a task of its own, so that a fault of ours in it costs
    /// this refresh and nothing else.
    async fn contained(worker: &Arc<Self>) -> Result<(), GraphError> {
        let refresh = tokio::spawn({
            let worker = Arc::clone(worker);
            async move { worker.refresh().await }
        });
        // A loop that is stopped takes its refresh with it.
        let stop = AbortOnDrop(refresh.abort_handle());
        let ended = refresh.await;
        drop(stop);
        ended.unwrap_or_else(|_| Err(GraphError::internal(worker.subject())))
    }

    async fn refresh(&self) -> Result<(), GraphError> {
        let mut turn = RefreshPermit::take(Arc::clone(&self.places)).await;
        let started = Instant::now();
        let fetched = match self.api {
            Api::Profiles => self.client.catalogue(&mut turn).await.map(Paper::Catalogue),
            Api::Scores => self.client.report(&mut turn).await.map(Paper::Report),
        };
        let outcome = fetched.and_then(|paper| self.desk.lay(paper));
        self.telemetry.refresh(self.api, started.elapsed());
        outcome
    }

    fn subject(&self) -> Subject {
        match self.api {
            Api::Profiles => Subject::Catalogue,
            Api::Scores => Subject::Report,
        }
    }

    fn wait(&self, outcome: &Result<(), GraphError>, failures: u32) -> Duration {
        match outcome {
            // Who scrapes sets the rhythm; there is nothing to spread.
            Ok(()) if self.bell.is_some() => self.interval,
            Ok(()) => {
                let elapsed = self.epoch.elapsed();
                let phase = schedule::phase(&self.desk.alias(), self.api.as_str());
                schedule::next_slot(elapsed, self.interval, phase).saturating_sub(elapsed)
            }
            Err(error) => schedule::wait_after_failure(
                error.retry(),
                failures,
                self.interval,
                fastrand::f64(),
            ),
        }
    }

    /// No schedule of an earlier process is trusted for longer than this.
    fn longest_wait(&self) -> Duration {
        LONGEST_INHERITED_WAIT.max(self.interval * 2)
    }

    /// Sleeps until the next refresh; what grows too old meanwhile goes.
    async fn sleep(&self, wait: Duration) {
        let Some(bell) = &self.bell else {
            return self.until(tokio::time::sleep(wait)).await;
        };
        bell.rest();
        self.until(tokio::time::sleep(wait)).await;
        self.until(bell.rung()).await;
    }

    /// Waits for something; what grows too old meanwhile goes.
    async fn until(&self, something: impl Future<Output = ()>) {
        let mut something = std::pin::pin!(something);
        while let Some(expiry) = self.desk.expires_at(self.api) {
            tokio::select! {
                biased;
                () = something.as_mut() => return,
                () = tokio::time::sleep_until(expiry) => self.desk.expire(),
            }
        }
        something.await;
    }

    fn tell(&self, outcome: &Result<(), GraphError>, failures: u32, wait: Duration) {
        let tenant = self.desk.alias();
        let api = self.api.as_str();
        let next = humantime::format_duration(Duration::from_secs(wait.as_secs()));
        match outcome {
            Ok(()) => tracing::debug!(%tenant, api, %next, "refreshed"),
            Err(error) => tracing::warn!(
                %tenant,
                api,
                reason = error.reason().as_str(),
                failures,
                %next,
                hint = error.hint(),
                "refresh failed: {error}"
            ),
        }
    }
}

/// How long the list may not be asked for, where it was not.
fn held(outcome: &Result<(), GraphError>) -> Option<Duration> {
    let error = outcome.as_ref().err().filter(|error| error.is_held())?;
    match error.retry() {
        Retry::After(wait) => Some(wait),
        Retry::Backoff | Retry::Rarely => None,
    }
}

/// Ends a task together with the one that waits for it.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        Cloud, Config, Credential, PemFile, Secret, SimulatorEndpoint, Tenant, TenantRules,
    };
    use crate::graph::HttpClients;
    use crate::refresh::settings::{Settings, Surroundings};
    use crate::store::{Store, TenantState};
    use graph_simulator::{Options, Simulator};
    use secure_score_exposition::Policy;
    use secure_score_model::{
        Category, Exception, Reason, RefreshHealth, TenantIdentity, Timestamp,
    };
    use std::num::NonZeroUsize;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::SystemTime;

    const QUARTER: Duration = Duration::from_secs(15 * 60);

    /// A fault of ours: rules that panic while they are told to.
    struct Faulty(Arc<AtomicBool>);

    impl ControlRules for Faulty {
        fn category_override(&self, _: &str) -> Option<Category> {
            assert!(!self.0.load(Ordering::Relaxed), "a fault of the exporter");
            None
        }

        fn selects(&self, id: &str, category: Category) -> bool {
            TenantRules::default().selects(id, category)
        }

        fn watches(&self, _: &str) -> bool {
            false
        }

        fn unmatched_watches(&self, _: &[&str]) -> Vec<Arc<str>> {
            Vec::new()
        }

        fn exceptions(&self) -> Vec<Arc<Exception>> {
            Vec::new()
        }

        fn exceptions_of(&self, _: &str) -> Vec<Arc<Exception>> {
            Vec::new()
        }
    }

    /// A tenant whose catalogue is refreshed by a worker with faulty rules.
    struct Stage {
        simulator: Simulator,
        store: Arc<Store>,
        faulty: Arc<AtomicBool>,
        worker: tokio::task::JoinHandle<()>,
    }

    impl Stage {
        async fn open() -> Self {
            let options = Options {
                tenants: 1,
                ..Options::default()
            };
            let simulator = Simulator::start(options).await.unwrap();
            let config = config(&simulator);
            let telemetry = Arc::new(Telemetry::new().unwrap());
            let pools = HttpClients::new(&config).unwrap();
            let store = Arc::<Store>::default();
            let faulty = Arc::new(AtomicBool::new(false));
            let worker = Worker {
                api: Api::Profiles,
                interval: QUARTER,
                client: Arc::new(pools.line(&config.tenants[0], &telemetry)),
                desk: Arc::new(desk(&store, Faulty(Arc::clone(&faulty)))),
                places: Arc::new(Semaphore::new(1)),
                telemetry,
                epoch: Instant::now(),
                bell: None,
            };
            Self {
                simulator,
                store,
                faulty,
                worker: tokio::spawn(worker.run()),
            }
        }

        /// The tenant after so many refreshes.
        async fn after(&self, refreshes: u64) -> Arc<TenantState> {
            for _ in 0..3_000 {
                if let Some(state) = self.store.current().find("contoso")
                    && state.health.profiles.refreshes >= refreshes
                {
                    return Arc::clone(state);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("refresh {refreshes} never ends");
        }
    }

    fn config(simulator: &Simulator) -> Config {
        let tenants = simulator.tenants().into_iter().map(|it| Tenant {
            alias: it.name,
            tenant_id: it.entra_id,
            display_name: it.display_name,
            cloud: Cloud::Simulator,
            credential: Credential::ClientSecret {
                client_id: it.client_id,
                secret: Secret::new(it.client_secret),
                expires: None,
            },
            target: None,
            labels: Default::default(),
        });
        let mut config = Config::of(tenants.collect());
        config.simulator = Some(SimulatorEndpoint {
            url: simulator.url().to_owned(),
            ca: PemFile {
                path: PathBuf::new(),
                pem: simulator.ca_pem().as_bytes().to_vec(),
            },
        });
        config
    }

    fn desk(store: &Arc<Store>, rules: Faulty) -> Desk<Faulty> {
        let identity = TenantIdentity {
            alias: "contoso".into(),
            entra_tenant_id: None,
            display_name: "Contoso".into(),
            cloud: "simulator",
            target: None,
            credential_expires: None,
        };
        let policy = Policy {
            lookback: NonZeroUsize::MIN,
            accepted_by: None,
            comment: false,
        };
        let settings = Settings {
            rules,
            policy: Arc::new(policy),
            max_staleness: 96 * QUARTER,
            directory: String::new(),
            events: None,
        };
        let surroundings = Surroundings {
            store: Arc::clone(store),
            clock: Arc::new(|| Timestamp::from(SystemTime::now())),
            keeper: None,
            commons: Arc::default(),
        };
        Desk::new(identity, settings, surroundings)
    }

    /// Lets time pass for everybody at once.
    async fn leap(by: Duration) {
        tokio::time::pause();
        tokio::time::advance(by).await;
        tokio::time::resume();
    }

    fn wait(health: &RefreshHealth) -> Duration {
        let now = Timestamp::from(SystemTime::now());
        health.next_refresh.unwrap().since(now)
    }

    #[tokio::test]
    async fn a_panic_is_contained_counted_and_retried_ever_more_slowly() {
        let stage = Stage::open().await;
        let good = stage.after(1).await;
        assert!(good.health.profiles.up && good.data.len() > 10_000);

        stage.faulty.store(true, Ordering::Relaxed);
        let handle = stage.simulator.handle();
        let (by, why) = ("dana@contoso.example", "a test");
        handle.accept("contoso", "UserRiskPolicy", by, why).unwrap();
        let mut waited = Duration::ZERO;
        leap(2 * QUARTER).await;
        for failure in 1..=3 {
            let state = stage.after(1 + failure).await;
            let health = &state.health.profiles;
            assert_eq!(health.failures.get(&Reason::Internal), Some(&failure));
            assert!(!health.up);
            assert_eq!(state.snapshot, good.snapshot, "what was known stays");
            assert_eq!(state.data.len(), good.data.len());
            assert!(wait(health) > waited, "{failure}: {:?}", wait(health));
            assert!(wait(health) < QUARTER, "{failure}: {:?}", wait(health));
            waited = wait(health);
            if failure == 3 {
                stage.faulty.store(false, Ordering::Relaxed);
            }
            leap(waited + Duration::from_secs(1)).await;
        }
        let mended = stage.after(5).await;
        assert!(mended.health.profiles.up, "{:?}", mended.health.profiles);
        assert_ne!(mended.snapshot, good.snapshot, "what came meanwhile shows");
        assert!(!stage.worker.is_finished());
    }
}
