//! Files of certificate authorities.

use std::path::PathBuf;
use strict_yaml::{Diagnostics, Text, io_reason, read_file};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The first line of a certificate in a PEM file.
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Certificates of a PEM file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PemFile {
    /// The file, for messages.
    pub path: PathBuf,
    /// Its content: at least one certificate, all of them valid.
    pub pem: Vec<u8>,
}

pub(super) fn resolve(path: &str, file: &Text, diagnostics: &mut Diagnostics) -> Option<PemFile> {
    let location = diagnostics.base().join(file.value.trim());
    let message = match read_file(&location) {
        Err(error) => {
            let (reason, place) = (io_reason(&error), diagnostics.looked_for_in(&location));
            format!("the file named here cannot be read ({reason}){place}")
        }
        Ok(pem) if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) => {
            "the file named here contains no PEM certificate; convert DER with `openssl x509 -inform der`"
                .to_owned()
        }
        Ok(pem) if !are_valid(&pem) => {
            "a certificate in the file named here is damaged or truncated; copy the whole file again"
                .to_owned()
        }
        Ok(pem) => {
            let path = location;
            return Some(PemFile { path, pem });
        }
    };
    diagnostics.error(file.span, path, message);
    None
}

/// Whether TLS accepts every certificate. Without this check, a bad one fails
/// only when a connection is made, as a connection error.
fn are_valid(pem: &[u8]) -> bool {
    let mut roots = RootCertStore::empty();
    let mut certificates = CertificateDer::pem_slice_iter(pem).peekable();
    certificates.peek().is_some()
        && certificates.all(|one| one.is_ok_and(|certificate| roots.add(certificate).is_ok()))
}
