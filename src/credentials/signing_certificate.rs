//! A certificate with its private key.

use super::TokenError;
use super::keystore::{KeystoreContents, KeystoreError};
use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use secure_score_model::Timestamp;
use std::fmt;
use std::sync::Arc;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The certificate of an application, and its private key.
///
/// AWS-LC holds the key and wipes it. The key cannot be read back.
#[derive(Clone)]
pub(super) struct SigningCertificate {
    der: Arc<[u8]>,
    key: Arc<RsaKeyPair>,
    /// The start of its validity.
    pub(super) not_before: Timestamp,
    /// The end of its validity.
    pub(super) not_after: Timestamp,
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

impl SigningCertificate {
    /// The certificate of the key. Of several, the one that expires last.
    pub(super) fn new(contents: KeystoreContents) -> Result<Self, KeystoreError> {
        let key = Arc::new(contents.key);
        let mut matching = Vec::new();
        for der in contents.certificates {
            let (_, read) =
                X509Certificate::from_der(&der).map_err(|_| KeystoreError::Certificate)?;
            if *read.public_key().subject_public_key.data == *key.public_key().as_ref() {
                let validity = read.validity();
                matching.push(Self {
                    not_before: Timestamp::from_seconds(validity.not_before.timestamp()),
                    not_after: Timestamp::from_seconds(validity.not_after.timestamp()),
                    key: Arc::clone(&key),
                    der: der.into(),
                });
            }
        }
        // Of those with the same end the first one.
        let last = matching.into_iter().rev().max_by_key(|it| it.not_after);
        last.ok_or(KeystoreError::KeyMismatch)
    }

    /// SHA-256 of the certificate, by which Entra identifies it.
    pub(super) fn thumbprint(&self) -> impl AsRef<[u8]> {
        digest::digest(&SHA256, &self.der)
    }

    /// The signature of a message: RSASSA-PSS with SHA-256 (`PS256` of RFC
    /// 7518).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(&RSA_PSS_SHA256, &random, message, &mut signature)
            .map_err(|_| TokenError::unusable("the private key cannot sign"))?;
        Ok(signature)
    }
}
