//! The connections of one client, and when they are given up.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// So many time-outs in a row give a connection up. A slow answer alone must
/// not; a connection that passes pings and no answers must, since it never ends
/// by itself.
const MAX_TIMEOUTS: u32 = 2;

/// The greatest age of a connection. It leads to one of many servers of one
/// name: a server that fails or is no longer in DNS must not be used for days.
pub(super) const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// The delay after others could not be set up, for instance because the files of
/// the system's authorities could not be read.
const RENEWAL_DELAY: Duration = Duration::from_secs(60);

/// The connections of one client: one to each server with HTTP/2, several with
/// HTTP/1.
///
/// The library cannot close one of them, so all are replaced together, which
/// costs a TLS handshake per server. Requests in flight finish on the old ones.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) http: reqwest::Client,
    since: Instant,
    /// The time-outs in a row, by server: one that answers must not hide
    /// another that does not.
    timeouts: Mutex<HashMap<String, u32>>,
    renewal_failed: Mutex<Option<Instant>>,
}

impl Connections {
    pub(super) fn new(http: reqwest::Client) -> Self {
        Self {
            http,
            since: Instant::now(),
            timeouts: Mutex::default(),
            renewal_failed: Mutex::default(),
        }
    }

    /// Whether the next request needs others.
    pub(super) fn are_given_up(&self) -> bool {
        let failed = *self.renewal_failed.lock();
        if failed.is_some_and(|it| it.elapsed() < RENEWAL_DELAY) {
            return false;
        }
        let is_stuck = |count: &u32| *count >= MAX_TIMEOUTS;
        self.since.elapsed() >= MAX_AGE || self.timeouts.lock().values().any(is_stuck)
    }

    /// Notes that others could not be set up: these stay in use for a while.
    pub(super) fn renewal_failed(&self) {
        *self.renewal_failed.lock() = Some(Instant::now());
    }

    /// Notes a complete answer of a server.
    pub(super) fn answered(&self, server: &str) {
        self.timeouts.lock().remove(server);
    }

    /// Notes a request that a server did not answer in time.
    pub(super) fn timed_out(&self, server: &str) {
        let mut timeouts = self.timeouts.lock();
        let count = timeouts.entry(server.to_owned()).or_default();
        *count += 1;
        if *count == MAX_TIMEOUTS {
            tracing::warn!(
                server,
                "{MAX_TIMEOUTS} requests in a row got no answer in time; the next one uses a new connection"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections() -> Connections {
        let builder = reqwest::Client::builder().tls_certs_only([]).no_proxy();
        Connections::new(builder.build().unwrap())
    }

    #[tokio::test]
    async fn two_timeouts_in_a_row_give_connections_up() {
        let connections = connections();
        for _ in 0..3 {
            connections.timed_out("graph:443");
            assert!(!connections.are_given_up(), "one slow answer is no fault");
            connections.answered("graph:443");
        }
        connections.timed_out("graph:443");
        connections.answered("entra:443");
        assert!(!connections.are_given_up());
        connections.timed_out("graph:443");
        assert!(connections.are_given_up(), "Entra's answers hide nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn connections_have_a_greatest_age() {
        let connections = connections();
        tokio::time::advance(MAX_AGE - Duration::from_secs(1)).await;
        assert!(!connections.are_given_up());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(connections.are_given_up());
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_fails_is_tried_again_a_minute_later() {
        let connections = connections();
        tokio::time::advance(MAX_AGE).await;
        connections.renewal_failed();
        tokio::time::advance(RENEWAL_DELAY - Duration::from_secs(1)).await;
        assert!(!connections.are_given_up());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(connections.are_given_up());
    }
}
