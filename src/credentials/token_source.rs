//! One tenant's tokens.

use super::error::{TokenError, TokenErrorKind};
use super::token::{PERMISSION, Token};
use super::{Credential, SignIn};
use crate::http_client::TransportError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The minimum delay after a failure. Both lists request a token for each page,
/// so each of them would fail separately.
const MIN_DELAY: Duration = Duration::from_secs(15);

/// The timeout of one token request. The Azure CLI has none of its own, and a
/// pending request keeps the tenant's refresh permit.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The source of one tenant's tokens, with the newest one.
///
/// Both lists share it. The lock is held during a request, so that only one
/// request is made.
pub struct TokenSource {
    credential: Credential,
    sign_in: SignIn,
    cached: Mutex<CachedToken>,
    obtained: AtomicU64,
    failed: AtomicU64,
}

#[derive(Default)]
struct CachedToken {
    token: Option<Arc<Token>>,
    /// Why the last request failed, and when the next one is allowed.
    failure: Option<(TokenError, Instant)>,
}

impl TokenSource {
    /// A source without a token yet.
    pub fn new(credential: Credential, sign_in: SignIn) -> Self {
        Self {
            credential,
            sign_in,
            cached: Mutex::default(),
            obtained: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// A valid token. One that is due for renewal stays in use while Entra
    /// does not respond.
    pub async fn token(&self) -> Result<Arc<Token>, TokenError> {
        let mut cached = self.cached.lock().await;
        let now = Instant::now();
        let valid = cached.token.clone().filter(|it| now < it.expires_at);
        if let Some(token) = valid.as_ref().filter(|token| now < token.renew_at) {
            return Ok(Arc::clone(token));
        }
        if let Some((error, _)) = cached.failure.clone().filter(|(_, until)| now < *until) {
            return valid.ok_or(error);
        }
        match self.request().await {
            Ok(token) => {
                self.obtained.fetch_add(1, Ordering::Relaxed);
                let token = Arc::new(token);
                cached.token = Some(Arc::clone(&token));
                cached.failure = None;
                Ok(token)
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                if valid.is_some() {
                    tracing::warn!(tenant_id = %self.sign_in.tenant_id, %error, "the token was not renewed; the old one is used until it expires");
                }
                let delay = error.retry_after().unwrap_or_default().max(MIN_DELAY);
                cached.failure = Some((error.clone(), Instant::now() + delay));
                valid.ok_or(error)
            }
        }
    }

    /// Drops a token that Graph refused, unless it is already replaced.
    pub async fn invalidate(&self, refused: &Arc<Token>) {
        let mut cached = self.cached.lock().await;
        cached.token.take_if(|token| Arc::ptr_eq(token, refused));
    }

    /// The requests so far that returned a token.
    pub fn obtained(&self) -> u64 {
        self.obtained.load(Ordering::Relaxed)
    }

    /// The requests so far that failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    async fn request(&self) -> Result<Token, TokenError> {
        let issued = tokio::time::timeout(TIMEOUT, self.credential.token(&self.sign_in))
            .await
            .map_err(|_| TokenErrorKind::Transport(TransportError::Timeout))??;
        let token = Token::new(issued)?;
        if token.facts.may_read() == Some(false) {
            tracing::warn!(
                tenant_id = %self.sign_in.tenant_id,
                "the token lacks the permission {PERMISSION}; Graph will refuse it until the permission is granted and an administrator has consented"
            );
        }
        Ok(token)
    }
}
