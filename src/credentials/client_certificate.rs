//! The credential type `client_certificate`.

use super::decrypted_keys::{DecryptedKeyCache, KeyDigest};
use super::keystore::{self, KeystoreError};
use super::signing_certificate::SigningCertificate;
use super::{CredentialType, RawCredential, SignIn, TokenError, assertion};
use crate::config_values::Secret;
use crate::text::count;
use azure_core::credentials::AccessToken;
use secure_score_model::Timestamp;
use std::time::{Duration, SystemTime};
use strict_yaml::{Diagnostics, Text, io_reason, is_world_readable, read_file};
use zeroize::Zeroizing;

/// Enough time to create and upload the next certificate.
const EXPIRES_SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// An application with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The application (client) id, a GUID.
    client_id: String,
    certificate: SigningCertificate,
}

impl CredentialType for ClientCertificate {
    const NAME: &'static str = "client_certificate";
    const KEYS: &'static [&'static str] = &[
        "client_id",
        "certificate_file",
        "key_file",
        "password_file",
        "password_env",
    ];
    const OTHER_KEYS: &'static str =
        "client_certificate has no use for it (a certificate says itself when it ends)";
    const RENEWAL: &'static str = "make a new certificate, upload it to the application beside the old one, then put it in place here";

    fn resolve(raw: &RawCredential<'_>, diagnostics: &mut Diagnostics) -> Option<Self> {
        let client_id = raw.application_id(diagnostics);
        let password = raw.secret("password", diagnostics);
        let Some(certificate) = raw.get("certificate_file") else {
            let message = "missing; name the file with the certificate and its private key";
            diagnostics.error(raw.span, raw.at("certificate_file"), message);
            return None;
        };
        let certificate = load(raw, certificate, password?, diagnostics);
        Some(Self {
            client_id: client_id?,
            certificate: certificate?,
        })
    }

    fn expires(&self) -> Option<Timestamp> {
        Some(self.certificate.not_after)
    }

    fn application_id(&self) -> Option<&str> {
        Some(&self.client_id)
    }

    async fn token(&self, sign_in: &SignIn) -> Result<AccessToken, TokenError> {
        let audience = sign_in.token_url();
        let assertion = assertion::signed(&self.certificate, &self.client_id, &audience)?;
        sign_in
            .token_for_assertion(&self.client_id, assertion)
            .await
    }
}

/// A file that the configuration names.
struct NamedFile<'a> {
    path: String,
    text: &'a Text,
    bytes: Zeroizing<Vec<u8>>,
}

/// Reads the certificate and its key, and warns of what is wrong with them.
fn load(
    raw: &RawCredential<'_>,
    certificate: &Text,
    password: Option<(String, &Text, Secret)>,
    diagnostics: &mut Diagnostics,
) -> Option<SigningCertificate> {
    let file = read(raw.at("certificate_file"), certificate, diagnostics);
    let key = match raw.get("key_file") {
        Some(text) => Some(read(raw.at("key_file"), text, diagnostics)?),
        None => None,
    };
    let file = file?;
    let key_file = key.as_ref().unwrap_or(&file);
    let key_bytes = key.as_ref().map(|key| key.bytes.as_slice());
    let secret = password.as_ref().map(|(_, _, secret)| secret);
    let (certificate, is_encrypted) = match open(raw.decrypted_keys, &file.bytes, key_bytes, secret)
    {
        Ok(opened) => opened,
        Err(error) => {
            let place = if error.concerns_key() {
                key_file
            } else {
                &file
            };
            let message = format!("the file named here {error}");
            diagnostics.error(place.text.span, &place.path, message);
            return None;
        }
    };
    if !is_encrypted {
        if let Some((_, text, _)) = &password {
            let message = "the private key is not encrypted, so no password is needed; remove it";
            diagnostics.warn(text.span, raw.path, message);
        }
        if is_world_readable(&diagnostics.base().join(key_file.text.value.trim())) {
            let message = "every user of this machine can read the private key; chmod 600 the file";
            diagnostics.warn(key_file.text.span, &key_file.path, message);
        }
    }
    // A warning only: tenants with other credentials are not affected.
    if let Some(message) = validity_warning(&certificate) {
        diagnostics.warn(file.text.span, &file.path, message);
    }
    Some(certificate)
}

/// The certificate, and whether its key is encrypted.
fn open(
    cache: &DecryptedKeyCache,
    file: &[u8],
    key: Option<&[u8]>,
    password: Option<&Secret>,
) -> Result<(SigningCertificate, bool), KeystoreError> {
    let digest = password.map(|password| KeyDigest::new(file, key, password));
    if let Some(certificate) = digest.as_ref().and_then(|digest| cache.get(digest)) {
        return Ok((certificate, true));
    }
    let contents = keystore::open(file, key, password)?;
    let is_encrypted = contents.is_encrypted;
    let certificate = SigningCertificate::new(contents)?;
    if let Some(digest) = digest.filter(|_| is_encrypted) {
        cache.insert(digest, &certificate);
    }
    Ok((certificate, is_encrypted))
}

fn validity_warning(certificate: &SigningCertificate) -> Option<String> {
    let now = Timestamp::from(SystemTime::now());
    let left = certificate.not_after.since(now);
    if left.is_zero() {
        let message =
            "the certificate has expired; upload a new one to the application and put it here";
        Some(message.to_owned())
    } else if now < certificate.not_before {
        Some("the certificate is not valid yet; check this machine's clock".to_owned())
    } else {
        let days = count(left.as_secs() / (24 * 60 * 60), "day");
        (left < EXPIRES_SOON).then(|| {
            format!(
                "the certificate expires in {days}; upload the next one beside it, then put it here"
            )
        })
    }
}

fn read<'a>(path: String, text: &'a Text, diagnostics: &mut Diagnostics) -> Option<NamedFile<'a>> {
    let location = diagnostics.base().join(text.value.trim());
    match read_file(&location) {
        Ok(bytes) => Some(NamedFile {
            path,
            text,
            bytes: Zeroizing::new(bytes),
        }),
        Err(error) => {
            let (reason, looked) = (io_reason(&error), diagnostics.looked_for_in(&location));
            let message = format!("the file named here cannot be read ({reason}){looked}");
            diagnostics.error(text.span, path, message);
            None
        }
    }
}
