//! How long a list is not refreshed, over reloads and restarts.

use super::schedule::MAX_REQUESTED_DELAY;
use crate::store::saved_tenant::SavedRefresh;
use secure_score_model::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// How long a list is not refreshed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    /// Its end, by the monotonic clock.
    until: Instant,
    /// When it was decided, by the wall clock.
    pub(super) decided_at: Timestamp,
    /// Whether Microsoft asked for it. Then only its end ends it.
    pub(super) is_requested: bool,
}

impl Wait {
    /// A wait that begins now.
    pub(super) fn new(delay: Duration, now: Timestamp, is_requested: bool) -> Self {
        Self {
            until: Instant::now() + delay,
            decided_at: now,
            is_requested,
        }
    }

    /// The rest of a wait that an earlier process decided, and its end by the
    /// wall clock.
    ///
    /// If the wall clock was set back since, nothing shows how much of it is
    /// over: it lasts an interval at most.
    pub(super) fn restore(
        saved: &SavedRefresh,
        interval: Duration,
        now: Timestamp,
    ) -> (Self, Timestamp) {
        let decided_at = saved.decided_at.filter(|it| *it <= now);
        let max = match (decided_at, saved.is_requested) {
            (None, _) => interval,
            (Some(_), true) => MAX_REQUESTED_DELAY,
            // The interval may have been longer then.
            (Some(_), false) => interval * 2,
        };
        let next_refresh = saved.next_refresh.min(now.plus(max));
        let wait = Self {
            decided_at: decided_at.unwrap_or(now),
            ..Self::new(next_refresh.since(now), now, saved.is_requested)
        };
        (wait, next_refresh)
    }

    /// What is left of it.
    pub(super) fn rest(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const QUARTER: Duration = Duration::from_secs(15 * 60);

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_ahead_leaves_no_wait_longer_than_an_interval() {
        let now = Timestamp::from_seconds(1_000_000);
        let rest = |decided: Option<i64>, next: i64, is_requested| {
            let at = |seconds: i64| Timestamp::from_seconds(1_000_000 + seconds);
            let saved = SavedRefresh {
                up: false,
                last_success: None,
                next_refresh: at(next),
                decided_at: decided.map(at),
                is_requested,
                refreshes: 1,
                failures: BTreeMap::new(),
                trouble: None,
            };
            let (wait, next_refresh) = Wait::restore(&saved, QUARTER, now);
            assert_eq!(next_refresh.since(now), wait.rest());
            wait.rest().as_secs()
        };
        assert_eq!(rest(Some(-60), 600, false), 600);
        assert_eq!(rest(Some(-60), -10, false), 0);
        assert_eq!(rest(Some(-60), 3_000, true), 3_000);
        for is_requested in [false, true] {
            assert_eq!(rest(Some(86_400), 90_000, is_requested), 900, "set back");
            assert_eq!(rest(None, 90_000, is_requested), 900, "an older file");
        }
        assert_eq!(rest(Some(-60), 90_000, false), 1_800, "a longer interval");
        assert_eq!(rest(Some(-60), 90_000, true), 3_960);
    }
}
