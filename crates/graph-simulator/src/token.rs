//! Access tokens: JWTs that only this simulator accepts.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::rng::draw;

/// The permissions that read Secure Score; the first is the one that is granted.
pub(crate) const SECURE_SCORE_ROLES: [&str; 2] =
    ["SecurityEvents.Read.All", "SecurityEvents.ReadWrite.All"];

/// The permissions that read Entra's recommendations and the Identity Secure Score; the
/// first is the one that is granted.
pub(crate) const RECOMMENDATIONS_ROLES: [&str; 2] = [
    "DirectoryRecommendations.Read.All",
    "DirectoryRecommendations.ReadWrite.All",
];

/// The permissions that list a partner's customers and relationships.
pub(crate) const DELEGATED_ADMIN_ROLES: [&str; 2] = [
    "DelegatedAdminRelationship.Read.All",
    "DelegatedAdminRelationship.ReadWrite.All",
];

/// The permissions of applications that list the tenants of a multitenant organization;
/// the first is the one that is granted. `ReadBasic.All` is for users only.
pub(crate) const ORGANIZATION_ROLES: [&str; 2] = [
    "MultiTenantOrganization.Read.All",
    "MultiTenantOrganization.ReadWrite.All",
];

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) aud: String,
    pub(crate) iss: String,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
    pub(crate) appid: String,
    pub(crate) tid: String,
    /// The application permissions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) roles: Option<Vec<String>>,
    /// The delegated permissions, separated by blanks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scp: Option<String>,
    pub(crate) ver: String,
    pub(crate) idtyp: String,
    /// The tenant's name, since a fault can falsify `tid`.
    pub(crate) sim_tenant: String,
    /// The tenant's token generation; revocation starts a new one.
    pub(crate) sim_generation: u64,
}

impl Claims {
    /// Start and end of a token issued now.
    pub(crate) fn times(now: Timestamp, lifetime: Duration) -> (i64, i64) {
        let start = now.as_second();
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        (start, start.saturating_add(lifetime))
    }

    /// Encodes the token.
    ///
    /// The last part is a checksum with the simulator's key rather than a
    /// signature: it suffices to reject foreign tokens without a list of the
    /// issued ones.
    pub(crate) fn to_token(&self, key: u64) -> String {
        let header = json!({"typ": "JWT", "alg": "none"}).to_string();
        let payload = serde_json::to_string(self).unwrap_or_default();
        let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
        let message = format!("{header}.{payload}");
        let checksum = checksum(key, &message);
        format!("{message}.{checksum}")
    }

    /// Decodes an unexpired token that was encoded with the same key.
    pub(crate) fn from_token(token: &str, key: u64, now: Timestamp) -> Option<Self> {
        let (message, given) = token.rsplit_once('.')?;
        if given != checksum(key, message) {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(message.split_once('.')?.1).ok()?;
        let claims: Self = serde_json::from_slice(&payload).ok()?;
        (now.as_second() < claims.exp).then_some(claims)
    }

    /// Whether the token has one of these permissions.
    pub(crate) fn has_one_of(&self, permissions: &[&str]) -> bool {
        let roles = self.roles.iter().flatten().map(String::as_str);
        let scopes = self.scp.iter().flat_map(|scp| scp.split(' '));
        roles
            .chain(scopes)
            .any(|permission| permissions.contains(&permission))
    }
}

fn checksum(key: u64, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(draw(key, text, 0).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        let claims = json!({
            "aud": "a", "iss": "i", "iat": 0, "nbf": 0, "exp": 100, "appid": "app", "tid": "t",
            "roles": SECURE_SCORE_ROLES, "ver": "1.0", "idtyp": "app",
            "sim_tenant": "contoso", "sim_generation": 0,
        });
        serde_json::from_value(claims).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_is_valid_until_it_expires() {
        let token = claims().to_token(5);
        assert_eq!(Claims::from_token(&token, 5, at(99)), Some(claims()));
        assert_eq!(Claims::from_token(&token, 5, at(100)), None);
    }

    #[test]
    fn a_permission_is_a_role_or_a_scope() {
        let application = claims();
        let delegated = Claims {
            roles: None,
            scp: Some("User.Read DirectoryRecommendations.Read.All".to_owned()),
            ..claims()
        };
        assert!(application.has_one_of(&SECURE_SCORE_ROLES));
        assert!(!application.has_one_of(&RECOMMENDATIONS_ROLES));
        assert!(delegated.has_one_of(&RECOMMENDATIONS_ROLES));
        assert!(!delegated.has_one_of(&SECURE_SCORE_ROLES));
    }

    #[test]
    fn a_foreign_or_changed_token_is_rejected() {
        let token = claims().to_token(5);
        let changed = token.replacen('e', "f", 1);
        for (token, key) in [(token.as_str(), 6), (&changed, 5), ("nonsense", 5)] {
            assert_eq!(Claims::from_token(token, key, at(1)), None, "{token}");
        }
    }
}
