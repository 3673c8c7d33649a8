//! How long a list is not refreshed, over reloads and restarts.

use super::schedule::{self, MAX_REQUESTED_DELAY};
use crate::graph::{GraphError, Retry};
use crate::store::saved_tenant::SavedRefresh;
use secure_score_model::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// How long a list is not refreshed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wait {
    /// Its end, by the monotonic clock.
    until: Instant,
    /// When it was decided, by the wall clock.
    pub(crate) decided_at: Timestamp,
    /// The end of what Microsoft asked for. Nothing ends a wait before.
    requested_until: Option<Instant>,
}

impl Wait {
    /// A wait that begins now, for which Microsoft asked, or for a part of it.
    pub(crate) fn new(delay: Duration, now: Timestamp, requested: Option<Duration>) -> Self {
        let start = Instant::now();
        Self {
            until: start + delay,
            decided_at: now,
            requested_until: requested.map(|it| start + it.min(delay)),
        }
    }

    /// The wait after a refresh that ended now, with its error if it failed.
    pub(crate) fn after_refresh(
        error: Option<&GraphError>,
        delay: Duration,
        now: Timestamp,
    ) -> Self {
        let requested = match error.map(GraphError::retry) {
            Some(Retry::After(requested)) => Some(schedule::requested_part(delay, requested)),
            Some(Retry::Backoff | Retry::Rarely) | None => None,
        };
        Self::new(delay, now, requested)
    }

    /// This wait, ended where Microsoft allows it.
    pub(crate) fn shortened(self) -> Self {
        Self {
            until: self.requested_until.unwrap_or(self.until).min(self.until),
            ..self
        }
    }

    /// This wait, no longer than this interval gives after a success or a failure,
    /// unless Microsoft asked for more.
    pub(crate) fn capped(self, interval: Duration, up: bool) -> Self {
        let longest = schedule::longest_delay(interval, up).max(self.requested_rest());
        Self {
            until: self.until.min(Instant::now() + longest),
            ..self
        }
    }

    /// The rest of a wait that an earlier process decided, and its end by the
    /// wall clock.
    ///
    /// If the wall clock was set back since, nothing shows how much of it is
    /// over: it lasts an interval at most.
    pub(crate) fn restore(
        saved: &SavedRefresh,
        interval: Duration,
        now: Timestamp,
    ) -> (Self, Timestamp) {
        let decided_at = saved.decided_at.filter(|it| *it <= now);
        let (max_requested, max_own) = match decided_at {
            None => (interval, interval),
            // The interval may have been longer then.
            Some(_) => {
                let own = schedule::longest_delay(interval, saved.up);
                (MAX_REQUESTED_DELAY, own)
            }
        };
        let requested = saved.requested_until;
        let requested = requested.map(|it| it.since(now).min(max_requested));
        let max = max_own.max(requested.unwrap_or_default());
        let next_refresh = saved.next_refresh.min(now.plus(max));
        let wait = Self {
            decided_at: decided_at.unwrap_or(now),
            ..Self::new(next_refresh.since(now), now, requested)
        };
        (wait, next_refresh)
    }

    /// Whether Microsoft asked for a delay that is not over.
    pub(crate) fn is_requested(&self) -> bool {
        !self.requested_rest().is_zero()
    }

    /// What is left of what Microsoft asked for.
    pub(crate) fn requested_rest(&self) -> Duration {
        let left = |it: Instant| it.saturating_duration_since(Instant::now());
        self.requested_until.map(left).unwrap_or_default()
    }

    /// What is left of it.
    pub(crate) fn rest(&self) -> Duration {
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
        let rest = |decided: Option<i64>, next: i64, is_requested: bool| {
            let at = |seconds: i64| Timestamp::from_seconds(1_000_000 + seconds);
            let saved = SavedRefresh {
                up: false,
                last_success: None,
                next_refresh: at(next),
                decided_at: decided.map(at),
                requested_until: is_requested.then(|| at(next)),
                refreshes: 1,
                failures: BTreeMap::new(),
                trouble: None,
                not_offered: false,
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
        assert_eq!(rest(Some(-60), 90_000, false), 1_980, "a longer interval");
        assert_eq!(rest(Some(-60), 90_000, true), 3_960);
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_microsoft_asked_for_outlasts_a_fix_and_a_shorter_interval() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let wait = |requested| Wait::new(minutes(60), Timestamp::from_seconds(0), requested);
        let asked = wait(Some(minutes(1)));
        assert_eq!(asked.rest(), minutes(60));
        assert_eq!(asked.shortened().rest(), minutes(1));
        assert_eq!(wait(Some(minutes(90))).shortened().rest(), minutes(60));
        assert_eq!(wait(None).capped(QUARTER, false).rest(), minutes(33));
        assert_eq!(
            wait(Some(minutes(50))).capped(QUARTER, false).rest(),
            minutes(50)
        );
        assert_eq!(wait(None).capped(QUARTER, true).rest(), minutes(15) * 3 / 2);
        assert_eq!(wait(None).capped(minutes(60), false).rest(), minutes(60));
    }
}
