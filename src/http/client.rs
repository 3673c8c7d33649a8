//! What the server knows of the client that sent a request.

use exporter_web_config::CertificateNames;
use std::net::IpAddr;
use std::sync::Arc;

/// The client of a connection. Each request carries it as an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    /// The names in the client's certificate, if it presented one that was verified
    /// against the authorities of the web configuration. It stays as it was when the
    /// connection began, which ends when that configuration is replaced.
    pub(super) verified_certificate: Option<Arc<CertificateNames>>,
}
