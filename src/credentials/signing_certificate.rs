//! A certificate with its private key.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::keystore::{KeystoreContents, KeystoreError, PrivateKey};
use secure_score_model::Timestamp;

/// The certificate of an application, and its private key.
///
/// AWS-LC holds the key and wipes it. The key cannot be read back.
#[derive(Clone)]
pub(super) struct SigningCertificate {
    der: Arc<[u8]>,
    key: Arc<RsaKeyPair>,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// The certificate contains the public key, so the keys are equal, too.
impl PartialEq for SigningCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for SigningCertificate {}

impl fmt::Debug for SigningCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningCertificate")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// Signing failed, such as without randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the private key cannot sign")]
pub(super) struct SigningError;

impl SigningCertificate {
    /// The certificate of the key. Of several, the one that expires last.
    pub(super) fn new(contents: KeystoreContents) -> Result<Self, KeystoreError> {
        let key = Arc::new(rsa_key(&contents.key)?);
        let mut best: Option<Self> = None;
        for der in contents.certificates {
            let (_, read) =
                X509Certificate::from_der(&der).map_err(|_| KeystoreError::Certificate)?;
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
        best.ok_or(KeystoreError::KeyMismatch)
    }

    /// The start of its validity.
    pub(super) fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The end of its validity.
    pub(super) fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// SHA-256 of the certificate, by which Entra identifies it.
    pub(super) fn thumbprint(&self) -> impl AsRef<[u8]> {
        digest::digest(&SHA256, &self.der)
    }

    /// The signature of a message: RSASSA-PSS with SHA-256 (`PS256` of RFC
    /// 7518).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| SigningError)?;
        Ok(signature)
    }
}

fn rsa_key(key: &PrivateKey) -> Result<RsaKeyPair, KeystoreError> {
    let read = match key {
        PrivateKey::Pkcs8(der) => RsaKeyPair::from_pkcs8(der),
        PrivateKey::Pkcs1(der) => RsaKeyPair::from_der(der),
        PrivateKey::Elliptic => return Err(KeystoreError::NotRsa),
    };
    read.map_err(|rejected| match rejected.to_string().as_str() {
        "WrongAlgorithm" => KeystoreError::NotRsa,
        "TooSmall" => KeystoreError::TooSmall,
        _ => KeystoreError::Key,
    })
}
