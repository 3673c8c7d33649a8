//! How the exporter proves to Entra who it is.

mod asked;
mod certificate;
mod certificate_file;
mod federated;
mod keystore;
mod kind;
mod named;
mod unlocked;

use super::secret::Secret;
use secure_score_model::Timestamp;

pub use certificate::{ClientCertificate, Unsigned};
pub use federated::{FederatedToken, TokenFile, UnreadableToken};
pub(super) use named::Credentials;

/// A way to get a token for a tenant.
///
/// Source: "Microsoft identity platform and the OAuth 2.0 client credentials
/// flow", and "How managed identities for Azure resources work".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An application with a secret.
    ClientSecret {
        /// The application (client) id, a GUID.
        client_id: String,
        /// The secret's value.
        secret: Secret,
        /// When Entra will no longer take it, as far as somebody wrote it
        /// down: the exporter may not read it.
        expires: Option<Timestamp>,
    },
    /// An application with a certificate.
    ClientCertificate {
        /// The application (client) id, a GUID.
        client_id: String,
        /// The certificate and its private key.
        certificate: ClientCertificate,
    },
    /// An application that trusts the tokens of somebody else: a Kubernetes
    /// cluster, or the tenant of a managed identity.
    WorkloadIdentity {
        /// The application (client) id, a GUID.
        client_id: String,
        /// Where those tokens come from.
        token: FederatedToken,
    },
    /// The identity Azure gave to this machine or app, for its own tenant.
    ManagedIdentity {
        /// The client id of a user-assigned identity; the system-assigned one
        /// without it.
        client_id: Option<String>,
    },
    /// The account of `az login`, for a person at a terminal.
    AzureCli,
}

impl Credential {
    /// When it will no longer open anything, where that is known.
    pub fn expires(&self) -> Option<Timestamp> {
        match self {
            Self::ClientSecret { expires, .. } => *expires,
            Self::ClientCertificate { certificate, .. } => Some(certificate.not_after()),
            Self::WorkloadIdentity { .. } | Self::ManagedIdentity { .. } | Self::AzureCli => None,
        }
    }

    /// What to do before it ends, for those that end.
    pub const fn renewal(&self) -> &'static str {
        match self {
            Self::ClientCertificate { .. } => {
                "make a new certificate, upload it to the application beside the old one, then put it in place here"
            }
            _ => "create a new one in the app registration and write its day under `expires`",
        }
    }
}
