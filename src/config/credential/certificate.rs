//! A certificate, with the private key that signs for it.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::keystore::{KeystoreFault, Parts, PrivateKey};
use secure_score_model::Timestamp;

/// A certificate an application is known by, and its private key.
///
/// The key is kept by AWS-LC, which wipes it, and is never handed out.
#[derive(Clone)]
pub struct ClientCertificate {
    der: Arc<[u8]>,
    key: Arc<RsaKeyPair>,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// The certificate names the key, so two with one certificate are one.
impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for ClientCertificate {}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// The library would not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the private key would not sign")]
pub struct Unsigned;

impl ClientCertificate {
    /// Finds the certificate that belongs to the key, the one that holds
    /// longest where there are several.
    pub(super) fn of(parts: Parts) -> Result<Self, KeystoreFault> {
        let key = rsa(&parts.key)?;
        let mut best: Option<Self> = None;
        let key = Arc::new(key);
        for der in parts.certificates {
            let (_, read) =
                X509Certificate::from_der(&der).map_err(|_| KeystoreFault::Certificate)?;
            if *read.public_key().subject_public_key.data != *key.public_key().as_ref() {
                continue;
            }
            let validity = read.validity();
            let one = Self {
                not_before: Timestamp::from_seconds(validity.not_before.timestamp()),
                not_after: Timestamp::from_seconds(validity.not_after.timestamp()),
                key: Arc::clone(&key),
                der: der.into(),
            };
            if best
                .as_ref()
                .is_none_or(|best| best.not_after < one.not_after)
            {
                best = Some(one);
            }
        }
        best.ok_or(KeystoreFault::Strangers)
    }

    /// Its first moment.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Its last moment.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// SHA-256 of the certificate, 32 bytes: how Entra finds it.
    pub fn thumbprint(&self) -> impl AsRef<[u8]> {
        digest::digest(&SHA256, &self.der)
    }

    /// RSASSA-PSS with SHA-256 over a message (`PS256` of RFC 7518).
    ///
    /// # Errors
    ///
    /// [`Unsigned`] where the library fails, as without randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unsigned> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| Unsigned)?;
        Ok(signature)
    }
}

fn rsa(key: &PrivateKey) -> Result<RsaKeyPair, KeystoreFault> {
    let read = match key {
        PrivateKey::Pkcs8(der) => RsaKeyPair::from_pkcs8(der),
        PrivateKey::Pkcs1(der) => RsaKeyPair::from_der(der),
        PrivateKey::Elliptic => return Err(KeystoreFault::NotRsa),
    };
    read.map_err(|rejected| match rejected.to_string().as_str() {
        "WrongAlgorithm" => KeystoreFault::NotRsa,
        "TooSmall" => KeystoreFault::TooSmall,
        _ => KeystoreFault::Key,
    })
}
