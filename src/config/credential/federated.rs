//! Tokens of somebody else's that an application trusts.

use std::path::PathBuf;

use crate::config::secret::{Secret, SecretError};

/// Where the token comes from that Entra takes in place of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FederatedToken {
    /// A file that its owner renews, as Kubernetes does each hour.
    File(TokenFile),
    /// The managed identity of this machine, which the application trusts.
    ManagedIdentity {
        /// The client id of a user-assigned identity; Entra lets no application
        /// trust a system-assigned one.
        client_id: String,
    },
}

/// The file of a token that somebody else renews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFile(PathBuf);

/// The file could not be read, said with its path and the remedy.
#[derive(Debug, thiserror::Error)]
#[error("the federated token file {path} {fault}")]
pub struct UnreadableToken {
    path: String,
    fault: SecretError,
}

impl TokenFile {
    /// A file, known to be readable at this moment.
    pub(super) fn new(path: PathBuf) -> Result<Self, SecretError> {
        Secret::read(&path)?;
        Ok(Self(path))
    }

    /// The token that is in it now. It must be read again for each request.
    ///
    /// # Errors
    ///
    /// Where the file is gone, empty or no text.
    pub fn read(&self) -> Result<Secret, UnreadableToken> {
        Secret::read(&self.0).map_err(|fault| UnreadableToken {
            path: self.0.display().to_string(),
            fault,
        })
    }
}
