//! An access token, and what it says of itself.

use super::LONGEST_MESSAGE;
use super::error::{GraphError, Subject};
use super::text::{printable, scrubbed};
use super::wire::{self, Claims};
use azure_core::credentials::{AccessToken, Secret};
use azure_core::time::OffsetDateTime;
use base64::Engine as _;
use std::time::Duration;
use tokio::time::Instant;

/// The share of a token's life after which a new one is asked for.
const RENEW_AFTER: f64 = 0.8;

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
    pub(super) renew_at: Instant,
    pub(super) expires_at: Instant,
    pub(super) facts: TokenFacts,
}

impl Token {
    /// Takes a token that was just handed out.
    pub(super) fn of(acquired: AccessToken) -> Result<Self, GraphError> {
        let life =
            Duration::try_from(acquired.expires_on - OffsetDateTime::now_utc()).unwrap_or_default();
        if life < SHORTEST_LIFE || acquired.token.secret().is_empty() {
            return Err(GraphError::malformed(
                Subject::Token,
                "it is empty or expires at once; check this machine's clock",
            ));
        }
        let now = Instant::now();
        Ok(Self {
            renew_at: now + life.mul_f64(RENEW_AFTER),
            expires_at: now + life - SHORTEST_LIFE,
            facts: TokenFacts::of(acquired.token.secret()),
            bearer: acquired.token,
        })
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.bearer.secret())
    }

    /// A text that may echo the request, without the token.
    pub(super) fn scrub(&self, text: &str) -> String {
        scrubbed(text, &[self.bearer.secret()])
    }

    /// Whether an answer repeats the token.
    pub(super) fn is_in(&self, body: &[u8]) -> bool {
        memchr::memmem::find(body, self.bearer.secret().as_bytes()).is_some()
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
}
