//! The credential type `azure_cli`.

use super::error::TokenErrorKind;
use super::sign_in::{self, SignIn};
use super::{CredentialType, RawCredential, TokenError};
use crate::http_client::TransportError;
use azure_core::credentials::AccessToken;
use azure_identity::{AzureCliCredential, AzureCliCredentialOptions};
use std::time::Duration;
use strict_yaml::Diagnostics;

/// The Azure CLI has no timeout of its own, and a pending request keeps the
/// tenant's refresh permit.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The account of `az login`, for a person at a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureCli;

impl CredentialType for AzureCli {
    const NAME: &'static str = "azure_cli";
    const KEYS: &'static [&'static str] = &[];
    const OTHER_KEYS: &'static str = "azure_cli takes the account of `az login`";

    fn resolve(_: &RawCredential<'_>, _: &mut Diagnostics) -> Option<Self> {
        Some(Self)
    }

    async fn token(&self, sign_in: &SignIn) -> Result<AccessToken, TokenError> {
        let credential = AzureCliCredential::new(Some(AzureCliCredentialOptions {
            tenant_id: Some(sign_in.tenant_id.clone()),
            ..Default::default()
        }));
        let request = sign_in::request(credential, &sign_in.scope, None);
        let token = tokio::time::timeout(TIMEOUT, request).await;
        token.unwrap_or_else(|_| Err(TokenErrorKind::Transport(TransportError::Timeout).into()))
    }
}
