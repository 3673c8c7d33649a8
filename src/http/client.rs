//! What the server knows of the client that sent a request.

use std::net::IpAddr;

/// The client of a connection. Each request carries it as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    /// Whether the client presented a certificate that was verified against the
    /// authorities of the web configuration. It stays as it was when the
    /// connection began, also when the rules change.
    pub(super) certificate_verified: bool,
}
