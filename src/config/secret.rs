//! Secrets: where they come from, and that they never leave by accident.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use strict_yaml::{io_reason, open_file};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// No secret we read is longer; a path to `/dev/zero` must not fill the memory.
const LARGEST: u64 = 64 * 1024;

/// A value that is wiped when dropped and prints as `<secret>`.
#[derive(Clone)]
pub struct Secret(SecretString);

/// Whether a secret on disk is still the one in use. Both sides are ours, so
/// the time it takes tells nobody anything.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl Secret {
    /// Takes the text over; the caller's copy is consumed.
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The one door out. Call it only where the value is used: for the token
    /// request, and as the key of the hash.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// How many bytes it has; a rule about length needs no look inside.
    pub(super) fn len(&self) -> usize {
        self.0.expose_secret().len()
    }

    /// Whether it has the form of a GUID, as the *id* of a secret does.
    pub(super) fn looks_like_guid(&self) -> bool {
        super::guid::is_guid(self.0.expose_secret())
    }

    /// Reads a secret from a file that holds nothing else.
    ///
    /// One newline at the end is forgiven, since every editor adds it. A
    /// newline inside is not: it means that the file holds something else, and
    /// Entra's answer to a wrong secret does not say so.
    pub(super) fn read(path: &Path) -> Result<Self, SecretFault> {
        let mut bytes = Zeroizing::new(Vec::new());
        open_file(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            return Err(SecretFault::Large);
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| SecretFault::Binary)?;
        Self::checked(text)
    }

    /// The rules for the text of a secret, wherever it came from.
    pub(super) fn checked(text: &str) -> Result<Self, SecretFault> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(SecretFault::Empty);
        }
        if text.contains(['\n', '\r', '\0']) {
            return Err(SecretFault::Lines);
        }
        Ok(Self::new(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Why a secret could not be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretFault {
    #[error("cannot be read ({})", io_reason(.0))]
    Unreadable(#[from] io::Error),
    #[error("is empty; put the secret's value there")]
    Empty,
    #[error("is larger than 64 KiB; name the file that holds the secret alone")]
    Large,
    #[error("is not text; store the secret as text, for a salt: openssl rand -base64 32")]
    Binary,
    #[error("holds several lines or a NUL; it must hold the secret alone")]
    Lines,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "<secret> <secret> Some(<secret>)"
        );
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn one_newline_at_the_end_is_forgiven_and_no_more() {
        assert_eq!(Secret::checked("a b\n").unwrap().expose(), "a b");
        assert_eq!(Secret::checked("ab\r\n").unwrap().expose(), "ab");
        assert!(matches!(Secret::checked("ab\n\n"), Err(SecretFault::Lines)));
        assert!(matches!(Secret::checked("a\0b"), Err(SecretFault::Lines)));
        assert!(matches!(Secret::checked("\n"), Err(SecretFault::Empty)));
    }

    #[test]
    fn a_path_that_never_ends_is_given_up() {
        assert!(matches!(
            Secret::read(Path::new("/dev/zero")),
            Err(SecretFault::Large)
        ));
    }
}
