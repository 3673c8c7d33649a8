//! Opening what holds a certificate and its private key: PEM or PKCS#12.

use p12_keystore::KeyStore;
use p12_keystore::error::Error as Pkcs12Error;
use pkcs8::EncryptedPrivateKeyInfo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::config::Secret;

/// What any PEM file holds somewhere.
const PEM: &[u8] = b"-----BEGIN ";
const ENCRYPTED: (&str, &str) = (
    "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    "-----END ENCRYPTED PRIVATE KEY-----",
);
/// How OpenSSL encrypted keys before there was PKCS#8.
const OLD_ENCRYPTED: &[u8] = b"Proc-Type: 4,ENCRYPTED";

/// A private key and the certificates found with it, in DER.
pub(super) struct Parts {
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) key: PrivateKey,
    /// Whether a password was needed.
    pub(super) was_locked: bool,
}

/// A private key, in the form it had.
pub(super) enum PrivateKey {
    Pkcs8(Zeroizing<Vec<u8>>),
    Pkcs1(Zeroizing<Vec<u8>>),
    Elliptic,
}

/// Why a certificate cannot be used, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeystoreFault {
    #[error("holds neither PEM nor PKCS#12; convert DER with `openssl x509 -inform der`")]
    Unknown,
    #[error("holds no certificate; add the one that was uploaded to the application")]
    NoCertificate,
    #[error("has a certificate that is damaged or cut off; copy the whole file again")]
    Certificate,
    #[error("holds no private key; add it, or name its file as key_file")]
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
    Locked,
    #[error("cannot be opened with this password; see whether it belongs to this file")]
    WrongPassword,
    #[error(
        "is encrypted in a way that is not supported; convert the key with `openssl pkcs8 -topk8`"
    )]
    Cipher,
    #[error("holds no certificate of this private key; put the two together that belong together")]
    Strangers,
    #[error("is PKCS#12, which holds the key itself; remove key_file")]
    KeyBeside,
}

impl KeystoreFault {
    /// Whether the file with the key is to blame, where it is another one.
    pub(super) const fn blames_key(self) -> bool {
        use KeystoreFault::{
            Cipher, Key, KeyBeside, Locked, NoKey, NotRsa, TooSmall, WrongPassword,
        };
        matches!(
            self,
            NoKey | Key | NotRsa | TooSmall | Locked | WrongPassword | Cipher | KeyBeside
        )
    }
}

/// Opens a file, with the key in it or in another one.
pub(super) fn open(
    file: &[u8],
    key_file: Option<&[u8]>,
    password: Option<&Secret>,
) -> Result<Parts, KeystoreFault> {
    match (is_pem(file), key_file) {
        (true, key_file) => pem(file, key_file.unwrap_or(file), password),
        (false, Some(_)) => Err(KeystoreFault::KeyBeside),
        (false, None) => pkcs12(file, password),
    }
}

fn is_pem(file: &[u8]) -> bool {
    file.windows(PEM.len()).any(|window| window == PEM)
}

fn pem(file: &[u8], key: &[u8], password: Option<&Secret>) -> Result<Parts, KeystoreFault> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(file)
        .map(|one| one.map(|der| der.to_vec()))
        .collect();
    let certificates = certificates.map_err(|_| KeystoreFault::Certificate)?;
    if certificates.is_empty() {
        return Err(KeystoreFault::NoCertificate);
    }
    let locked = locked_key(key);
    Ok(Parts {
        was_locked: locked.is_some(),
        certificates,
        key: match locked {
            Some(pem) => unlock(pem, password)?,
            None => open_key(key)?,
        },
    })
}

fn open_key(file: &[u8]) -> Result<PrivateKey, KeystoreFault> {
    use rustls::pki_types::pem::Error;
    if file
        .windows(OLD_ENCRYPTED.len())
        .any(|window| window == OLD_ENCRYPTED)
    {
        return Err(KeystoreFault::Cipher);
    }
    match PrivateKeyDer::from_pem_slice(file) {
        Ok(PrivateKeyDer::Pkcs8(key)) => Ok(PrivateKey::Pkcs8(wiped(key.secret_pkcs8_der()))),
        Ok(PrivateKeyDer::Pkcs1(key)) => Ok(PrivateKey::Pkcs1(wiped(key.secret_pkcs1_der()))),
        Ok(_) => Ok(PrivateKey::Elliptic),
        Err(Error::NoItemsFound) => Err(KeystoreFault::NoKey),
        Err(_) => Err(KeystoreFault::Key),
    }
}

fn wiped(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.to_vec())
}

/// The encrypted key of a PEM file, from its first line to its last.
fn locked_key(file: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(file).ok()?;
    let (begin, end) = ENCRYPTED;
    let start = text.find(begin)?;
    let from = text.get(start..)?;
    let length = from.find(end)? + end.len();
    from.get(..length)
}

fn unlock(pem: &str, password: Option<&Secret>) -> Result<PrivateKey, KeystoreFault> {
    let password = password.ok_or(KeystoreFault::Locked)?;
    let (_, document) = pkcs8::SecretDocument::from_pem(pem).map_err(|_| KeystoreFault::Key)?;
    let locked = EncryptedPrivateKeyInfo::try_from(document.as_bytes())
        .map_err(|_| KeystoreFault::Cipher)?;
    let open = locked
        .decrypt(password.expose())
        .map_err(|error| match error {
            pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm {
                ..
            }) => KeystoreFault::Cipher,
            _ => KeystoreFault::WrongPassword,
        })?;
    Ok(PrivateKey::Pkcs8(wiped(open.as_bytes())))
}

fn pkcs12(file: &[u8], password: Option<&Secret>) -> Result<Parts, KeystoreFault> {
    let given = password.map_or("", Secret::expose);
    let store = KeyStore::from_pkcs12(file, given).map_err(|error| match error {
        // Nothing in it is secret where it has no integrity code either.
        Pkcs12Error::MacError(_) if password.is_none() => KeystoreFault::Locked,
        Pkcs12Error::MacError(_) | Pkcs12Error::Pkcs5Error(_) | Pkcs12Error::UnpadError => {
            KeystoreFault::WrongPassword
        }
        Pkcs12Error::UnsupportedEncryptionScheme | Pkcs12Error::UnsupportedMacAlgorithm => {
            KeystoreFault::Cipher
        }
        _ => KeystoreFault::Unknown,
    })?;
    let (_, found) = store.private_key_chain().ok_or(KeystoreFault::NoKey)?;
    Ok(Parts {
        certificates: found
            .chain()
            .iter()
            .map(|certificate| certificate.as_der().to_vec())
            .collect(),
        key: PrivateKey::Pkcs8(wiped(found.key())),
        was_locked: !given.is_empty(),
    })
}
