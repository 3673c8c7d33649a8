//! One tenant's tokens.

use super::error::TokenError;
use super::token::Token;
use super::token_history::TokenHistory;
use super::{Credential, SignIn};
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The source of one tenant's tokens, with the newest one.
///
/// Both lists share it. The lock is held during a request, so that only one
/// request is made.
pub struct TokenSource {
    credential: Credential,
    sign_in: SignIn,
    newest: Mutex<Option<Arc<Token>>>,
    history: Arc<TokenHistory>,
}

impl TokenSource {
    /// A source without a token yet. Of an earlier source it keeps the counts,
    /// and a wait that the server asked for.
    pub fn new(credential: Credential, sign_in: SignIn, history: Arc<TokenHistory>) -> Self {
        history.allow_retry();
        Self {
            credential,
            sign_in,
            newest: Mutex::default(),
            history,
        }
    }

    /// A valid token. One that is due for renewal stays in use while Entra
    /// does not respond.
    pub async fn token(&self) -> Result<Arc<Token>, TokenError> {
        let mut newest = self.newest.lock().await;
        let now = Instant::now();
        let valid = newest.clone().filter(|it| now < it.expires_at);
        if let Some(token) = valid.as_ref().filter(|token| now < token.renew_at) {
            return Ok(Arc::clone(token));
        }
        if let Some(error) = self.history.refusal() {
            return valid.ok_or(error);
        }
        match self.request().await {
            Ok(token) => {
                self.history.note_token();
                let token = Arc::new(token);
                *newest = Some(Arc::clone(&token));
                Ok(token)
            }
            Err(error) => {
                if valid.is_some() {
                    tracing::warn!(tenant_id = %self.sign_in.tenant_id, %error, "the token was not renewed; the old one is used until it expires");
                }
                self.history.note_failure(&error);
                valid.ok_or(error)
            }
        }
    }

    /// Drops a token that Graph refused, unless it is already replaced.
    pub async fn invalidate(&self, refused: &Arc<Token>) {
        let mut newest = self.newest.lock().await;
        newest.take_if(|token| Arc::ptr_eq(token, refused));
    }

    async fn request(&self) -> Result<Token, TokenError> {
        let token = Token::new(self.credential.token(&self.sign_in).await?)?;
        for permission in token.facts.missing(&self.sign_in.permissions) {
            tracing::warn!(
                tenant_id = %self.sign_in.tenant_id,
                "the token lacks the permission {permission}; Graph will refuse it until the permission is granted and an administrator has consented"
            );
        }
        Ok(token)
    }
}
