//! The refresh of the exporter.

use secure_score_exporter::config::{Config, RefreshMode};
use secure_score_exporter::refresh::{Fleet, FleetOptions, refresh_all_once};
use secure_score_exporter::store::{Store, TenantState};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::Policy;
use secure_score_model::Timestamp;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The interval of repeated refreshes, which a scrape triggers: all tenants at the
/// same time, as the other program downloads.
const INTERVAL: Duration = Duration::from_millis(500);

/// How often all tenants are refreshed in one measurement. Their requests per minute
/// stay below the exporter's own limit per tenant.
pub(crate) const TIMES: usize = 5;

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
    fleet: Fleet,
}

impl Running {
    /// Starts, and waits until each tenant was refreshed and has its past days.
    pub(crate) async fn start(mut config: Config) -> Self {
        config.refresh.mode = RefreshMode::Scrape;
        config.refresh.profiles = INTERVAL;
        config.refresh.scores = INTERVAL;
        let store = Arc::new(Store::default());
        let fleet = Fleet::start(&options(config, &store)).unwrap();
        let has_past_days =
            |state: &Arc<TenantState>| state.snapshot.score_history.days().len() > 1;
        while !store.current().states.iter().all(has_past_days) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Self { store, fleet }
    }

    /// Refreshes both lists of every tenant once.
    pub(crate) async fn refresh(&self) {
        let before = refreshes(&self.store);
        self.fleet.on_demand().refreshed(|_| true).await;
        sample_bytes(&self.store);
        let tenants = self.store.current().states.len();
        assert_eq!(refreshes(&self.store) - before, 2 * tenants);
    }

    /// Waits until every tenant is due.
    pub(crate) async fn due(&self) {
        tokio::time::sleep(INTERVAL * 2).await;
    }

    /// Accepts a risk of each tenant and changes one of its scores, or takes it back.
    pub(crate) async fn change(&self, control_api: &str, forth: bool) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for state in &self.store.current().states {
            let is_plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphabetic());
            let mut scored = state.snapshot.scored().map(|(control, _)| &control.id);
            let id = scored.find(|id| is_plain(id)).unwrap();
            let control = format!(
                "{control_api}/tenants/{}/controls/{id}",
                state.identity.alias
            );
            let (verb, by, percentage) = match forth {
                true => ("accept", r#"{"by": "alex", "comment": "measured"}"#, 41),
                false => ("revert", r#"{"by": "alex"}"#, 59),
            };
            let score = format!(r#"{{"percentage": {percentage}}}"#);
            for (verb, body) in [(verb, by.to_owned()), ("score", score)] {
                let request = http.post(format!("{control}/{verb}")).body(body);
                let answer = request.send().await.unwrap();
                assert!(
                    answer.status().is_success(),
                    "{}",
                    answer.text().await.unwrap()
                );
            }
        }
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
