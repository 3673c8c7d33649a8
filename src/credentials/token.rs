//! Access tokens and their claims.

use super::error::{TokenError, TokenErrorKind};
use crate::http_client::MAX_MESSAGE;
use crate::text::{clean_line, redact};
use azure_core::credentials::{AccessToken, Secret};
use azure_core::time::OffsetDateTime;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;

/// The share of a token's lifetime after which it is renewed.
const RENEW_AFTER: f64 = 0.8;

/// A token that expires sooner than this is not used.
const MIN_LIFETIME: Duration = Duration::from_secs(10);

/// A longer lifetime counts as this one. Entra's tokens are valid for an hour or
/// so, those of a managed identity for a day.
pub(super) const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A longer token is none. Entra's have some thousand bytes; a header of any
/// size would end the connection that all tenants share.
const MAX_LENGTH: usize = 64 * 1024;

/// The permission the exporter needs; one is enough for Secure Score.
pub const PERMISSION: &str = "SecurityEvents.Read.All";

/// The permission that also allows changes. It includes [`PERMISSION`].
const WRITE_PERMISSION: &str = "SecurityEvents.ReadWrite.All";

/// The permissions of which each is enough for Secure Score, the one to grant
/// first.
pub const SECURE_SCORE_PERMISSIONS: [&str; 2] = [PERMISSION, WRITE_PERMISSION];

/// The permission for Entra's recommendations, which a tenant may grant too.
pub const RECOMMENDATIONS_PERMISSION: &str = "DirectoryRecommendations.Read.All";

/// The permission that also allows changes. It includes
/// [`RECOMMENDATIONS_PERMISSION`].
const RECOMMENDATIONS_WRITE_PERMISSION: &str = "DirectoryRecommendations.ReadWrite.All";

/// A token in use.
pub struct Token {
    bearer: Secret,
    header: HeaderValue,
    pub(super) renew_at: Instant,
    pub(super) expires_at: Instant,
    /// Its claims.
    pub facts: TokenFacts,
}

impl Token {
    pub(super) fn new(issued: AccessToken) -> Result<Self, TokenError> {
        let left = issued.expires_on - OffsetDateTime::now_utc();
        let lifetime = Duration::try_from(left).unwrap_or_default();
        let lifetime = lifetime.min(MAX_LIFETIME);
        let bearer = issued.token.secret();
        if lifetime < MIN_LIFETIME || bearer.is_empty() {
            let what = "it is empty or expires at once; check this machine's clock";
            return Err(TokenErrorKind::Malformed(what).into());
        }
        let header = match HeaderValue::try_from(format!("Bearer {bearer}")) {
            Ok(header) if bearer.len() <= MAX_LENGTH => header,
            _ => {
                let what = "it is too long or has characters that a header cannot hold";
                return Err(TokenErrorKind::Malformed(what).into());
            }
        };
        let now = Instant::now();
        Ok(Self {
            renew_at: now + lifetime.mul_f64(RENEW_AFTER),
            expires_at: now + lifetime - MIN_LIFETIME,
            facts: TokenFacts::parse(bearer),
            bearer: issued.token,
            header,
        })
    }

    /// The value of the `Authorization` header.
    pub fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// One with this bearer, for an hour.
    #[cfg(test)]
    pub(crate) fn for_test(bearer: &str) -> Self {
        let expires_on = OffsetDateTime::now_utc() + Duration::from_secs(3600);
        Self::new(AccessToken::new(bearer.to_owned(), expires_on)).expect("it is valid")
    }

    /// The plain words of an answer's text, in case it echoes the request.
    pub fn redact(&self, text: &str) -> String {
        redact(text, &[self.bearer.secret()])
    }

    /// Whether a body contains the token.
    pub fn is_in(&self, body: &[u8]) -> bool {
        memchr::memmem::find(body, self.bearer.secret().as_bytes()).is_some()
    }
}

/// The claims of a token, as far as it can be read. Microsoft calls tokens
/// opaque, so each of them may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// The tenant it was issued for.
    pub tenant_id: Option<String>,
    /// Its permissions: application roles or delegated scopes; `None` if the
    /// token cannot be read.
    pub permissions: Option<Vec<String>>,
}

impl TokenFacts {
    /// Reads the middle part of a JSON web token. Another format is no error.
    pub fn parse(bearer: &str) -> Self {
        let claims = bearer
            .split('.')
            .nth(1)
            .and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok())
            .and_then(|json| serde_json::from_slice::<Claims>(&json).ok())
            .unwrap_or_default();
        let clean = |permission: &str| clean_line(permission, MAX_MESSAGE).into_owned();
        // A readable application token without any role has neither claim.
        let is_readable = claims.tid.is_some() || claims.roles.is_some() || claims.scp.is_some();
        let roles = claims.roles.iter().flatten().map(String::as_str);
        let scopes = claims.scp.iter().flat_map(|it| it.split_whitespace());
        Self {
            permissions: is_readable.then(|| roles.chain(scopes).map(clean).collect()),
            tenant_id: claims.tid,
        }
    }

    /// The permissions that the exporter does not need; that for Entra's
    /// recommendations it needs if they are to be read.
    pub fn unneeded(&self, recommendations: bool) -> Vec<&str> {
        let permissions = self.permissions.iter().flatten().map(String::as_str);
        let is_used = |name: &&str| match *name {
            PERMISSION => true,
            RECOMMENDATIONS_PERMISSION => recommendations,
            _ => false,
        };
        permissions.filter(|name| !is_used(name)).collect()
    }

    /// The permissions to read for which it has the permission to change alone,
    /// likewise.
    pub fn missing_read_only(&self, recommendations: bool) -> Vec<&'static str> {
        let has = |name: &str| self.permissions.iter().flatten().any(|it| it == name);
        let pairs = [
            (WRITE_PERMISSION, PERMISSION, true),
            (
                RECOMMENDATIONS_WRITE_PERMISSION,
                RECOMMENDATIONS_PERMISSION,
                recommendations,
            ),
        ];
        let missing = pairs
            .into_iter()
            .filter(|(write, read, used)| *used && has(write) && !has(read));
        missing.map(|(_, read, _)| read).collect()
    }

    /// Whether it has the permission; `None` if its permissions are unknown.
    pub fn may_read(&self) -> Option<bool> {
        self.has_any(SECURE_SCORE_PERMISSIONS)
    }

    /// Whether it has the permission for Entra's recommendations, likewise.
    pub fn may_read_recommendations(&self) -> Option<bool> {
        self.has_any([RECOMMENDATIONS_PERMISSION, RECOMMENDATIONS_WRITE_PERMISSION])
    }

    /// The permission to grant for each of these pairs of which it has none; empty
    /// if its permissions are unknown.
    pub(super) fn missing(&self, pairs: &[[&'static str; 2]]) -> Vec<&'static str> {
        let missing = pairs.iter().filter(|it| self.has_any(**it) == Some(false));
        missing.map(|[grant, _]| *grant).collect()
    }

    fn has_any(&self, names: [&str; 2]) -> Option<bool> {
        let mut permissions = self.permissions.as_ref()?.iter();
        Some(permissions.any(|it| names.contains(&it.as_str())))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Claims {
    tid: Option<String>,
    roles: Option<Vec<String>>,
    scp: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued(bearer: &str, expires_on: OffsetDateTime) -> Result<Token, TokenError> {
        Token::new(AccessToken::new(bearer.to_owned(), expires_on))
    }

    #[test]
    fn a_token_that_no_header_can_hold_is_malformed() {
        let tomorrow = OffsetDateTime::now_utc() + MAX_LIFETIME;
        assert!(issued("abc", tomorrow).is_ok());
        let long = "a".repeat(MAX_LENGTH + 1);
        for bearer in ["", "a\nb", "a\u{7f}", "a\0", &long] {
            let error = issued(bearer, tomorrow).err().unwrap();
            assert_eq!(error.reason(), secure_score_model::Reason::Token);
        }
    }

    #[test]
    fn a_lifetime_of_thousands_of_years_is_a_day() {
        let token = issued(
            "abc",
            azure_core::time::parse_rfc3339("9999-12-31T00:00:00Z").unwrap(),
        );
        assert!(token.unwrap().expires_at <= Instant::now() + MAX_LIFETIME);
    }

    #[test]
    fn roles_or_delegated_scopes_are_the_permissions() {
        for (claims, may_read) in [
            (r#"{"tid":"T","roles":["SecurityEvents.Read.All"]}"#, true),
            (
                r#"{"tid":"T","scp":"openid SecurityEvents.Read.All"}"#,
                true,
            ),
            (
                r#"{"tid":"T","roles":[],"scp":"SecurityEvents.Read.All"}"#,
                true,
            ),
            (r#"{"tid":"T"}"#, false),
        ] {
            let token = format!("e30.{}.", BASE64_URL_SAFE_NO_PAD.encode(claims));
            let facts = TokenFacts::parse(&token);
            assert_eq!(facts.tenant_id.as_deref(), Some("T"));
            assert_eq!(facts.may_read(), Some(may_read), "{claims}");
        }
    }

    #[test]
    fn a_permission_that_includes_another_stands_for_it() {
        let lists = ["Lists.Read.All", "Lists.ReadWrite.All"];
        let pairs = [SECURE_SCORE_PERMISSIONS, lists];
        for (roles, missing) in [
            (&["Lists.ReadWrite.All"][..], vec![PERMISSION]),
            (&[WRITE_PERMISSION, "Lists.Read.All"], vec![]),
            (&["User.Read"], vec![PERMISSION, "Lists.Read.All"]),
        ] {
            let facts = TokenFacts {
                permissions: Some(roles.iter().map(|it| (*it).to_owned()).collect()),
                tenant_id: None,
            };
            assert_eq!(facts.missing(&pairs), missing, "{roles:?}");
        }
        assert!(TokenFacts::default().missing(&pairs).is_empty());
    }

    #[test]
    fn an_opaque_token_has_no_claims() {
        for opaque in ["", "abc", "a.b.c", "EwBwA8l6BAAU"] {
            assert_eq!(TokenFacts::parse(opaque), TokenFacts::default(), "{opaque}");
        }
    }
}
