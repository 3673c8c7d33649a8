//! The refreshes of a list, over a restart.

use super::wait::Wait;
use crate::store::saved_tenant::SavedRefresh;
use secure_score_model::{RefreshHealth, Timestamp};
use std::time::Duration;

/// What is saved of a list's refreshes, of which the next one is due then.
pub(crate) fn save(
    health: &RefreshHealth,
    next_refresh: Timestamp,
    wait: Option<&Wait>,
    now: Timestamp,
) -> SavedRefresh {
    let requested = wait.filter(|it| it.is_requested());
    SavedRefresh {
        up: health.up,
        last_success: health.last_success,
        next_refresh,
        not_offered: false,
        decided_at: wait.map(|it| it.decided_at),
        requested_until: requested.map(|it| now.plus(it.requested_rest())),
        refreshes: health.refreshes,
        failures: health.failures.clone(),
        trouble: health.trouble.clone(),
    }
}

/// The refreshes that an earlier process saved, and its wait for the next one.
pub(crate) fn restore(
    saved: SavedRefresh,
    interval: Duration,
    now: Timestamp,
) -> (RefreshHealth, Wait) {
    let (wait, next_refresh) = Wait::restore(&saved, interval, now);
    let health = RefreshHealth {
        up: saved.up,
        last_success: saved.last_success.map(|it| it.min(now)),
        next_refresh: Some(next_refresh),
        refreshes: saved.refreshes,
        failures: saved.failures,
        trouble: saved.trouble,
        has_series: false,
    };
    (health, wait)
}
