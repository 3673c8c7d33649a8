//! Access tokens, by whatever credential a tenant has.
//!
//! azure_identity does the talking; each kind of credential is one arm of
//! [`TokenSource::acquire`]. Secrets are exposed here and nowhere else.

use super::entra;
use super::error::{Fault, GraphError, Subject};
use super::http::Broken;
use super::text::{printable, scrubbed};
use super::transport::{Ending, Transport};
use super::wire::{self, Claims, EntraFailure};
use super::{Endpoint, LONGEST_MESSAGE};
use crate::config::Credential;
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::http::{ClientOptions, RetryOptions, Transport as AzureTransport};
use azure_core::time::OffsetDateTime;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions,
};
use base64::Engine as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The share of a token's life after which a new one is asked for.
const RENEW_AFTER: f64 = 0.8;

/// A credential that does not answer must not keep its tenant's place among
/// those that are refreshed: the Azure CLI has no time-out of its own.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// After a failure Entra is left alone for this long at least. Both lists ask
/// for a token, page by page, and each would fail on its own account.
const PAUSE: Duration = Duration::from_secs(15);

/// A token with less life than this is not worth sending.
const SHORTEST_LIFE: Duration = Duration::from_secs(10);

/// The permission the exporter needs, and the only one it should have.
pub const PERMISSION: &str = "SecurityEvents.Read.All";

/// The permission that also allows to change states; it includes the other,
/// and nobody should have it for reading.
const WRITING: &str = "SecurityEvents.ReadWrite.All";

/// A token in use.
pub(super) struct Token {
    bearer: Secret,
    renew_at: Instant,
    expires_at: Instant,
    facts: TokenFacts,
}

impl Token {
    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.bearer.secret())
    }

    /// A text that may echo the request, without the token.
    pub(super) fn scrub(&self, text: &str) -> String {
        scrubbed(text, &[self.bearer.secret()])
    }

    /// The tenant it says it was issued for.
    pub(super) fn tenant_id(&self) -> Option<&str> {
        self.facts.tenant_id.as_deref()
    }
}

/// What a token says of itself, where it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// The tenant it was issued for.
    pub tenant_id: Option<String>,
    /// The permissions in it: application roles or delegated scopes; `None`
    /// where the token cannot be read.
    pub permissions: Option<Vec<String>>,
}

impl TokenFacts {
    /// Reads the middle part of a JSON web token. A token of another make is
    /// no error: Microsoft promises no format.
    pub(super) fn of(bearer: &str) -> Self {
        let claims = bearer
            .split('.')
            .nth(1)
            .and_then(|part| base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).ok())
            .and_then(|json| wire::object::<Claims>(&json))
            .unwrap_or_default();
        let delegated = claims
            .scp
            .map(|scopes| tidied(scopes.split_whitespace().map(str::to_owned).collect()));
        Self {
            permissions: claims.roles.map(tidied).or(delegated).or_else(|| {
                // A readable application token without any role has no claim.
                claims.tid.is_some().then(Vec::new)
            }),
            tenant_id: claims.tid,
        }
    }

    /// The permissions that are not needed.
    pub fn needless(&self) -> Vec<&str> {
        let permissions = self.permissions.iter().flatten().map(String::as_str);
        permissions.filter(|name| *name != PERMISSION).collect()
    }

    /// Whether the permission is there; `None` where it cannot be told.
    pub fn may_read(&self) -> Option<bool> {
        let permissions = self.permissions.as_ref()?;
        Some(permissions.iter().any(|p| p == PERMISSION || p == WRITING))
    }
}

fn tidied(permissions: Vec<String>) -> Vec<String> {
    let tidy = |permission: &String| printable(permission, LONGEST_MESSAGE);
    permissions.iter().map(tidy).collect()
}

/// How often Entra was asked, and how that ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TokenCounts {
    pub(super) obtained: u64,
    pub(super) failed: u64,
}

/// One tenant's tokens: the newest is kept until it is nearly used up.
///
/// Both lists share it, and the lock is held while a new one is fetched, so
/// that Entra is asked once and not twice.
pub(super) struct TokenSource {
    credential: Credential,
    tenant_id: String,
    endpoint: Endpoint,
    http: reqwest::Client,
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
    pub(super) fn new(
        credential: Credential,
        tenant_id: String,
        endpoint: Endpoint,
        http: reqwest::Client,
    ) -> Self {
        Self {
            credential,
            tenant_id,
            endpoint,
            http,
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
                    tracing::warn!(tenant_id = %self.tenant_id, %error, "the token was not renewed; the old one is used while it lasts");
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
        let transport = Arc::new(Transport::new(self.http.clone()));
        let acquire = self.acquire(Arc::clone(&transport));
        let acquired = tokio::time::timeout(LONGEST_WAIT, acquire)
            .await
            .map_err(|_| GraphError::new(Subject::Token, Fault::Broken(Broken::Timeout)))?
            .map_err(|error| explain(&error, transport.last(), self.secret()))?;
        let life =
            Duration::try_from(acquired.expires_on - OffsetDateTime::now_utc()).unwrap_or_default();
        if life < SHORTEST_LIFE || acquired.token.secret().is_empty() {
            return Err(GraphError::malformed(
                Subject::Token,
                "it is empty or expires at once; check this machine's clock",
            ));
        }
        let facts = TokenFacts::of(acquired.token.secret());
        if facts.may_read() == Some(false) {
            tracing::warn!(
                tenant_id = %self.tenant_id,
                "the token lacks the permission {PERMISSION}; Graph will refuse it until the permission is granted and an administrator has consented"
            );
        }
        let now = Instant::now();
        Ok(Token {
            renew_at: now + life.mul_f64(RENEW_AFTER),
            expires_at: now + life - SHORTEST_LIFE,
            facts,
            bearer: acquired.token,
        })
    }

    /// What must not be told, whatever Entra or a proxy echoes.
    fn secret(&self) -> &str {
        match &self.credential {
            Credential::ClientSecret { secret, .. } => secret.expose(),
            Credential::AzureCli => "",
        }
    }

    /// Asks by the tenant's kind of credential.
    async fn acquire(&self, transport: Arc<Transport>) -> azure_core::Result<AccessToken> {
        let credential: Arc<dyn TokenCredential> = match &self.credential {
            Credential::ClientSecret {
                client_id, secret, ..
            } => ClientSecretCredential::new(
                &self.tenant_id,
                client_id.clone(),
                Secret::new(secret.expose().to_owned()),
                Some(ClientSecretCredentialOptions {
                    client_options: self.client_options(transport),
                }),
            )?,
            Credential::AzureCli => AzureCliCredential::new(Some(AzureCliCredentialOptions {
                tenant_id: Some(self.tenant_id.clone()),
                ..Default::default()
            }))?,
        };
        credential.get_token(&[&self.endpoint.scope()], None).await
    }

    /// No retries of the library's: when to ask again is decided once, by the
    /// schedule of the tenant.
    fn client_options(&self, transport: Arc<Transport>) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host.clone_from(&self.endpoint.login);
        ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(AzureTransport::new(transport)),
            cloud: Some(Arc::new(cloud.into())),
            ..ClientOptions::default()
        }
    }
}

/// Turns the library's error into ours, by how the exchange really ended.
fn explain(error: &azure_core::Error, ending: Option<Ending>, secret: &str) -> GraphError {
    match ending {
        Some(Ending::Broken(broken)) => GraphError::new(Subject::Token, Fault::Broken(broken)),
        Some(Ending::Answered { status, .. }) if (200..300).contains(&status) => {
            GraphError::malformed(Subject::Token, "the answer holds no token")
        }
        Some(Ending::Answered {
            status,
            retry_after,
            refusal,
        }) => GraphError::new(Subject::Token, refused(status, &refusal, secret))
            .retry_after(retry_after),
        None => GraphError::new(
            Subject::Token,
            Fault::Credential(printable(
                &scrubbed(&error.to_string(), &[secret]),
                LONGEST_MESSAGE,
            )),
        ),
    }
}

pub(super) fn refused(status: u16, body: &[u8], secret: &str) -> Fault {
    let failure: EntraFailure = wire::object(body).unwrap_or_default();
    let description = failure
        .error_description
        .or(failure.error)
        .unwrap_or_default();
    let codes = if failure.error_codes.is_empty() {
        entra::codes_in(&description)
    } else {
        failure.error_codes
    };
    // The first line says what happened; the rest repeats ids and the time.
    let first_line = description.lines().next().unwrap_or_default();
    Fault::Entra {
        status,
        codes,
        description: printable(&scrubbed(first_line, &[secret]), LONGEST_MESSAGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        let encoded = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(claims);
        format!("e30.{encoded}.")
    }

    #[test]
    fn roles_and_tenant_are_read_where_they_can_be() {
        let facts = TokenFacts::of(&token(r#"{"tid":"T","roles":["SecurityEvents.Read.All"]}"#));
        assert_eq!(facts.tenant_id.as_deref(), Some("T"));
        assert_eq!(facts.may_read(), Some(true));
    }

    #[test]
    fn a_readable_token_without_roles_may_not_read() {
        assert_eq!(
            TokenFacts::of(&token(r#"{"tid":"T"}"#)).may_read(),
            Some(false)
        );
    }

    #[test]
    fn delegated_scopes_count_as_permissions() {
        let facts = TokenFacts::of(&token(
            r#"{"tid":"T","scp":"openid SecurityEvents.Read.All"}"#,
        ));
        assert_eq!(facts.may_read(), Some(true));
    }

    #[test]
    fn an_opaque_token_tells_nothing() {
        for opaque in ["", "abc", "a.b.c", "EwBwA8l6BAAU"] {
            assert_eq!(TokenFacts::of(opaque), TokenFacts::default(), "{opaque}");
        }
    }

    #[test]
    fn a_refusal_is_told_by_its_first_line_and_number() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000222: expired.\r\nTrace ID: x","error_codes":[7000222]}"#;
        assert_eq!(
            refused(401, body, ""),
            Fault::Entra {
                status: 401,
                codes: vec![7_000_222],
                description: "AADSTS7000222: expired.".to_owned(),
            }
        );
    }

    #[test]
    fn a_refusal_that_is_no_json_keeps_its_status() {
        assert_eq!(
            refused(503, b"<html>", ""),
            Fault::Entra {
                status: 503,
                codes: Vec::new(),
                description: String::new(),
            }
        );
    }
}
