//! One tenant's token requests, over all its sources of tokens.

use super::error::TokenError;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The minimum delay after a failure. Both lists request a token for each page,
/// so each of them would fail separately.
const MIN_DELAY: Duration = Duration::from_secs(15);

/// The counts of one tenant's token requests, and the last failure.
///
/// It outlives a [`TokenSource`](super::TokenSource), which a reload may
/// replace.
#[derive(Debug, Default)]
pub struct TokenHistory {
    obtained: AtomicU64,
    failed: AtomicU64,
    /// Why the last request failed, and when the next one is allowed.
    failure: Mutex<Option<(TokenError, Instant)>>,
}

impl TokenHistory {
    /// The requests so far that returned a token.
    pub fn obtained(&self) -> u64 {
        self.obtained.load(Ordering::Relaxed)
    }

    /// The requests so far that failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Whether the server asked for a wait that is not over.
    pub fn is_waiting(&self) -> bool {
        let failure = self.failure.lock();
        let waiting = failure.as_ref().filter(|(error, _)| is_wait(error));
        waiting.is_some_and(|(_, until)| Instant::now() < *until)
    }

    /// The last failure, while no request is allowed. A delay that the server
    /// asked for is what is left of it.
    pub(super) fn refusal(&self) -> Option<TokenError> {
        let now = Instant::now();
        let failure = self.failure.lock().clone();
        let (error, until) = failure.filter(|(_, until)| now < *until)?;
        let left = error.retry_after().map(|_| until - now);
        Some(error.with_retry_after(left))
    }

    /// Allows the next request at once, unless the server asked for a wait.
    pub(super) fn allow_retry(&self) {
        let mut failure = self.failure.lock();
        failure.take_if(|(error, _)| !is_wait(error));
    }

    pub(super) fn note_token(&self) {
        self.obtained.fetch_add(1, Ordering::Relaxed);
        *self.failure.lock() = None;
    }

    pub(super) fn note_failure(&self, error: &TokenError) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let delay = error.retry_after().unwrap_or_default().max(MIN_DELAY);
        *self.failure.lock() = Some((error.clone(), Instant::now() + delay));
    }
}

/// Whether the server asked to wait. A refusal that an administrator must fix is
/// over with its cause, whatever its `Retry-After` says.
fn is_wait(error: &TokenError) -> bool {
    error.retry_after().is_some() && !error.needs_administrator()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(retry_after: Option<Duration>) -> TokenHistory {
        let history = TokenHistory::default();
        let error = TokenError::entra(429, b"", &[]);
        history.note_failure(&error.with_retry_after(retry_after));
        history
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_wait_that_the_server_asked_for_outlives_a_source() {
        let own = failed(None);
        let refusal = own.refusal().unwrap();
        assert!(refusal.retry_after().is_none() && !own.is_waiting());
        own.allow_retry();
        assert_eq!(own.refusal(), None);

        let asked = failed(Some(Duration::from_secs(60)));
        asked.allow_retry();
        tokio::time::advance(Duration::from_secs(40)).await;
        let left = asked.refusal().and_then(|it| it.retry_after());
        assert_eq!(left, Some(Duration::from_secs(20)));
        assert!(asked.is_waiting());
        tokio::time::advance(Duration::from_secs(20)).await;
        assert!(asked.refusal().is_none() && !asked.is_waiting());
    }
}
