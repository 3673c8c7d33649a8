//! Certificates whose key was unlocked before.
//!
//! A password is made slow to guess on purpose, up to half a second, and the
//! files are looked at every few seconds. What has not changed is not unlocked
//! again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};

use super::certificate::ClientCertificate;
use crate::config::Secret;

/// More certificates than any configuration has; the oldest is forgotten.
const KEPT: usize = 64;

static UNLOCKED: Mutex<Vec<(Seal, ClientCertificate)>> = Mutex::new(Vec::new());

/// SHA-256 of the files and the password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Seal(Vec<u8>);

impl Seal {
    pub(super) fn of(file: &[u8], key: Option<&[u8]>, password: &Secret) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [file, key.unwrap_or_default(), password.expose().as_bytes()] {
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        Self(context.finish().as_ref().to_vec())
    }

    /// What was unlocked from just this.
    pub(super) fn recall(&self) -> Option<ClientCertificate> {
        let unlocked = lock();
        let found = unlocked.iter().find(|(seal, _)| seal == self);
        found.map(|(_, certificate)| certificate.clone())
    }

    pub(super) fn remember(self, certificate: &ClientCertificate) {
        let mut unlocked = lock();
        if unlocked.len() == KEPT {
            unlocked.remove(0);
        }
        unlocked.push((self, certificate.clone()));
    }
}

fn lock() -> MutexGuard<'static, Vec<(Seal, ClientCertificate)>> {
    UNLOCKED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_of_each_part_and_of_where_it_ends() {
        let password = |text: &str| Secret::new(text.to_owned());
        let seal = Seal::of(b"ab", Some(b"c"), &password("d"));
        for other in [
            Seal::of(b"a", Some(b"bc"), &password("d")),
            Seal::of(b"ab", Some(b"c"), &password("e")),
            Seal::of(b"ab", None, &password("d")),
        ] {
            assert!(seal != other);
        }
        assert!(seal == Seal::of(b"ab", Some(b"c"), &password("d")));
        assert!(seal.recall().is_none());
    }
}
