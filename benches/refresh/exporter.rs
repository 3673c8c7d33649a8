//! The exporter's own refresh.

use secure_score_exporter::config::Config;
use secure_score_exporter::refresh::{Fleet, FleetOptions, refresh_all_once};
use secure_score_exporter::store::Store;
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::Policy;
use secure_score_model::Timestamp;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// From one refresh of a list to the next, where they go on. A minute of it
/// stays below what the exporter allows itself to ask of a tenant.
const RHYTHM: Duration = Duration::from_secs(20);

/// Refreshes every tenant once. How many bytes of lines that made.
pub(crate) async fn refresh(config: Config) -> usize {
    let store = Arc::new(Store::default());
    refresh_all_once(&plan(config, &store), || {})
        .await
        .unwrap();
    lines(&store)
}

/// Tenants that are refreshed again and again.
pub(crate) struct Watched {
    store: Arc<Store>,
    _fleet: Fleet,
}

impl Watched {
    /// Starts, and waits until the first refreshes are long over.
    pub(crate) async fn start(mut config: Config) -> Self {
        config.refresh.profiles = RHYTHM;
        config.refresh.scores = RHYTHM;
        let store = Arc::new(Store::default());
        let fleet = Fleet::start(&plan(config, &store)).unwrap();
        let tenants = store.current().states.len();
        while refreshes(&store) < 4 * tenants {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Self {
            store,
            _fleet: fleet,
        }
    }

    /// Watches for three rounds. How many refreshes of both lists that were.
    pub(crate) async fn watch(&self) -> usize {
        let before = refreshes(&self.store);
        tokio::time::sleep(RHYTHM * 3).await;
        lines(&self.store);
        (refreshes(&self.store) - before) / 2
    }
}

/// Refreshes of one list, so far.
fn refreshes(store: &Store) -> usize {
    let tenants = store.current();
    let refreshes = tenants.states.iter().map(|state| {
        let health = &state.health;
        health.profiles.refreshes + health.scores.refreshes
    });
    usize::try_from(refreshes.sum::<u64>()).unwrap()
}

fn plan(config: Config, store: &Arc<Store>) -> FleetOptions {
    let policy = Policy {
        lookback: config.lookback,
        accepted_by: None,
        comment: false,
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

/// How many bytes of lines are held, of tenants that fare well.
fn lines(store: &Store) -> usize {
    let tenants = store.current();
    for state in &tenants.states {
        let health = &state.health;
        assert!(health.profiles.up && health.scores.up, "{health:?}");
    }
    let states = tenants.states.iter();
    states
        .map(|state| state.data.len() + state.vitals.len())
        .sum()
}
