//! The simulator and the refresh loops in one process, with real HTTPS.

use exporter_web_config::certificates;
use graph_simulator::{Fault, Options, Simulator, SimulatorHandle};
use secure_score_exporter::config::{
    ClientSecret, Cloud, Config, Credential, PemFile, Secret, SeriesChoice, SimulatorEndpoint,
    Tenant,
};
use secure_score_exporter::events::{DeliveryQueue, Events};
use secure_score_exporter::refresh::{Changes, Clock, Fleet, FleetOptions, OnDemandRefresh};
use secure_score_exporter::store::{Store, TenantState, Tenants};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::{Format, Policy, SeriesSet};
use secure_score_model::{Persons, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long a test waits; far longer than needed.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A refresh interval short enough to see several, and long enough that no
/// tenant ever meets its limit of requests a minute, however slow the machine.
const OFTEN: Duration = Duration::from_secs(2);

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) store: Arc<Store>,
    /// All events, since no sender takes them out.
    pub(crate) queue: Arc<DeliveryQueue>,
    config: Config,
    clock: Clock,
    fleet: Option<Fleet>,
    events: Option<Arc<Events>>,
}

impl World {
    /// Starts the simulator, not yet the exporter.
    pub(crate) async fn with(options: Options) -> Self {
        let simulator = Simulator::start(options)
            .await
            .expect("the simulator starts");
        let config = config(&simulator);
        Self {
            simulator,
            store: Arc::default(),
            queue: Arc::default(),
            config,
            clock: Arc::new(|| Timestamp::from(SystemTime::now())),
            fleet: None,
            events: None,
        }
    }

    /// Five invented tenants.
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// Changes the configuration before the exporter starts.
    pub(crate) fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Sets the clock.
    pub(crate) fn clocked(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Starts the exporter's loops.
    pub(crate) fn watch(mut self) -> Self {
        let policy = policy(&self.config);
        let telemetry = Arc::new(Telemetry::new().expect("the telemetry can be set up"));
        let events = Events {
            persons: Persons::Plain,
            telemetry: Arc::clone(&telemetry),
            exporter: None,
            queue: Some(Arc::clone(&self.queue)),
        };
        self.events = Some(Arc::new(events));
        let plan = FleetOptions {
            config: Arc::new(self.config.clone()),
            policy: Arc::new(policy),
            store: Arc::clone(&self.store),
            telemetry,
            events: self.events.clone(),
            clock: Arc::clone(&self.clock),
            state_writer: None,
        };
        self.fleet = Some(Fleet::start(&plan).expect("the loops start"));
        self
    }

    /// Changes the configuration while the exporter runs.
    pub(crate) fn reconfigure(&mut self, change: impl FnOnce(&mut Config)) -> Changes {
        change(&mut self.config);
        let policy = policy(&self.config);
        let fleet = self.fleet.as_mut().expect("the exporter runs");
        fleet
            .apply(
                &Arc::new(self.config.clone()),
                &Arc::new(policy),
                self.events.as_ref(),
            )
            .expect("the configuration can be served")
    }

    /// Five tenants, watched, each list refreshed once and the past scores read.
    pub(crate) async fn watched() -> Self {
        let world = Self::new().await.watch();
        world.complete().await;
        world
    }

    /// The handle with which a scrape triggers overdue refreshes.
    pub(crate) fn on_demand(&self) -> Arc<OnDemandRefresh> {
        self.fleet.as_ref().expect("the exporter runs").on_demand()
    }

    pub(crate) fn handle(&self) -> SimulatorHandle {
        self.simulator.handle()
    }

    /// Injects a fault for one tenant or for all.
    pub(crate) fn inject(&self, tenant: Option<&str>, fault: Fault) {
        self.handle()
            .inject(tenant, fault)
            .expect("the fault is valid");
    }

    pub(crate) fn tenant(&self, alias: &str) -> Arc<TenantState> {
        let tenants = self.store.current();
        Arc::clone(
            tenants
                .find(alias)
                .unwrap_or_else(|| panic!("no tenant {alias}")),
        )
    }

    /// Waits until every tenant's lists were tried once.
    pub(crate) async fn attempted(&self) {
        self.until("every list was tried", |tenants| {
            tenants.states.iter().all(|state| state.health.attempted())
        })
        .await;
    }

    /// Waits until every tenant's lists and past scores were read once.
    pub(crate) async fn complete(&self) {
        self.until("every list and all past scores are read", |tenants| {
            tenants.states.iter().all(|state| {
                let data = &state.snapshot;
                state.health.attempted()
                    && data.report.is_some()
                    && !data.score_history.lacks_days()
            })
        })
        .await;
    }

    /// Waits until the store satisfies a condition.
    pub(crate) async fn until(&self, what: &str, seen: impl Fn(&Tenants) -> bool) {
        let waiting = async {
            while !seen(&self.store.current()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(TIMEOUT, waiting).await.is_err() {
            let tenants = self.store.current();
            let health: Vec<_> = tenants
                .states
                .iter()
                .map(|s| (&s.identity.alias, &s.health))
                .collect();
            panic!("not seen in {TIMEOUT:?}: {what}\n{health:#?}");
        }
    }

    /// The metrics of the tenants.
    pub(crate) fn metrics(&self) -> String {
        render(&self.store.current())
    }

    /// The value of one series, as the text names it.
    pub(crate) fn value(&self, series: &str) -> Option<f64> {
        value(&self.metrics(), series)
    }
}

fn policy(config: &Config) -> Policy {
    Policy {
        lookback: config.lookback,
        accepted_by: None,
        comment: false,
        series: match config.series {
            SeriesChoice::Acceptances => SeriesSet::Acceptances,
            SeriesChoice::Controls => SeriesSet::Controls,
            SeriesChoice::Full => SeriesSet::Full,
        },
    }
}

/// The tenants' families as text.
pub(crate) fn render(tenants: &Tenants) -> String {
    let chunks = tenants
        .states
        .iter()
        .map(|state| (&state.data, &state.health_lines));
    secure_score_exposition::assemble(
        &secure_score_exposition::FamilyHeaders::default(),
        Format::Text,
        chunks,
    )
    .iter()
    .map(|part| std::str::from_utf8(part).expect("the exposition is UTF-8"))
    .collect()
}

/// The value of one series in a text.
pub(crate) fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| {
        let rest = line.strip_prefix(series)?;
        rest.strip_prefix(' ')?.parse().ok()
    })
}

/// A configuration of the simulator's tenants with short intervals.
pub(crate) fn config(simulator: &Simulator) -> Config {
    let tenants = simulator.tenants().into_iter().map(|tenant| Tenant {
        alias: tenant.name,
        tenant_id: tenant.entra_id,
        display_name: tenant.display_name,
        cloud: Cloud::Simulator,
        credential: Credential::ClientSecret(ClientSecret {
            client_id: tenant.client_id,
            secret: Secret::new(tenant.client_secret),
            expires: None,
        }),
        target: Some(0.8),
        recommendations: Default::default(),
        labels: Default::default(),
    });
    let mut config = Config::of(tenants.collect());
    config.refresh.profiles = OFTEN;
    config.refresh.scores = OFTEN;
    config.refresh.timeout = Duration::from_secs(2);
    config.simulator = Some(SimulatorEndpoint {
        url: simulator.url().to_owned(),
        ca: PemFile {
            path: PathBuf::new(),
            certificates: certificates(simulator.ca_pem().as_bytes()).unwrap(),
        },
    });
    config
}
