//! What the server knows of the client that sent a request.

/// The client of a connection. Each request carries it as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    /// Whether the connection began under rules that require a verified client
    /// certificate. It stays as it was when the rules change.
    pub(super) certificate_verified: bool,
}
