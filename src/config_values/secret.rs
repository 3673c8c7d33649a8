//! Secrets, which never appear in output by accident.

use std::fmt;
use std::io;
use std::path::Path;
use strict_yaml::{Diagnostics, Text, io_reason, is_world_readable, read_at_most};

use super::environment::Environment;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// The limit keeps a path to `/dev/zero` from filling the memory.
const MAX_BYTES: u64 = 64 * 1024;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A value that is wiped when dropped and prints as `<secret>`.
#[derive(Clone)]
pub struct Secret(SecretString);

/// Compares a reloaded secret with the one in use. Both come from this machine,
/// so the comparison need not take constant time.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl Secret {
    /// The secret with this text.
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text. Call this only where the value is used, such as for a token
    /// request.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.expose_secret().len()
    }

    /// Whether it is a GUID, like the *id* of a secret.
    pub(crate) fn looks_like_guid(&self) -> bool {
        super::guid::is_guid(self.0.expose_secret())
    }

    /// Reads a secret from a file that contains nothing else.
    pub(crate) fn read(path: &Path) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(read_at_most(path, MAX_BYTES)?);
        let text = std::str::from_utf8(&bytes).map_err(|_| SecretError::Binary)?;
        Self::parse(text)
    }

    /// The secret with this text, without blanks, newlines and byte order marks
    /// around it, which editors and copying add. Newlines within are refused: the text is then
    /// probably not a secret, and Entra's error message for a wrong secret would
    /// not say so.
    pub(crate) fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK);
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        if text.contains(['\n', '\r', '\0']) {
            return Err(SecretError::Lines);
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

/// Why a text or file is not a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("cannot be read ({})", io_reason(.0))]
    Unreadable(io::Error),
    #[error("is empty; put the secret's value there")]
    Empty,
    #[error("is larger than 64 KiB; name a file that contains only the secret")]
    Large,
    #[error("is not text; store the secret as text (for a salt: openssl rand -base64 32)")]
    Binary,
    #[error("contains several lines or a NUL; it must contain only the secret")]
    Lines,
}

impl From<io::Error> for SecretError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Self::Large,
            _ => Self::Unreadable(error),
        }
    }
}

/// The secret in the file that a key names.
pub(crate) fn secret_from_file(
    path: &str,
    file: &Text,
    diagnostics: &mut Diagnostics,
) -> Option<Secret> {
    let location = diagnostics.base().join(file.value.trim());
    let secret = Secret::read(&location).map_err(|error| match error {
        SecretError::Unreadable(_) => {
            let place = diagnostics.looked_for_in(&location);
            format!("the file named here {error}{place}")
        }
        // It exists, so its name is no secret that was pasted here.
        SecretError::Empty => format!("the file {} {error}", location.display()),
        _ => format!("the file named here {error}"),
    });
    let secret = diagnostics.check(path, file, |_| secret)?;
    if is_world_readable(&location) {
        let message = "every user of this machine can read the secret; chmod 600 the file";
        diagnostics.warn(file.span, path, message);
    }
    Some(secret)
}

/// The secret in the environment variable that a key names.
pub(crate) fn secret_from_variable(
    path: &str,
    variable: &Text,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Option<Secret> {
    diagnostics.check(path, variable, |name| match environment.get(name) {
        Some(text) => Secret::parse(text).map_err(|error| format!("the variable's value {error}")),
        None => Err(
            "the variable named here is not set or empty; set it to the secret's value".to_owned(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "<secret> <secret> Some(<secret>)"
        );
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn blanks_and_newlines_around_a_secret_are_removed() {
        assert_eq!(Secret::parse("a b\n").unwrap().expose(), "a b");
        assert_eq!(Secret::parse("\tab \r\n\n").unwrap().expose(), "ab");
        assert_eq!(Secret::parse("\u{feff}ab\n").unwrap().expose(), "ab");
        assert!(matches!(Secret::parse("a\nb"), Err(SecretError::Lines)));
        assert!(matches!(Secret::parse("a\0b"), Err(SecretError::Lines)));
        assert!(matches!(
            Secret::parse("\u{feff} \n"),
            Err(SecretError::Empty)
        ));
    }

    #[test]
    fn a_secret_saved_by_an_editor_of_windows_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let utf_16: Vec<u8> = "\u{feff}ab~\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [&b"\xef\xbb\xbfab~ \r\n"[..], &utf_16] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(Secret::read(&path).unwrap().expose(), "ab~");
        }
    }

    #[test]
    fn an_endless_file_is_refused() {
        assert!(matches!(
            Secret::read(Path::new("/dev/zero")),
            Err(SecretError::Large)
        ));
    }
}
