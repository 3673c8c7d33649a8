//! Client assertions: signed tokens that an application sends in place of a
//! secret.

use super::TokenError;
use super::signing_certificate::SigningCertificate;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;
use zeroize::Zeroizing;

/// How long an assertion is valid. Entra accepts ten minutes at most, and the
/// clock may be some of them slow.
const LIFETIME_SECONDS: u64 = 600;

/// An assertion for one request.
pub(super) struct Assertion(Zeroizing<String>);

impl Assertion {
    pub(super) fn new(token: String) -> Self {
        Self(Zeroizing::new(token))
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assertion(<secret>)")
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.as_str().to_owned())
    }
}

/// An assertion for a token endpoint, signed with the certificate's key.
///
/// Source: "Microsoft identity platform application authentication certificate
/// credentials", assertion format with PS256 and `x5t#S256`.
pub(super) fn signed(
    certificate: &SigningCertificate,
    client_id: &str,
    audience: &str,
) -> Result<Assertion, TokenError> {
    let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(certificate.thumbprint());
    let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint});
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    let claims = json!({
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": Uuid::new_v4().to_string(),
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
    });
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let signature = certificate.sign(message.as_bytes())?;
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
    Ok(Assertion::new(format!("{message}.{signature}")))
}

fn encode(part: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part.to_string())
}
