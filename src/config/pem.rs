//! Files with certificate authorities.

use std::path::PathBuf;

use super::fault::Ledger;
use super::reading;
use super::secret;
use super::written::Text;

/// What a certificate begins with in a PEM file.
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Certificates in PEM form and where they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PemFile {
    /// For messages.
    pub path: PathBuf,
    /// The file's bytes; at least one certificate begins in them.
    pub pem: Vec<u8>,
}

pub(super) fn resolve(path: &str, file: &Text, ledger: &mut Ledger) -> Option<PemFile> {
    let location = ledger.base.join(file.value.trim());
    let message = match reading::read(&location) {
        Err(error) => {
            let (reason, place) = (secret::reason(&error), ledger.looked_for(&location));
            format!("the file named here cannot be read ({reason}){place}")
        }
        Ok(pem) if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) => {
            "the file named here holds no PEM certificate; convert DER with `openssl x509 -inform der`"
                .to_owned()
        }
        Ok(pem) => {
            return Some(PemFile {
                path: location,
                pem,
            });
        }
    };
    ledger.fault(file.mark, path, message);
    None
}
