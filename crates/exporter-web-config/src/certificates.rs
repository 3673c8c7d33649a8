use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::error::Error;
use std::fmt;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// The labels of certificates before RFC 7468.
const OLD_LABELS: [&str; 2] = [
    "-----BEGIN TRUSTED CERTIFICATE-----",
    "-----BEGIN X509 CERTIFICATE-----",
];

/// Why the certificates of a PEM file cannot be read, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificatesError {
    /// There is none.
    None,
    /// One is damaged or truncated.
    Damaged,
    /// One has a label that other programs do not read.
    OldLabel,
}

impl fmt::Display for CertificatesError {
    /// The end of a sentence that begins with the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => {
                "contains no PEM certificate; convert DER with `openssl x509 -inform der`"
            }
            Self::Damaged => {
                "contains a certificate that is damaged or truncated; copy the whole file again"
            }
            Self::OldLabel => {
                "contains a certificate under an old label (TRUSTED or X509); write it anew with `openssl x509 -in OLD -out NEW`"
            }
        })
    }
}

impl Error for CertificatesError {}

/// Reads every certificate of a PEM file, or none. Text and keys between them
/// are skipped.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificatesError> {
    // Comments may have another encoding; the certificates are ASCII.
    let text = String::from_utf8_lossy(pem);
    if OLD_LABELS.iter().any(|label| text.contains(label)) {
        return Err(CertificatesError::OldLabel);
    }
    let blocks = text.split(BEGIN).skip(1).map(certificate);
    let found = blocks.collect::<Option<Vec<_>>>();
    match found.ok_or(CertificatesError::Damaged)? {
        none if none.is_empty() => Err(CertificatesError::None),
        found => Ok(found),
    }
}

/// The certificate of a block, given the text after its first line.
fn certificate(rest: &str) -> Option<CertificateDer<'static>> {
    let (body, _) = rest.split_once(END)?;
    let lines: Vec<&str> = body.split_whitespace().collect();
    let block = format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"));
    CertificateDer::from_pem_slice(block.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn every_certificate_of_a_bundle_is_read() {
        let (a, b) = (pem(), pem());
        let key = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n----\n-----END RSA PRIVATE KEY-----\n";
        let indented = b.replace('\n', " \r\n  ");
        for bundle in [
            format!("{a}{b}"),
            format!("\u{feff}{a}\u{feff}{b}"),
            format!("friendlyName: x\n{a}{key}\n{indented}"),
        ] {
            assert_eq!(
                certificates(bundle.as_bytes()).unwrap().len(),
                2,
                "{bundle}"
            );
        }
        let latin_1 = [b"friendlyName: M\xfcller\n", a.as_bytes()].concat();
        assert_eq!(certificates(&latin_1).unwrap().len(), 1);
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_an_error() {
        let (a, b) = (pem(), pem());
        let cut = format!("{}{b}", a.replace(END, ""));
        let damaged = format!("{b}{}", a.replacen("MI", "M!", 1));
        let old = format!("{b}{}", a.replace("CERTIFICATE", "TRUSTED CERTIFICATE"));
        for (pem, error) in [
            (String::new(), CertificatesError::None),
            (cut, CertificatesError::Damaged),
            (damaged, CertificatesError::Damaged),
            (old, CertificatesError::OldLabel),
        ] {
            assert_eq!(certificates(pem.as_bytes()), Err(error), "{pem}");
        }
    }
}
