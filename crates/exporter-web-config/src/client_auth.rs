use crate::certificate_names::text;
use crate::handshake::HandshakeSignatures;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use std::net::IpAddr;
use std::sync::Arc;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::time::ASN1Time;

/// The certificate that a client must present (`client_auth_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// None.
    No,
    /// An optional one, not verified.
    Request,
    /// Any one, not verified.
    RequireAny,
    /// An optional one, verified.
    VerifyIfGiven,
    /// A verified one.
    RequireAndVerify,
}

/// The names in Go; `RequireClientCert` is an alias.
pub(crate) const NAMES: [(&str, ClientAuth); 6] = [
    ("NoClientCert", ClientAuth::No),
    ("RequestClientCert", ClientAuth::Request),
    ("RequireAnyClientCert", ClientAuth::RequireAny),
    ("RequireClientCert", ClientAuth::RequireAny),
    ("VerifyClientCertIfGiven", ClientAuth::VerifyIfGiven),
    ("RequireAndVerifyClientCert", ClientAuth::RequireAndVerify),
];

impl ClientAuth {
    /// Whether a client without a certificate is refused.
    pub(crate) const fn requires(self) -> bool {
        matches!(self, Self::RequireAny | Self::RequireAndVerify)
    }

    /// Whether certificates are verified against authorities.
    pub(crate) const fn verifies(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }
}

/// The authorities against which client certificates are verified.
pub(crate) struct Authorities {
    pub(crate) roots: RootCertStore,
    /// The certificates of `client_ca_file`; none of the system's authorities.
    pub(crate) listed: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// Every authority that the system trusts; `None` if it has none.
    pub(crate) fn of_system() -> Option<Self> {
        let mut roots = RootCertStore::empty();
        let (added, _skipped) =
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        (added > 0).then_some(Self {
            roots,
            listed: Vec::new(),
        })
    }

    /// Verifies chains. Clients learn which authorities are listed, to choose a
    /// certificate; those of the system are too many.
    fn chain_verifier(
        self,
        required: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, VerifierBuilderError> {
        let (roots, provider) = (Arc::new(self.roots), Arc::clone(provider));
        let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider);
        if !required {
            builder = builder.allow_unauthenticated();
        }
        if self.listed.is_empty() {
            builder = builder.clear_root_hint_subjects();
        }
        builder.build()
    }
}

/// The verifier of client certificates; `None` if none is requested.
/// `authorities` are used if `auth` verifies.
pub(crate) fn verifier(
    auth: ClientAuth,
    authorities: Option<Authorities>,
    names: Vec<String>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, VerifierBuilderError> {
    let required = auth.requires();
    let authorities = authorities.filter(|_| auth.verifies());
    let (listed, chain) = match authorities {
        _ if auth == ClientAuth::No => return Ok(None),
        Some(authorities) => {
            let listed = authorities.listed.clone();
            (
                listed,
                Some(authorities.chain_verifier(required, provider)?),
            )
        }
        None => (Vec::new(), None),
    };
    Ok(Some(Arc::new(Verifier {
        required,
        listed,
        chain,
        names,
        signatures: HandshakeSignatures::new(provider),
    })))
}

/// Verifies the chain with the library if `chain` is set, then the names.
#[derive(Debug)]
struct Verifier {
    required: bool,
    /// Certificates that need no chain: each is in `client_ca_file` itself.
    listed: Vec<CertificateDer<'static>>,
    chain: Option<Arc<dyn ClientCertVerifier>>,
    /// The certificate must have one of these names; any name if empty.
    names: Vec<String>,
    signatures: HandshakeSignatures,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain
            .as_ref()
            .map_or(&[], |chain| chain.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.listed.iter().any(|listed| listed == end_entity) {
            verify_listed(end_entity, now)?;
        } else if let Some(chain) = &self.chain {
            chain.verify_client_cert(end_entity, intermediates, now)?;
        }
        if !self.names.is_empty() && !has_name(end_entity, &self.names) {
            let refused = CertificateError::ApplicationVerificationFailure;
            return Err(Error::InvalidCertificate(refused));
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify_tls12(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify_tls13(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.schemes()
    }
}

/// Verifies the dates and the purpose of a certificate that is itself in
/// `client_ca_file`, as Go and OpenSSL do.
///
/// A self-signed certificate is often marked as an authority, and the library
/// refuses every authority as a client.
fn verify_listed(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let (_, certificate) =
        parse_x509_certificate(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs())
        .ok()
        .and_then(|seconds| ASN1Time::from_timestamp(seconds).ok())
        .ok_or(CertificateError::Expired)?;
    if now < certificate.validity().not_before {
        return Err(CertificateError::NotValidYet);
    }
    if now > certificate.validity().not_after {
        return Err(CertificateError::Expired);
    }
    match certificate.extended_key_usage() {
        Ok(None) => Ok(()),
        Ok(Some(usage)) if usage.value.any || usage.value.client_auth => Ok(()),
        Ok(Some(_)) => Err(CertificateError::InvalidPurpose),
        Err(_) => Err(CertificateError::BadEncoding),
    }
}

/// Whether a subject alternative name of the certificate (DNS name, e-mail
/// address, URI or IP address) equals one of these.
fn has_name(certificate: &CertificateDer<'_>, names: &[String]) -> bool {
    let Ok((_, certificate)) = parse_x509_certificate(certificate) else {
        return false;
    };
    let Ok(Some(own)) = certificate.subject_alternative_name() else {
        return false;
    };
    own.value.general_names.iter().any(|name| match name {
        GeneralName::IPAddress(bytes) => {
            let address = address(bytes);
            names
                .iter()
                .any(|allowed| allowed.parse().ok() == address && address.is_some())
        }
        name => text(name).is_some_and(|text| names.iter().any(|allowed| allowed == text)),
    })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let sixteen = <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    four.or(sixteen).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair};
    use std::time::Duration;

    fn verified(params: CertificateParams, seconds: u64) -> Result<(), CertificateError> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        verify_listed(certificate.der(), now)
    }

    #[test]
    fn a_listed_certificate_has_dates_and_a_purpose() {
        let day = 24 * 60 * 60;
        let params = |purpose| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.not_before = rcgen::date_time_ymd(2026, 1, 1);
            params.not_after = rcgen::date_time_ymd(2026, 12, 31);
            params.extended_key_usages = purpose;
            params
        };
        let client = || params(vec![ExtendedKeyUsagePurpose::ClientAuth]);
        let server = params(vec![ExtendedKeyUsagePurpose::ServerAuth]);
        let year_start = 1_767_225_600;
        assert_eq!(verified(client(), year_start + day), Ok(()));
        assert_eq!(verified(params(Vec::new()), year_start + day), Ok(()));
        let early = verified(client(), year_start - day);
        assert_eq!(early, Err(CertificateError::NotValidYet));
        let late = verified(client(), year_start + 400 * day);
        assert_eq!(late, Err(CertificateError::Expired));
        let purpose = verified(server, year_start + day);
        assert_eq!(purpose, Err(CertificateError::InvalidPurpose));
    }
}
