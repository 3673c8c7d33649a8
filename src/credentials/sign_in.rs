//! Token requests with the crate `azure_identity`.

use super::assertion::Assertion;
use super::error::TokenError;
use super::transport::{Destination, EntraTransport};
use crate::http_client::HttpClient;
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{AccessToken, TokenCredential};
use azure_core::http::{ClientOptions, RetryOptions, Transport};
use azure_identity::{
    ClientAssertionCredential, ClientAssertionCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId,
};
use std::sync::Arc;

/// Where and for what a tenant's tokens are requested.
pub struct SignIn {
    /// The directory: a GUID, or one of its domains.
    pub tenant_id: String,
    /// Root of Entra's token endpoint, without a slash at the end.
    pub login: String,
    /// The scope of the tokens.
    pub scope: String,
    /// The permissions that the tokens need. Each pair is the one to grant and the
    /// one that includes it; a token that has neither is logged as a warning.
    pub permissions: Vec<[&'static str; 2]>,
    /// The audience of a federated token in this cloud.
    pub federation_audience: &'static str,
    /// For simulated tenants, the root of the server that simulates Azure's
    /// endpoint for managed identities.
    pub simulated_identity: Option<String>,
    /// The client for Entra.
    pub http: HttpClient,
    /// The client for this machine's endpoint for managed identities.
    pub identity_http: HttpClient,
}

impl SignIn {
    /// The token endpoint, which is also the audience of assertions.
    pub(super) fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.login, self.tenant_id)
    }

    /// Exchanges an assertion for a token.
    pub(super) async fn token_for_assertion(
        &self,
        client_id: &str,
        assertion: Assertion,
    ) -> Result<AccessToken, TokenError> {
        let transport = self.entra_transport();
        let credential = ClientAssertionCredential::new(
            self.tenant_id.clone(),
            client_id.to_owned(),
            assertion,
            Some(ClientAssertionCredentialOptions {
                client_options: self.client_options(&transport),
            }),
        );
        request(credential, &self.scope, Some(&transport)).await
    }

    /// A token of this machine's managed identity.
    pub(super) async fn managed_identity_token(
        &self,
        client_id: Option<&str>,
        scope: &str,
    ) -> Result<AccessToken, TokenError> {
        let destination = Destination::Identity {
            simulated: self.simulated_identity.clone(),
        };
        let transport = EntraTransport::new(self.identity_http.clone(), destination);
        let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: client_id.map(|id| UserAssignedId::ClientId(id.to_owned())),
            client_options: self.client_options(&transport),
        }));
        request(credential, scope, Some(&transport)).await
    }

    pub(super) fn entra_transport(&self) -> Arc<EntraTransport> {
        let root = self.login.clone();
        EntraTransport::new(self.http.clone(), Destination::Entra { root })
    }

    /// Options without retries: the tenant's schedule decides on those.
    pub(super) fn client_options(&self, transport: &Arc<EntraTransport>) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host.clone_from(&self.login);
        ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(Arc::clone(transport) as _)),
            cloud: Some(Arc::new(cloud.into())),
            ..ClientOptions::default()
        }
    }
}

/// Requests a token. An error describes how the HTTP exchange ended, which the
/// library's own errors do not.
pub(super) async fn request<C: TokenCredential>(
    credential: azure_core::Result<Arc<C>>,
    scope: &str,
    transport: Option<&EntraTransport>,
) -> Result<AccessToken, TokenError> {
    let token = match credential {
        Ok(credential) => credential.get_token(&[scope], None).await,
        Err(error) => Err(error),
    };
    token.map_err(|error| {
        let known = transport.and_then(EntraTransport::error);
        known.unwrap_or_else(|| TokenError::unusable(&error.to_string()))
    })
}
