//! The refresh of the exporter.

use secure_score_exporter::config::Config;
use secure_score_exporter::refresh::{Fleet, FleetOptions, refresh_all_once};
use secure_score_exporter::store::Store;
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::Policy;
use secure_score_model::Timestamp;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The interval of repeated refreshes. Its requests per minute stay below the
/// exporter's own limit per tenant.
const INTERVAL: Duration = Duration::from_secs(20);

/// Refreshes every tenant once. Returns the bytes of samples.
pub(crate) async fn refresh(config: Config) -> usize {
    let store = Arc::new(Store::default());
    refresh_all_once(&options(config, &store), |_, _| {})
        .await
        .unwrap();
    sample_bytes(&store)
}

/// A fleet that refreshes repeatedly.
pub(crate) struct Running {
    store: Arc<Store>,
    _fleet: Fleet,
}

impl Running {
    /// Starts, and waits until each tenant was refreshed several times.
    pub(crate) async fn start(mut config: Config) -> Self {
        config.refresh.profiles = INTERVAL;
        config.refresh.scores = INTERVAL;
        let store = Arc::new(Store::default());
        let fleet = Fleet::start(&options(config, &store)).unwrap();
        let tenants = store.current().states.len();
        while refreshes(&store) < 4 * tenants {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Self {
            store,
            _fleet: fleet,
        }
    }

    /// Runs for three intervals. Returns the number of refreshes of both lists.
    pub(crate) async fn refresh(&self) -> usize {
        let before = refreshes(&self.store);
        tokio::time::sleep(INTERVAL * 3).await;
        sample_bytes(&self.store);
        (refreshes(&self.store) - before) / 2
    }
}

/// The number of refreshes of both lists.
fn refreshes(store: &Store) -> usize {
    let tenants = store.current();
    let refreshes = tenants.states.iter().map(|state| {
        let health = &state.health;
        health.profiles.refreshes + health.scores.refreshes
    });
    usize::try_from(refreshes.sum::<u64>()).unwrap()
}

fn options(config: Config, store: &Arc<Store>) -> FleetOptions {
    let policy = Policy {
        lookback: config.lookback,
        accepted_by: None,
        comment: false,
        ..Policy::default()
    };
    FleetOptions {
        config: Arc::new(config),
        policy: Arc::new(policy),
        store: Arc::clone(store),
        telemetry: Arc::new(Telemetry::new().unwrap()),
        events: None,
        clock: Arc::new(|| Timestamp::from(SystemTime::now())),
        state_writer: None,
    }
}

/// The bytes of samples of all tenants, which must be healthy.
fn sample_bytes(store: &Store) -> usize {
    let tenants = store.current();
    for state in &tenants.states {
        let health = &state.health;
        assert!(health.profiles.up && health.scores.up, "{health:?}");
    }
    let states = tenants.states.iter();
    states
        .map(|state| state.data.len() + state.health_lines.len())
        .sum()
}
