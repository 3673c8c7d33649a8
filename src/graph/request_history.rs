//! What a tenant's requests leave behind.

use super::throttle::Throttle;
use crate::credentials::TokenHistory;
use parking_lot::Mutex;
use secure_score_model::Traffic;
use std::sync::Arc;
use tokio::time::Instant;

/// The counts of one tenant's requests, and the waits that servers asked for.
///
/// It outlives the tenant's client, which a reload may replace: a counter must
/// not fall, and a wait must not end.
#[derive(Default)]
pub(super) struct RequestHistory {
    pub(super) throttle: Mutex<Throttle>,
    /// Those to Graph.
    pub(super) requests: Mutex<Traffic>,
    pub(super) tokens: Arc<TokenHistory>,
}

impl RequestHistory {
    /// The requests made so far.
    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            tokens: self.tokens.obtained(),
            token_failures: self.tokens.failed(),
            ..self.requests.lock().clone()
        }
    }

    /// Whether it limits no request now.
    pub(super) fn is_over(&self) -> bool {
        self.throttle.lock().is_over(Instant::now()) && !self.tokens.is_waiting()
    }
}
