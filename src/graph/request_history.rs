//! What a tenant's requests leave behind.

use super::throttle::Throttle;
use crate::credentials::TokenHistory;
use parking_lot::Mutex;
use secure_score_model::Traffic;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Requests to Graph at one time for one tenant, since Graph limits them for an
/// application.
const MAX_AT_ONCE: usize = 2;

/// The counts of one tenant's requests, and the waits that servers asked for.
///
/// It outlives the tenant's client, which a reload may replace: a counter must
/// not fall, and a wait must not end.
pub(super) struct RequestHistory {
    /// The requests that its lists may send at one time.
    pub(super) slots: Arc<Semaphore>,
    pub(super) throttle: Mutex<Throttle>,
    /// Those to Graph.
    pub(super) requests: Mutex<Traffic>,
    pub(super) tokens: Arc<TokenHistory>,
}

impl Default for RequestHistory {
    fn default() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(MAX_AT_ONCE)),
            throttle: Mutex::default(),
            requests: Mutex::default(),
            tokens: Arc::default(),
        }
    }
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
