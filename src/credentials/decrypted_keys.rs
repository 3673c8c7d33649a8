//! A cache of certificates whose private key is encrypted.

use super::signing_certificate::SigningCertificate;
use crate::config_values::Secret;
use aws_lc_rs::digest::{Context, SHA256};
use parking_lot::Mutex;
use std::fmt;

/// More certificates than any configuration has.
const MAX_ENTRIES: usize = 64;

/// The certificates whose private key was decrypted before.
///
/// Decryption with a password takes up to half a second by design, and the
/// exporter reads the files every few seconds to notice changes.
#[derive(Default)]
pub struct DecryptedKeyCache(Mutex<Vec<(KeyDigest, SigningCertificate)>>);

impl DecryptedKeyCache {
    pub(super) fn get(&self, digest: &KeyDigest) -> Option<SigningCertificate> {
        let entries = self.0.lock();
        let found = entries.iter().find(|(known, _)| known == digest);
        found.map(|(_, certificate)| certificate.clone())
    }

    /// Adds a certificate, in place of the oldest one if the cache is full.
    pub(super) fn insert(&self, digest: KeyDigest, certificate: &SigningCertificate) {
        let mut entries = self.0.lock();
        if entries.len() == MAX_ENTRIES {
            entries.remove(0);
        }
        entries.push((digest, certificate.clone()));
    }
}

impl fmt::Debug for DecryptedKeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptedKeyCache(<secret>)")
    }
}

/// SHA-256 of the files and the password.
#[derive(PartialEq, Eq)]
pub(super) struct KeyDigest(Vec<u8>);

impl KeyDigest {
    pub(super) fn new(file: &[u8], key: Option<&[u8]>, password: &Secret) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [file, key.unwrap_or_default(), password.expose().as_bytes()] {
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        Self(context.finish().as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_each_part_and_on_its_end() {
        let password = |text: &str| Secret::new(text.to_owned());
        let digest = KeyDigest::new(b"ab", Some(b"c"), &password("d"));
        for other in [
            KeyDigest::new(b"a", Some(b"bc"), &password("d")),
            KeyDigest::new(b"ab", Some(b"c"), &password("e")),
            KeyDigest::new(b"ab", None, &password("d")),
        ] {
            assert!(digest != other);
        }
        assert!(digest == KeyDigest::new(b"ab", Some(b"c"), &password("d")));
        assert!(DecryptedKeyCache::default().get(&digest).is_none());
    }
}
