//! Which certificates clients must show.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
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

/// What is asked of a client (`client_auth_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientAuth {
    /// Nothing.
    No,
    /// A certificate, if it likes; it is not verified.
    Request,
    /// A certificate, whichever.
    RequireAny,
    /// A certificate, if it likes; one that is shown must be good.
    VerifyIfGiven,
    /// A good certificate.
    RequireAndVerify,
}

/// The names of the family, with one that has an alias.
pub(super) const NAMES: [(&str, ClientAuth); 6] = [
    ("NoClientCert", ClientAuth::No),
    ("RequestClientCert", ClientAuth::Request),
    ("RequireAnyClientCert", ClientAuth::RequireAny),
    ("RequireClientCert", ClientAuth::RequireAny),
    ("VerifyClientCertIfGiven", ClientAuth::VerifyIfGiven),
    ("RequireAndVerifyClientCert", ClientAuth::RequireAndVerify),
];

impl ClientAuth {
    /// Whether a certificate is checked against authorities.
    pub(super) const fn verifies(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }
}

/// What checks a client's certificate; nothing where none is asked for.
pub(super) fn verifier(
    auth: ClientAuth,
    roots: RootCertStore,
    names: Vec<String>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, VerifierBuilderError> {
    let (required, inner) = match auth {
        ClientAuth::No => return Ok(None),
        ClientAuth::Request => (false, None),
        ClientAuth::RequireAny => (true, None),
        ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify => {
            let required = auth == ClientAuth::RequireAndVerify;
            let builder =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            let builder = match required {
                true => builder,
                false => builder.allow_unauthenticated(),
            };
            (required, Some(builder.build()?))
        }
    };
    Ok(Some(Arc::new(Verifier {
        required,
        inner,
        names,
        algorithms: provider.signature_verification_algorithms,
    })))
}

/// The check of the library, where one is wanted, and then that of the names.
#[derive(Debug)]
struct Verifier {
    required: bool,
    inner: Option<Arc<dyn ClientCertVerifier>>,
    /// One of these must be a name of the certificate; all do where empty.
    names: Vec<String>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner
            .as_ref()
            .map_or(&[], |inner| inner.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(inner) = &self.inner {
            inner.verify_client_cert(end_entity, intermediates, now)?;
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
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether a name of the certificate is one of these, letter by letter: DNS
/// names, addresses of mail and of the network, URIs.
fn has_name(certificate: &CertificateDer<'_>, names: &[String]) -> bool {
    let Ok((_, certificate)) = parse_x509_certificate(certificate) else {
        return false;
    };
    let Ok(Some(own)) = certificate.subject_alternative_name() else {
        return false;
    };
    own.value.general_names.iter().any(|name| match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
            names.iter().any(|allowed| allowed == text)
        }
        GeneralName::IPAddress(bytes) => {
            let address = address(bytes);
            names
                .iter()
                .any(|allowed| allowed.parse().ok() == address && address.is_some())
        }
        _ => false,
    })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let sixteen = <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    four.or(sixteen).ok()
}
