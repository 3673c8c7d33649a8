//! Files with a certificate and its private key: PEM or PKCS#12.

use crate::config_values::Secret;
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use exporter_web_config::{CertificatesError, certificates, pem_lines};
use memchr::memmem::find;
use p12_keystore::KeyStore;
use p12_keystore::error::Error as Pkcs12Error;
use pkcs8::EncryptedPrivateKeyInfo;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{self, PemObject as _};
use std::borrow::Cow;
use zeroize::Zeroizing;

/// Any PEM file contains this.
const PEM: &[u8] = b"-----BEGIN ";
const ENCRYPTED: (&str, &str) = (
    "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    "-----END ENCRYPTED PRIVATE KEY-----",
);
/// The header of keys that OpenSSL encrypted before PKCS#8.
const LEGACY_ENCRYPTED: &str = "Proc-Type: 4,ENCRYPTED";
/// The object identifiers of PKCS#12 bags that hold a private key: one that is
/// not encrypted, and an encrypted one.
const KEY_BAGS: [&[u8]; 2] = [
    b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01",
    b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02",
];

/// A private key and the certificates found with it, in DER.
pub(super) struct KeystoreContents {
    pub(super) certificates: Vec<Vec<u8>>,
    /// AWS-LC holds the key and wipes it.
    pub(super) key: RsaKeyPair,
    /// Whether the key is encrypted.
    pub(super) is_encrypted: bool,
}

/// Why a certificate cannot be used, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeystoreError {
    #[error("contains neither PEM nor PKCS#12; convert DER with `openssl x509 -inform der`")]
    Unknown,
    #[error("contains no certificate; add the one that was uploaded to the application")]
    NoCertificate,
    #[error("has a certificate that is damaged or cut off; copy the whole file again")]
    Certificate,
    #[error("{0}")]
    Certificates(CertificatesError),
    #[error("contains no private key; add it, or name its file as key_file")]
    NoKey,
    #[error("has a private key that is damaged or cut off; copy the whole file again")]
    Key,
    #[error(
        "has a key that is not RSA, the only kind Entra takes; make one with `openssl req -newkey rsa:3072`"
    )]
    NotRsa,
    #[error(
        "has an RSA key of less than 2048 bits; make a longer one with `openssl req -newkey rsa:3072`"
    )]
    TooSmall,
    #[error("needs a password; name its file as password_file, or a variable as password_env")]
    NeedsPassword,
    #[error("cannot be decrypted with this password; use the password of this file")]
    WrongPassword,
    #[error(
        "is encrypted in a way that is not supported; convert the key with `openssl pkcs8 -topk8`"
    )]
    Cipher,
    #[error(
        "is PKCS#12 with a private key that is not encrypted or belongs to none of its certificates; convert it with `openssl pkcs12 -in OLD -nodes -out NEW.pem`"
    )]
    Pkcs12Key,
    #[error(
        "is PKCS#12 encrypted in a way that is not supported; convert it with `openssl pkcs12 -in OLD -nodes -out NEW.pem`"
    )]
    Pkcs12Cipher,
    #[error("contains no certificate of this private key; put the matching pair there")]
    KeyMismatch,
    #[error("is PKCS#12, which contains the key itself; remove key_file")]
    SeparateKey,
}

impl KeystoreError {
    /// Whether the error is in the file of the key, if that is a separate one.
    pub(super) const fn concerns_key(self) -> bool {
        !matches!(
            self,
            Self::Unknown
                | Self::NoCertificate
                | Self::Certificate
                | Self::Certificates(_)
                | Self::KeyMismatch
        )
    }
}

/// Reads a file, with the key in it or in a separate file.
pub(super) fn open(
    file: &[u8],
    key_file: Option<&[u8]>,
    password: Option<&Secret>,
) -> Result<KeystoreContents, KeystoreError> {
    let is_pem = find(file, PEM).is_some();
    match (is_pem, key_file) {
        (true, key_file) => open_pem(file, key_file.unwrap_or(file), password),
        (false, Some(_)) => Err(KeystoreError::SeparateKey),
        (false, None) => open_pkcs12(&decode_base64(file), password),
    }
}

/// PKCS#12 as Key Vault and pipelines hand it out: coded in base64.
fn decode_base64(file: &[u8]) -> Cow<'_, [u8]> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace();
    let text: Vec<u8> = file.iter().copied().filter(|it| !is_blank(it)).collect();
    match BASE64_STANDARD.decode(Zeroizing::new(text)) {
        Ok(decoded) => Cow::Owned(decoded),
        Err(_) => Cow::Borrowed(file),
    }
}

fn open_pem(
    file: &[u8],
    key: &[u8],
    password: Option<&Secret>,
) -> Result<KeystoreContents, KeystoreError> {
    let certificates = certificates(file).map_err(|error| match error {
        CertificatesError::None => KeystoreError::NoCertificate,
        other => KeystoreError::Certificates(other),
    })?;
    let key = pem_lines(key);
    let encrypted = encrypted_key(&key);
    Ok(KeystoreContents {
        is_encrypted: encrypted.is_some(),
        certificates: certificates.iter().map(|der| der.to_vec()).collect(),
        key: match encrypted {
            Some(pem) => decrypt_key(pem, password)?,
            None => read_key(&key)?,
        },
    })
}

fn read_key(file: &str) -> Result<RsaKeyPair, KeystoreError> {
    if file.contains(LEGACY_ENCRYPTED) {
        return Err(KeystoreError::Cipher);
    }
    match PrivateKeyDer::from_pem_slice(file.as_bytes()) {
        Ok(PrivateKeyDer::Pkcs8(key)) => pkcs8_key(key.secret_pkcs8_der()),
        Ok(PrivateKeyDer::Pkcs1(key)) => rsa_key(RsaKeyPair::from_der(key.secret_pkcs1_der())),
        Ok(_) => Err(KeystoreError::NotRsa),
        Err(pem::Error::NoItemsFound) => Err(KeystoreError::NoKey),
        Err(_) => Err(KeystoreError::Key),
    }
}

/// A key under the label of PKCS#8. Key Vault writes PKCS#1 under it.
fn pkcs8_key(der: &[u8]) -> Result<RsaKeyPair, KeystoreError> {
    rsa_key(RsaKeyPair::from_pkcs8(der)).or_else(|error| match rsa_key(RsaKeyPair::from_der(der)) {
        Err(KeystoreError::Key) => Err(error),
        pkcs1 => pkcs1,
    })
}

fn rsa_key(read: Result<RsaKeyPair, KeyRejected>) -> Result<RsaKeyPair, KeystoreError> {
    read.map_err(|rejected| match rejected.to_string().as_str() {
        "WrongAlgorithm" => KeystoreError::NotRsa,
        "TooSmall" => KeystoreError::TooSmall,
        _ => KeystoreError::Key,
    })
}

/// The encrypted key of a PEM file, from its first line to its last.
fn encrypted_key(file: &str) -> Option<&str> {
    let (begin, end) = ENCRYPTED;
    let from = file.get(file.find(begin)?..)?;
    from.get(..from.find(end)? + end.len())
}

fn decrypt_key(pem: &str, password: Option<&Secret>) -> Result<RsaKeyPair, KeystoreError> {
    let password = password.ok_or(KeystoreError::NeedsPassword)?;
    let (_, document) = pkcs8::SecretDocument::from_pem(pem).map_err(|_| KeystoreError::Key)?;
    let encrypted = EncryptedPrivateKeyInfo::try_from(document.as_bytes())
        .map_err(|_| KeystoreError::Cipher)?;
    let decrypted = encrypted
        .decrypt(password.expose())
        .map_err(|error| match error {
            pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm {
                ..
            }) => KeystoreError::Cipher,
            _ => KeystoreError::WrongPassword,
        })?;
    rsa_key(RsaKeyPair::from_pkcs8(decrypted.as_bytes()))
}

fn open_pkcs12(file: &[u8], password: Option<&Secret>) -> Result<KeystoreContents, KeystoreError> {
    let given = password.map_or("", Secret::expose);
    let store = KeyStore::from_pkcs12(file, given).map_err(|error| match error {
        Pkcs12Error::MacError(_) if password.is_none() => KeystoreError::NeedsPassword,
        Pkcs12Error::MacError(_) | Pkcs12Error::Pkcs5Error(_) | Pkcs12Error::UnpadError => {
            KeystoreError::WrongPassword
        }
        Pkcs12Error::UnsupportedEncryptionScheme | Pkcs12Error::UnsupportedMacAlgorithm => {
            KeystoreError::Pkcs12Cipher
        }
        _ => KeystoreError::Unknown,
    })?;
    let without_key = || match KEY_BAGS.iter().any(|bag| find(file, bag).is_some()) {
        true => KeystoreError::Pkcs12Key,
        false => KeystoreError::NoKey,
    };
    let (_, found) = store.private_key_chain().ok_or_else(without_key)?;
    let certificates = found.chain().iter();
    Ok(KeystoreContents {
        certificates: certificates.map(|it| it.as_der().to_vec()).collect(),
        key: rsa_key(RsaKeyPair::from_pkcs8(found.key()))?,
        is_encrypted: !given.is_empty(),
    })
}
