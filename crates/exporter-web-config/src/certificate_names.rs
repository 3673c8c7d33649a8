use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// The names in a certificate: the common names of its subject, and its
/// alternative names of the kinds DNS name, e-mail address and URI.
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
        let common = common.filter_map(|name| name.as_str().ok());
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let alternative = alternative.map(|it| it.value.general_names.iter());
        let alternative = alternative.into_iter().flatten().filter_map(text);
        Self(common.chain(alternative).map(str::to_owned).collect())
    }

    /// The names, common ones first.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(String::as_str)
    }
}

/// A name that is a text.
fn text<'a>(name: &GeneralName<'a>) -> Option<&'a str> {
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

    #[test]
    fn the_names_are_common_names_and_textual_alternative_names() {
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
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let names = CertificateNames::of(certificate.der());
        assert_eq!(
            names.iter().collect::<Vec<_>>(),
            [
                "Scraper",
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
