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
    /// Whether certificates are verified against authorities.
    pub(crate) const fn verifies(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }
}

/// The verifier of client certificates; `None` if none is requested.
pub(crate) fn verifier(
    auth: ClientAuth,
    roots: RootCertStore,
    names: Vec<String>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, VerifierBuilderError> {
    let (required, chain) = match auth {
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
        chain,
        names,
        signatures: HandshakeSignatures::new(provider),
    })))
}

/// Verifies the chain with the library if `chain` is set, then the names.
#[derive(Debug)]
struct Verifier {
    required: bool,
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
        if let Some(chain) = &self.chain {
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
