//! Whom the applications trust beside those who know their secret: holders of
//! a registered certificate, and the tokens of one issuer.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::token::Claims;

/// What a federated token must be meant for.
pub(super) const EXCHANGE: &str = "api://AzureADTokenExchange";

/// How far clocks may differ, in seconds.
const SKEW: i64 = 300;
/// The longest life of an application's own assertion, in seconds.
const LONGEST_LIFE: i64 = 600;

/// What a token of the issuer's says. By default what the applications trust:
/// a service account of a Kubernetes cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FederatedClaims {
    /// Who signed it.
    pub issuer: String,
    /// Whom it is about.
    pub subject: String,
    /// Whom it is for.
    pub audience: String,
    /// Seconds until it ends; it has ended where this is negative.
    pub lifetime_seconds: i64,
}

impl Default for FederatedClaims {
    fn default() -> Self {
        Self {
            issuer: "https://cluster.example/".to_owned(),
            subject: "system:serviceaccount:monitoring:secure-score-exporter".to_owned(),
            audience: EXCHANGE.to_owned(),
            lifetime_seconds: 3600,
        }
    }
}

/// No certificate could be read, or no key be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The text holds no PEM certificate.
    #[error("there is no PEM certificate here")]
    NotACertificate,
    /// The issuer's key could not be made or would not sign.
    #[error("the issuer cannot sign")]
    NoIssuer,
}

/// The certificates and the issuer all applications of a world trust.
#[derive(Default)]
pub(super) struct Trust {
    certificates: Mutex<Vec<Registered>>,
    issuer: OnceLock<Option<RsaKeyPair>>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Registered {
    thumbprint: String,
    /// The public key as PKCS#1.
    key: Vec<u8>,
    not_after: i64,
}

/// An assertion, read but not yet believed.
struct Assertion<'a> {
    header: Value,
    claims: Value,
    message: &'a str,
    signature: Vec<u8>,
}

impl Trust {
    /// Registers a certificate with all applications.
    pub(super) fn register(&self, pem: &str) -> Result<(), TrustError> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| TrustError::NotACertificate)?;
        let (_, read) = X509Certificate::from_der(&der).map_err(|_| TrustError::NotACertificate)?;
        let registered = Registered {
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, &der)),
            key: read.public_key().subject_public_key.data.to_vec(),
            not_after: read.validity().not_after.timestamp(),
        };
        let mut certificates = self
            .certificates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        certificates.push(registered);
        Ok(())
    }

    /// A token of the issuer's.
    pub(super) fn federated(
        &self,
        claims: &FederatedClaims,
        now: Timestamp,
    ) -> Result<String, TrustError> {
        let key = self.issuer().ok_or(TrustError::NoIssuer)?;
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
        .map_err(|_| TrustError::NoIssuer)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn issuer(&self) -> Option<&RsaKeyPair> {
        let made = || RsaKeyPair::generate(KeySize::Rsa2048).ok();
        self.issuer.get_or_init(made).as_ref()
    }

    /// Whether an assertion opens the application; the number of the refusal
    /// otherwise.
    pub(super) fn check(
        &self,
        assertion: &str,
        client_id: &str,
        (token_url, token_key): (&str, u64),
        now: Timestamp,
    ) -> Result<(), u32> {
        let read = Assertion::read(assertion).ok_or(50_027_u32)?;
        match read.header.get("x5t#S256").and_then(Value::as_str) {
            Some(thumbprint) => self.check_own(&read, thumbprint, (client_id, token_url), now),
            None => match Claims::from_token(assertion, token_key, now) {
                // A managed identity's token, in which the application trusts.
                Some(claims) if claims.aud == EXCHANGE => Ok(()),
                Some(_) => Err(700_212),
                None => self.check_federated(&read, now),
            },
        }
    }

    /// An assertion the application signed itself, with its certificate.
    fn check_own(
        &self,
        assertion: &Assertion<'_>,
        thumbprint: &str,
        (client_id, token_url): (&str, &str),
        now: Timestamp,
    ) -> Result<(), u32> {
        let registered = self
            .certificates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|one| one.thumbprint == thumbprint)
            .cloned()
            .ok_or(700_027_u32)?;
        if assertion.header.get("alg").and_then(Value::as_str) != Some("PS256")
            || !assertion.is_signed_by(&RSA_PSS_2048_8192_SHA256, &registered.key)
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
        let (start, end) = (assertion.second("nbf"), assertion.second("exp"));
        if assertion.text("jti").is_empty() || end.saturating_sub(start) > LONGEST_LIFE {
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
    fn read(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let json = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        Some(Self {
            header: json(header)?,
            claims: json(claims)?,
            message,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    fn text(&self, key: &str) -> &str {
        let value = self.claims.get(key).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    fn second(&self, key: &str) -> i64 {
        let value = self.claims.get(key).and_then(Value::as_i64);
        value.unwrap_or_default()
    }

    fn is_signed_by(&self, how: &'static dyn VerificationAlgorithm, key: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(how, key);
        key.verify(self.message.as_bytes(), &self.signature).is_ok()
    }

    fn check_times(&self, now: Timestamp) -> Result<(), u32> {
        let now = now.as_second();
        let (start, end) = (self.second("nbf"), self.second("exp"));
        (start - SKEW <= now && now < end.saturating_add(SKEW))
            .then_some(())
            .ok_or(700_024)
    }
}
