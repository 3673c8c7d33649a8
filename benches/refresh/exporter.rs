//! The exporter's own refresh.

use secure_score_exporter::config::Config;
use secure_score_exporter::exposition::Policy;
use secure_score_exporter::model::Timestamp;
use secure_score_exporter::refresh::{Plan, once};
use secure_score_exporter::store::Store;
use secure_score_exporter::telemetry::Telemetry;
use std::sync::Arc;
use std::time::SystemTime;

/// Refreshes every tenant once. How many bytes of lines that made.
pub(crate) async fn refresh(config: Config) -> usize {
    let store = Arc::new(Store::default());
    let policy = Policy {
        lookback: config.lookback,
        accepted_by: None,
        comment: false,
    };
    let plan = Plan {
        config: Arc::new(config),
        policy: Arc::new(policy),
        store: Arc::clone(&store),
        telemetry: Arc::new(Telemetry::new().unwrap()),
        events: None,
        clock: Arc::new(|| Timestamp::from(SystemTime::now())),
        keeper: None,
    };
    once(&plan, || {}).await.unwrap();
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
