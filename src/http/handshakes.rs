//! Refused TLS handshakes: counted, and logged at a limited rate.

use crate::telemetry::Telemetry;
use exporter_web_config::HandshakeRefusal;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The time between two lines of the log with the same reason. A client that
/// retries every second, or a port scan, must not fill the log.
const LOG_PERIOD: Duration = Duration::from_secs(60);

/// Counts and logs refused handshakes.
pub(super) struct RefusedHandshakes {
    telemetry: Arc<Telemetry>,
    logged: Mutex<HashMap<HandshakeRefusal, Logged>>,
}

/// The last line of the log with one reason.
struct Logged {
    at: Instant,
    /// Refusals since then.
    omitted: u64,
}

impl RefusedHandshakes {
    pub(super) fn new(telemetry: Arc<Telemetry>) -> Self {
        Self {
            telemetry,
            logged: Mutex::default(),
        }
    }

    /// Records a failed handshake. A client that only disconnects, as TCP health
    /// checks do, was not refused.
    pub(super) fn record(&self, error: &io::Error, client: IpAddr) {
        let Some(refusal) = HandshakeRefusal::of(error) else {
            tracing::debug!(%client, %error, "connection ended during the TLS handshake");
            return;
        };
        self.telemetry.tls_handshake_refused(refusal);
        if let Some(omitted) = self.next_line(refusal) {
            let (reason, hint) = (refusal.as_str(), refusal.hint());
            let error = HandshakeRefusal::describe(error);
            tracing::warn!(%client, reason, omitted, hint, "TLS handshake refused: {error}");
        }
    }

    /// The number of refusals that were not logged since the last line; `None`
    /// if that line is too recent for another one.
    fn next_line(&self, refusal: HandshakeRefusal) -> Option<u64> {
        let now = Instant::now();
        let mut logged = self.logged.lock();
        if let Some(last) = logged.get_mut(&refusal)
            && now.duration_since(last.at) < LOG_PERIOD
        {
            last.omitted += 1;
            return None;
        }
        let line = Logged {
            at: now,
            omitted: 0,
        };
        let last = logged.insert(refusal, line);
        Some(last.map_or(0, |last| last.omitted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_reason_is_logged_once_a_minute() {
        let telemetry = Arc::new(Telemetry::new().unwrap());
        let refused = RefusedHandshakes::new(telemetry);
        let (certificate, protocol) = (
            HandshakeRefusal::ClientCertificate,
            HandshakeRefusal::Protocol,
        );
        assert_eq!(refused.next_line(protocol), Some(0));
        for _ in 0..5 {
            assert_eq!(refused.next_line(protocol), None);
        }
        assert_eq!(refused.next_line(certificate), Some(0), "another reason");
        tokio::time::advance(LOG_PERIOD).await;
        assert_eq!(refused.next_line(protocol), Some(5));
    }
}
