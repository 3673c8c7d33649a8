//! One tenant's tokens: the newest is kept until it is nearly used up.

use super::error::GraphError;
use super::sign_in::SignIn;
use super::token::{PERMISSION, Token, TokenFacts};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// After a failure Entra is left alone for this long at least. Both lists ask
/// for a token, page by page, and each would fail on its own account.
const PAUSE: Duration = Duration::from_secs(15);

/// How often Entra was asked, and how that ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TokenCounts {
    pub(super) obtained: u64,
    pub(super) failed: u64,
}

/// Where one tenant's tokens come from, and the one in use.
///
/// Both lists share it, and the lock is held while a new one is fetched, so
/// that Entra is asked once and not twice.
pub(super) struct TokenSource {
    sign_in: SignIn,
    kept: Mutex<Kept>,
    obtained: AtomicU64,
    failed: AtomicU64,
}

#[derive(Default)]
struct Kept {
    token: Option<Arc<Token>>,
    /// Why the last request failed, and when the next one may be made.
    failed: Option<(GraphError, Instant)>,
}

impl TokenSource {
    pub(super) fn new(sign_in: SignIn) -> Self {
        Self {
            sign_in,
            kept: Mutex::default(),
            obtained: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// A token good for a request now.
    ///
    /// One that is due for renewal but still alive serves on when Entra does
    /// not answer.
    pub(super) async fn token(&self) -> Result<Arc<Token>, GraphError> {
        let mut kept = self.kept.lock().await;
        let now = Instant::now();
        let alive = kept.token.clone().filter(|token| now < token.expires_at);
        if let Some(token) = alive.as_ref().filter(|token| now < token.renew_at) {
            return Ok(Arc::clone(token));
        }
        if let Some((error, until)) = kept.failed.clone().filter(|(_, until)| now < *until) {
            return alive.ok_or_else(|| error.wait_at_least(until - now));
        }
        match self.fetch().await {
            Ok(token) => {
                self.obtained.fetch_add(1, Ordering::Relaxed);
                let token = Arc::new(token);
                kept.token = Some(Arc::clone(&token));
                kept.failed = None;
                Ok(token)
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                if alive.is_some() {
                    tracing::warn!(tenant_id = %self.sign_in.tenant_id, %error, "the token was not renewed; the old one is used while it lasts");
                }
                let pause = error.told_wait().unwrap_or_default().max(PAUSE);
                kept.failed = Some((error.clone(), Instant::now() + pause));
                alive.ok_or(error)
            }
        }
    }

    /// Gives up a token that Graph refused, unless a newer one is kept.
    pub(super) async fn forget(&self, refused: &Arc<Token>) {
        let mut kept = self.kept.lock().await;
        if kept.token.as_ref().is_some_and(|t| Arc::ptr_eq(t, refused)) {
            kept.token = None;
        }
    }

    /// What the token in use says of itself.
    pub(super) async fn facts(&self) -> Result<TokenFacts, GraphError> {
        Ok(self.token().await?.facts.clone())
    }

    /// How often Entra was asked so far.
    pub(super) fn counts(&self) -> TokenCounts {
        TokenCounts {
            obtained: self.obtained.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    async fn fetch(&self) -> Result<Token, GraphError> {
        let token = Token::of(self.sign_in.token().await?)?;
        if token.facts.may_read() == Some(false) {
            tracing::warn!(
                tenant_id = %self.sign_in.tenant_id,
                "the token lacks the permission {PERMISSION}; Graph will refuse it until the permission is granted and an administrator has consented"
            );
        }
        Ok(token)
    }
}
