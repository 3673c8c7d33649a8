//! The credentials that applications accept besides their secret: assertions
//! signed with a registered certificate, and tokens of one federated issuer.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::token::Claims;

/// The audience of a federated token.
const FEDERATED_AUDIENCE: &str = "api://AzureADTokenExchange";

/// The tolerated difference between clocks, in seconds.
const CLOCK_SKEW: i64 = 300;

/// The maximum lifetime of a certificate assertion, in seconds: that of
/// azure-identity for Python, the longest of Microsoft's libraries.
const MAX_ASSERTION_LIFETIME: i64 = 30 * 60;

/// The claims of a federated token. The default is the identity that the
/// applications trust, a service account of a Kubernetes cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FederatedClaims {
    /// The issuer.
    pub issuer: String,
    /// The identity.
    pub subject: String,
    /// The service that accepts the token.
    pub audience: String,
    /// Seconds until the token expires; negative for an expired token.
    pub lifetime_seconds: i64,
}

impl Default for FederatedClaims {
    fn default() -> Self {
        Self {
            issuer: "https://cluster.example/".to_owned(),
            subject: "system:serviceaccount:monitoring:secure-score-exporter".to_owned(),
            audience: FEDERATED_AUDIENCE.to_owned(),
            lifetime_seconds: 3600,
        }
    }
}

/// Why a credential could not be registered or issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The text holds no PEM certificate.
    #[error("the text contains no PEM certificate; send one certificate in PEM")]
    NotACertificate,
    /// The issuer's key could not be generated, or did not sign.
    #[error("the federated issuer could not sign the token")]
    Signing,
}

/// The certificates and the issuer that all applications accept.
#[derive(Default)]
pub(crate) struct TrustedCredentials {
    certificates: Mutex<Vec<RegisteredCertificate>>,
    /// Generated on first use: RSA keys are slow to generate.
    issuer: OnceLock<Option<RsaKeyPair>>,
}

/// Omits the issuer's private key.
impl fmt::Debug for TrustedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedCredentials").finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct RegisteredCertificate {
    sha1: String,
    sha256: String,
    /// The public key as PKCS#1.
    key: Vec<u8>,
    not_after: i64,
}

/// The certificate that an assertion names. Older libraries of Microsoft send SHA-1
/// with RS256, newer ones SHA-256 with PS256.
enum Thumbprint<'a> {
    Sha1(&'a str),
    Sha256(&'a str),
}

impl Thumbprint<'_> {
    fn is_of(&self, certificate: &RegisteredCertificate) -> bool {
        match self {
            Self::Sha1(text) => certificate.sha1 == *text,
            Self::Sha256(text) => certificate.sha256 == *text,
        }
    }

    fn algorithm(&self) -> (&'static str, &'static dyn VerificationAlgorithm) {
        match self {
            Self::Sha1(_) => ("RS256", &RSA_PKCS1_2048_8192_SHA256),
            Self::Sha256(_) => ("PS256", &RSA_PSS_2048_8192_SHA256),
        }
    }
}

/// A decoded, unverified assertion.
struct Assertion<'a> {
    header: Value,
    claims: Value,
    message: &'a str,
    signature: Vec<u8>,
}

impl TrustedCredentials {
    /// Registers a certificate with all applications.
    pub(crate) fn register_certificate(&self, pem: &str) -> Result<(), CredentialError> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| CredentialError::NotACertificate)?;
        let (_, certificate) =
            X509Certificate::from_der(&der).map_err(|_| CredentialError::NotACertificate)?;
        let registered = RegisteredCertificate {
            sha1: URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der)),
            sha256: URL_SAFE_NO_PAD.encode(digest(&SHA256, &der)),
            key: certificate.public_key().subject_public_key.data.to_vec(),
            not_after: certificate.validity().not_after.timestamp(),
        };
        self.certificates.lock().push(registered);
        Ok(())
    }

    /// A token signed by the federated issuer.
    pub(crate) fn issue_federated_token(
        &self,
        claims: &FederatedClaims,
        now: Timestamp,
    ) -> Result<String, CredentialError> {
        let key = self.issuer().ok_or(CredentialError::Signing)?;
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": "issuer"});
        let start = now.as_second();
        let claims = json!({
            "iss": claims.issuer,
            "sub": claims.subject,
            "aud": [claims.audience],
            "iat": start,
            "nbf": start,
            "exp": start.saturating_add(claims.lifetime_seconds),
        });
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message.as_bytes(),
            &mut signature,
        )
        .map_err(|_| CredentialError::Signing)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn issuer(&self) -> Option<&RsaKeyPair> {
        let generate = || RsaKeyPair::generate(KeySize::Rsa2048).ok();
        self.issuer.get_or_init(generate).as_ref()
    }

    /// Checks an assertion of an application; the error is an AADSTS number.
    pub(crate) fn check_assertion(
        &self,
        assertion: &str,
        client_id: &str,
        (token_url, token_key): (&str, u64),
        now: Timestamp,
    ) -> Result<(), u32> {
        let decoded = Assertion::decode(assertion).ok_or(50_027_u32)?;
        match decoded.thumbprint() {
            Some(thumbprint) => {
                self.check_certificate(&decoded, &thumbprint, (client_id, token_url), now)
            }
            None => match Claims::from_token(assertion, token_key, now) {
                // A managed identity as the federated identity.
                Some(claims) if claims.aud == FEDERATED_AUDIENCE => Ok(()),
                Some(_) => Err(700_212),
                None => self.check_federated(&decoded, now),
            },
        }
    }

    /// An assertion that the application signed with its certificate.
    fn check_certificate(
        &self,
        assertion: &Assertion<'_>,
        thumbprint: &Thumbprint<'_>,
        (client_id, token_url): (&str, &str),
        now: Timestamp,
    ) -> Result<(), u32> {
        let registered = self
            .certificates
            .lock()
            .iter()
            .find(|one| thumbprint.is_of(one))
            .cloned()
            .ok_or(700_027_u32)?;
        let (name, algorithm) = thumbprint.algorithm();
        if assertion.header.get("alg").and_then(Value::as_str) != Some(name)
            || !assertion.is_signed_by(algorithm, &registered.key)
        {
            return Err(700_027);
        }
        if registered.not_after < now.as_second() {
            return Err(1_000_502);
        }
        if assertion.text("aud") != token_url {
            return Err(700_023);
        }
        if assertion.text("iss") != client_id || assertion.text("sub") != client_id {
            return Err(700_021);
        }
        let (start, end) = (assertion.start(), assertion.second("exp"));
        if assertion.text("jti").is_empty() || end.saturating_sub(start) > MAX_ASSERTION_LIFETIME {
            return Err(700_027);
        }
        assertion.check_times(now)
    }

    fn check_federated(&self, assertion: &Assertion<'_>, now: Timestamp) -> Result<(), u32> {
        let trusted = FederatedClaims::default();
        let key = self.issuer().ok_or(50_013_u32)?;
        if assertion.text("iss") != trusted.issuer {
            return Err(700_211);
        }
        if assertion.text("sub") != trusted.subject {
            return Err(700_213);
        }
        let audiences = assertion.claims.get("aud").and_then(Value::as_array);
        if !audiences.is_some_and(|all| all.iter().any(|one| *one == *trusted.audience)) {
            return Err(700_212);
        }
        if !assertion.is_signed_by(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref()) {
            return Err(50_013);
        }
        assertion.check_times(now)
    }
}

impl<'a> Assertion<'a> {
    fn decode(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        // azure-identity for Python pads the parts of a JWT.
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok();
        let json = |part: &str| -> Option<Value> { serde_json::from_slice(&bytes(part)?).ok() };
        Some(Self {
            header: json(header)?,
            claims: json(claims)?,
            message,
            signature: bytes(signature)?,
        })
    }

    fn text(&self, key: &str) -> &str {
        let value = self.claims.get(key).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    /// A time, which may have a fraction.
    fn second(&self, key: &str) -> i64 {
        let value = self.claims.get(key).and_then(Value::as_f64);
        value.unwrap_or_default() as i64
    }

    /// `nbf` is optional in a JWT.
    fn start(&self) -> i64 {
        let key = match self.claims.get("nbf") {
            Some(_) => "nbf",
            None => "iat",
        };
        self.second(key)
    }

    fn thumbprint(&self) -> Option<Thumbprint<'_>> {
        // MSAL for Python pads the thumbprint.
        let text = |key| Some(self.header.get(key)?.as_str()?.trim_end_matches('='));
        let sha256 = text("x5t#S256").map(Thumbprint::Sha256);
        sha256.or_else(|| text("x5t").map(Thumbprint::Sha1))
    }

    fn is_signed_by(&self, algorithm: &'static dyn VerificationAlgorithm, key: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(algorithm, key);
        key.verify(self.message.as_bytes(), &self.signature).is_ok()
    }

    fn check_times(&self, now: Timestamp) -> Result<(), u32> {
        let now = now.as_second();
        let (start, end) = (self.start(), self.second("exp"));
        (start - CLOCK_SKEW <= now && now < end.saturating_add(CLOCK_SKEW))
            .then_some(())
            .ok_or(700_024)
    }
}
