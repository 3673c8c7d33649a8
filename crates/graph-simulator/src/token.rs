//! Access tokens: the shape of a JWT, readable by clients, good for here only.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::dice::roll;

/// The application permission Secure Score asks for.
pub(super) const ROLE: &str = "SecurityEvents.Read.All";

/// The claims of a token that matter here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) aud: String,
    pub(super) iss: String,
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
    pub(super) appid: String,
    pub(super) tid: String,
    pub(super) roles: Vec<String>,
    pub(super) ver: String,
    pub(super) idtyp: String,
    /// The tenant's name: `tid` may be made to lie.
    pub(super) sim_tenant: String,
    /// Void when the tenant has gone on to another number.
    pub(super) sim_generation: u64,
}

impl Claims {
    /// The times of a token that starts now.
    pub(super) fn times(now: Timestamp, lifetime: Duration) -> (i64, i64) {
        let start = now.as_second();
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        (start, start.saturating_add(lifetime))
    }

    /// Writes the token.
    ///
    /// The last part is no signature but a check sum with a key of the
    /// simulator: enough to refuse a token made elsewhere, without a list of
    /// those handed out.
    pub(super) fn to_token(&self, key: u64) -> String {
        let header = json!({"typ": "JWT", "alg": "none"}).to_string();
        let payload = serde_json::to_string(self).unwrap_or_default();
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let seal = seal(key, &signed);
        format!("{signed}.{seal}")
    }

    /// Reads a token written with the same key and not yet expired.
    pub(super) fn from_token(token: &str, key: u64, now: Timestamp) -> Option<Self> {
        let (signed, given) = token.rsplit_once('.')?;
        if given != seal(key, signed) {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Self = serde_json::from_slice(&payload).ok()?;
        (now.as_second() < claims.exp).then_some(claims)
    }

    /// Whether the token may read Secure Score.
    pub(super) fn may_read(&self) -> bool {
        self.roles
            .iter()
            .any(|role| role == ROLE || role == "SecurityEvents.ReadWrite.All")
    }
}

fn seal(key: u64, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(roll(key, text, 0).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            aud: "a".into(),
            iss: "i".into(),
            iat: 0,
            nbf: 0,
            exp: 100,
            appid: "app".into(),
            tid: "t".into(),
            roles: vec![ROLE.into()],
            ver: "1.0".into(),
            idtyp: "app".into(),
            sim_tenant: "contoso".into(),
            sim_generation: 0,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_reads_as_written_until_it_expires() {
        let token = claims().to_token(5);
        assert_eq!(Claims::from_token(&token, 5, at(99)), Some(claims()));
        assert_eq!(Claims::from_token(&token, 5, at(100)), None);
    }

    #[test]
    fn a_token_of_another_simulator_or_with_a_changed_letter_is_refused() {
        let token = claims().to_token(5);
        assert_eq!(Claims::from_token(&token, 6, at(1)), None);
        assert_eq!(
            Claims::from_token(&token.replacen('e', "f", 1), 5, at(1)),
            None
        );
        assert_eq!(Claims::from_token("nonsense", 5, at(1)), None);
    }
}
