//! Files of certificate authorities.

use exporter_web_config::certificates;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::path::PathBuf;
use strict_yaml::{Diagnostics, Text, io_reason, read_file};

/// The certificate authorities of a PEM file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PemFile {
    /// The file, for messages.
    pub path: PathBuf,
    /// At least one, all of them valid.
    pub certificates: Vec<CertificateDer<'static>>,
}

pub(super) fn resolve(path: &str, file: &Text, diagnostics: &mut Diagnostics) -> Option<PemFile> {
    let location = diagnostics.base().join(file.value.trim());
    let pem = match read_file(&location) {
        Ok(pem) => pem,
        Err(error) => {
            let (reason, place) = (io_reason(&error), diagnostics.looked_for_in(&location));
            let message = format!("the file named here cannot be read ({reason}){place}");
            diagnostics.error(file.span, path, message);
            return None;
        }
    };
    let message = match certificates(&pem) {
        Ok(certificates) if are_valid(&certificates) => {
            return Some(PemFile {
                path: location,
                certificates,
            });
        }
        Ok(_) => "the file named here contains a certificate that TLS does not accept; copy the whole file again".to_owned(),
        Err(error) => format!("the file named here {error}"),
    };
    diagnostics.error(file.span, path, message);
    None
}

/// Whether TLS accepts every certificate. Without this check, a bad one fails
/// only when a connection is made, as a connection error.
fn are_valid(certificates: &[CertificateDer<'static>]) -> bool {
    let mut roots = RootCertStore::empty();
    certificates
        .iter()
        .all(|certificate| roots.add(certificate.clone()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use strict_yaml::Span;

    #[test]
    fn a_byte_order_mark_hides_no_authority() {
        let folder = tempfile::tempdir().unwrap();
        let pem = || {
            let key = rcgen::KeyPair::generate().unwrap();
            let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
            params.self_signed(&key).unwrap().pem()
        };
        let bundle = format!("\u{feff}{}{}", pem(), pem());
        std::fs::write(folder.path().join("ca.pem"), bundle).unwrap();
        let mut diagnostics = Diagnostics::new("case.yml", folder.path());
        let file = Text::new("ca.pem".to_owned(), Span::Nowhere);
        let read = resolve("graph.ca_file", &file, &mut diagnostics).unwrap();
        assert_eq!(read.certificates.len(), 2);
    }
}
