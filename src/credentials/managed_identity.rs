//! The credential type `managed_identity`.

use super::{CredentialType, RawCredential, SignIn, TokenError};
use azure_core::credentials::AccessToken;
use strict_yaml::Diagnostics;

/// The identity that Azure gives to this machine or app, for its own tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedIdentity {
    /// The client id of a user-assigned identity; `None` for the
    /// system-assigned one.
    pub client_id: Option<String>,
}

impl CredentialType for ManagedIdentity {
    const NAME: &'static str = "managed_identity";
    const KEYS: &'static [&'static str] = &["client_id"];
    const OTHER_KEYS: &'static str =
        "managed_identity has no use for it, since Azure keeps its secrets itself";

    fn resolve(raw: &RawCredential<'_>, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Some(id) = raw.get("client_id") else {
            return Some(Self { client_id: None });
        };
        let error = "not a GUID; copy \"Client ID\" from the identity's overview";
        Some(Self {
            client_id: Some(raw.guid("client_id", id, error, diagnostics)?),
        })
    }

    async fn token(&self, sign_in: &SignIn) -> Result<AccessToken, TokenError> {
        sign_in
            .managed_identity_token(self.client_id.as_deref(), &sign_in.scope)
            .await
    }
}
