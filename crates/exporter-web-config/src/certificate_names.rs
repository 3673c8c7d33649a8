use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// The names in a certificate: its alternative names of the kinds DNS name, e-mail
/// address and URI, or the common names of its subject if it has no alternative names.
///
/// An authority that checks alternative names may leave the common name to the
/// applicant. So it counts only where there are no others, as in RFC 6125.
///
/// They prove something only if the certificate was verified against known
/// authorities.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CertificateNames(Vec<String>);

impl CertificateNames {
    /// The names in this certificate; none if it cannot be read.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let Ok((_, certificate)) = parse_x509_certificate(certificate) else {
            return Self::default();
        };
        let common = certificate.subject().iter_common_name();
        let names: Vec<&str> = match certificate.subject_alternative_name() {
            Ok(Some(alternative)) => {
                let names = alternative.value.general_names.iter();
                names.filter_map(text).collect()
            }
            Ok(None) => common.filter_map(|name| name.as_str().ok()).collect(),
            Err(_) => Vec::new(),
        };
        Self(names.into_iter().map(str::to_owned).collect())
    }

    /// The names, in the order of the certificate.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(String::as_str)
    }
}

/// A name that is a text.
pub(crate) fn text<'a>(name: &GeneralName<'a>) -> Option<&'a str> {
    match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
            Some(text)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    fn names(params: &CertificateParams) -> Vec<String> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let names = CertificateNames::of(certificate.der());
        names.iter().map(str::to_owned).collect()
    }

    #[test]
    fn the_common_name_counts_only_without_alternative_names() {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let claimed = "spiffe://example.org/other";
        params.distinguished_name.push(DnType::CommonName, claimed);
        assert_eq!(names(&params), [claimed]);
        let address = SanType::IpAddress("127.0.0.1".parse().unwrap());
        params.subject_alt_names.push(address);
        assert!(names(&params).is_empty());
    }

    #[test]
    fn the_names_are_textual_alternative_names() {
        let mut params = CertificateParams::new(vec!["scraper.example".to_owned()]).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "Scraper");
        params
            .distinguished_name
            .push(DnType::OrganizationName, "contoso");
        params.subject_alt_names.extend([
            SanType::Rfc822Name("amy@example.org".try_into().unwrap()),
            SanType::URI("spiffe://example.org/scraper".try_into().unwrap()),
            SanType::IpAddress("127.0.0.1".parse().unwrap()),
        ]);
        assert_eq!(
            names(&params),
            [
                "scraper.example",
                "amy@example.org",
                "spiffe://example.org/scraper"
            ]
        );
    }

    #[test]
    fn a_certificate_that_cannot_be_read_has_no_names() {
        let garbage = CertificateDer::from(vec![1, 2, 3]);
        assert_eq!(CertificateNames::of(&garbage), CertificateNames::default());
    }
}
