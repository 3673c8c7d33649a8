//! A certificate authority that lives as long as the simulator.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;

/// What a client must trust, and what the server shows.
pub(super) struct Identity {
    pub(super) ca_pem: String,
    pub(super) server: Arc<ServerConfig>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The certificate could not be made.
    #[error("the certificate could not be made")]
    Issue(#[from] rcgen::Error),
    /// The certificate was made and refused.
    #[error("the certificate could not be used")]
    Use(#[from] rustls::Error),
}

impl Identity {
    /// Makes an authority and one certificate for the address and names.
    ///
    /// The authority's key is dropped at once: whoever trusts its certificate
    /// trusts this one server and nothing that comes later.
    pub(super) fn new(address: SocketAddr, names: &[String]) -> Result<Self, IdentityError> {
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
    let mut subjects = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
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
