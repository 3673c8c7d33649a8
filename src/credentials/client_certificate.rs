//! The credential type `client_certificate`.

use super::decrypted_keys::KeyDigest;
use super::keystore::{self, KeystoreError};
use super::signing_certificate::SigningCertificate;
use super::{CredentialType, RawCredential, SignIn, TokenError, assertion};
use crate::config_values::Secret;
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
        let has_password = ["password_file", "password_env"].map(|key| raw.get(key).is_some());
        let password = raw.secret("password", diagnostics);
        let Some(certificate) = raw.get("certificate_file") else {
            let message = "missing; name the file with the certificate and its private key";
            diagnostics.error(raw.span, raw.at("certificate_file"), message);
            return None;
        };
        if has_password.contains(&true) && password.is_none() {
            return None;
        }
        let files = CertificateFiles {
            raw,
            certificate,
            key: raw.get("key_file"),
            password: password.map(|(_, text, password)| (text, password)),
        };
        let certificate = files.load(diagnostics);
        Some(Self {
            client_id: client_id?,
            certificate: certificate?,
        })
    }

    fn expires(&self) -> Option<Timestamp> {
        Some(self.certificate.not_after())
    }

    async fn token(&self, sign_in: &SignIn) -> Result<AccessToken, TokenError> {
        let audience = sign_in.token_url();
        let assertion = assertion::signed(&self.certificate, &self.client_id, &audience)
            .map_err(|error| TokenError::unusable(&error.to_string()))?;
        sign_in
            .token_for_assertion(&self.client_id, assertion)
            .await
    }
}

/// The files of one certificate.
struct CertificateFiles<'a> {
    raw: &'a RawCredential<'a>,
    certificate: &'a Text,
    key: Option<&'a Text>,
    password: Option<(&'a Text, Secret)>,
}

impl CertificateFiles<'_> {
    fn load(&self, diagnostics: &mut Diagnostics) -> Option<SigningCertificate> {
        let path = self.raw.at("certificate_file");
        let key_path = self.raw.at("key_file");
        let file = read(&path, self.certificate, diagnostics);
        let key = self.key.map(|text| read(&key_path, text, diagnostics));
        let key = match key {
            Some(key) => Some(key?),
            None => None,
        };
        let file = file?;
        let (key_text, key_path) = match self.key {
            Some(key) => (key, &key_path),
            None => (self.certificate, &path),
        };
        let key = key.as_ref().map(|key| key.as_slice());
        let (certificate, is_encrypted) = match self.open(&file, key) {
            Ok(opened) => opened,
            Err(error) => {
                let (text, path) = match error.concerns_key() {
                    true => (key_text, key_path),
                    false => (self.certificate, &path),
                };
                diagnostics.error(text.span, path, format!("the file named here {error}"));
                return None;
            }
        };
        if let Some((text, _)) = self.password.as_ref().filter(|_| !is_encrypted) {
            let message = "the private key is not encrypted, so no password is needed; remove it";
            diagnostics.warn(text.span, self.raw.path, message);
        }
        if !is_encrypted && is_world_readable(&diagnostics.base().join(key_text.value.trim())) {
            let message = "every user of this machine can read the private key; chmod 600 the file";
            diagnostics.warn(key_text.span, key_path, message);
        }
        self.warn_of_validity(&path, &certificate, diagnostics);
        Some(certificate)
    }

    /// The certificate, and whether its key is encrypted.
    fn open(
        &self,
        file: &[u8],
        key: Option<&[u8]>,
    ) -> Result<(SigningCertificate, bool), KeystoreError> {
        let password = self.password.as_ref().map(|(_, password)| password);
        let digest = password.map(|password| KeyDigest::new(file, key, password));
        let cache = self.raw.decrypted_keys;
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

    /// A warning only: tenants with other credentials are not affected.
    fn warn_of_validity(
        &self,
        path: &str,
        certificate: &SigningCertificate,
        diagnostics: &mut Diagnostics,
    ) {
        let now = Timestamp::from(SystemTime::now());
        let left = certificate.not_after().since(now);
        let message = if left.is_zero() {
            "the certificate has expired; upload a new one to the application and put it here"
                .to_owned()
        } else if now < certificate.not_before() {
            "the certificate is not valid yet; check this machine's clock".to_owned()
        } else if left < EXPIRES_SOON {
            let days = left.as_secs() / (24 * 60 * 60);
            format!(
                "the certificate expires in {days} days; upload the next one beside it, then put it here"
            )
        } else {
            return;
        };
        diagnostics.warn(self.certificate.span, path, message);
    }
}

fn read(path: &str, text: &Text, diagnostics: &mut Diagnostics) -> Option<Zeroizing<Vec<u8>>> {
    let location = diagnostics.base().join(text.value.trim());
    match read_file(&location) {
        Ok(bytes) => Some(Zeroizing::new(bytes)),
        Err(error) => {
            let (reason, looked) = (io_reason(&error), diagnostics.looked_for_in(&location));
            let message = format!("the file named here cannot be read ({reason}){looked}");
            diagnostics.error(text.span, path, message);
            None
        }
    }
}
