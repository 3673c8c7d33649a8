//! Reading the certificate that a configuration names.

use std::path::Path;
use std::time::{Duration, SystemTime};
use strict_yaml::{Diagnostics, Text, io_reason, is_world_readable, read_file};

use zeroize::Zeroizing;

use super::certificate::ClientCertificate;
use super::keystore::{self, KeystoreFault};
use super::unlocked::Seal;
use crate::config::Secret;
use secure_score_model::Timestamp;

/// Time enough to make and upload another one.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The files of one certificate, as named.
pub(super) struct CertificateFiles<'a> {
    pub(super) certificate: &'a Text,
    pub(super) key: Option<&'a Text>,
    pub(super) password: Option<(&'a Text, Secret)>,
}

impl CertificateFiles<'_> {
    /// The certificate; what is odd about it is told, too.
    pub(super) fn resolve(
        &self,
        path: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<ClientCertificate> {
        let place = format!("{path}.certificate_file");
        let key_place = format!("{path}.key_file");
        let file = read(&place, self.certificate, diagnostics);
        let key = self.key.map(|text| read(&key_place, text, diagnostics));
        let key = match key {
            Some(key) => Some(key?),
            None => None,
        };
        let file = file?;
        let password = self.password.as_ref().map(|(_, password)| password);
        let key = key.as_ref().map(|key| key.as_slice());
        let holder = self.key.unwrap_or(self.certificate);
        let holder_place = if self.key.is_some() {
            &key_place
        } else {
            &place
        };
        let (certificate, was_locked) = match open(&file, key, password) {
            Ok(opened) => opened,
            Err(fault) => {
                let (text, place) = match fault.blames_key() {
                    true => (holder, holder_place),
                    false => (self.certificate, &place),
                };
                diagnostics.error(text.span, place, format!("the file named here {fault}"));
                return None;
            }
        };
        if let Some((text, _)) = self.password.as_ref().filter(|_| !was_locked) {
            let message = "the private key is not encrypted, so no password is needed; remove it";
            diagnostics.warn(text.span, path, message);
        }
        if !was_locked && is_world_readable(&diagnostics.base().join(holder.value.trim())) {
            let message = "everybody on this machine can read the private key; chmod 600 the file";
            diagnostics.warn(holder.span, holder_place, message);
        }
        self.warn_of_time(&place, &certificate, diagnostics);
        Some(certificate)
    }

    /// Tenants with other credentials go on, so this is no fault.
    fn warn_of_time(
        &self,
        place: &str,
        certificate: &ClientCertificate,
        diagnostics: &mut Diagnostics,
    ) {
        let now = Timestamp::from(SystemTime::now());
        let left = certificate.not_after().since(now);
        let message = if left.is_zero() {
            "the certificate has expired; upload a new one to the application and put it here"
                .to_owned()
        } else if now < certificate.not_before() {
            "the certificate is not good yet; see whether this machine's clock is right".to_owned()
        } else if left < SOON {
            let days = left.as_secs() / (24 * 60 * 60);
            format!(
                "the certificate ends in {days} days; upload the next one beside it, then put it here"
            )
        } else {
            return;
        };
        diagnostics.warn(self.certificate.span, place, message);
    }
}

/// The certificate, and whether a password was needed.
fn open(
    file: &[u8],
    key: Option<&[u8]>,
    password: Option<&Secret>,
) -> Result<(ClientCertificate, bool), KeystoreFault> {
    let seal = password.map(|password| Seal::of(file, key, password));
    if let Some(certificate) = seal.as_ref().and_then(Seal::recall) {
        return Ok((certificate, true));
    }
    let parts = keystore::open(file, key, password)?;
    let was_locked = parts.was_locked;
    let certificate = ClientCertificate::of(parts)?;
    if let Some(seal) = seal.filter(|_| was_locked) {
        seal.remember(&certificate);
    }
    Ok((certificate, was_locked))
}

fn read(place: &str, text: &Text, diagnostics: &mut Diagnostics) -> Option<Zeroizing<Vec<u8>>> {
    let location = diagnostics.base().join(text.value.trim());
    match read_file(Path::new(&location)) {
        Ok(bytes) => Some(Zeroizing::new(bytes)),
        Err(error) => {
            let (reason, looked) = (io_reason(&error), diagnostics.looked_for_in(&location));
            let message = format!("the file named here cannot be read ({reason}){looked}");
            diagnostics.error(text.span, place, message);
            None
        }
    }
}
