//! The TLS certificate, from an authority of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;

/// The server's TLS configuration, and the authority that clients trust.
pub(crate) struct ServerCertificate {
    pub(crate) ca_pem: String,
    pub(crate) server: Arc<ServerConfig>,
}

/// Why there is no TLS certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The certificate could not be generated.
    #[error("could not generate the certificate")]
    Generate(#[from] rcgen::Error),
    /// The TLS library rejected the certificate.
    #[error("the TLS library rejected the certificate")]
    Configure(#[from] rustls::Error),
}

impl ServerCertificate {
    /// Generates an authority and one certificate for the address and names.
    ///
    /// The authority's key is dropped, so a client that trusts the authority
    /// trusts this server only.
    pub(crate) fn new(address: SocketAddr, names: &[String]) -> Result<Self, CertificateError> {
        let authority = authority()?;
        let key = KeyPair::generate()?;
        let certificate = leaf(address, names)?.signed_by(&key, &authority)?;
        let chain = vec![certificate.der().clone()];
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let mut server = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            ca_pem: authority.pem(),
            server: Arc::new(server),
        })
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Simulator authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn leaf(address: SocketAddr, names: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let mut subjects = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    subjects.push(address.ip().to_string());
    subjects.extend_from_slice(names);
    subjects.sort();
    subjects.dedup();
    let mut params = CertificateParams::new(subjects)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Simulated Microsoft Graph");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
