//! Getting a token from Entra, by whatever credential a tenant has.
//!
//! azure_identity does the talking. Secrets are exposed here and nowhere else.

use super::assertion::{self, Assertion};
use super::error::{Fault, GraphError, Subject};
use super::http::Broken;
use super::refusal;
use super::text::printable;
use super::transport::{Destination, Transport};
use super::{Endpoint, LONGEST_MESSAGE};
use crate::config::{Credential, FederatedToken};
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::http::{ClientOptions, RetryOptions, Transport as AzureTransport};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use std::sync::Arc;
use std::time::Duration;

/// A credential that does not answer must not keep its tenant's place among
/// those that are refreshed: the Azure CLI has no time-out of its own.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// All that is needed to sign in to one tenant.
pub(super) struct SignIn {
    pub(super) tenant_id: String,
    pub(super) endpoint: Endpoint,
    pub(super) credential: Credential,
    /// Towards Entra.
    pub(super) http: reqwest::Client,
    /// Towards this machine's own endpoint for managed identities.
    pub(super) machine: reqwest::Client,
}

impl SignIn {
    /// A new token for Graph.
    pub(super) async fn token(&self) -> Result<AccessToken, GraphError> {
        tokio::time::timeout(LONGEST_WAIT, self.ask())
            .await
            .map_err(|_| GraphError::new(Subject::Token, Fault::Broken(Broken::Timeout)))?
    }

    async fn ask(&self) -> Result<AccessToken, GraphError> {
        let scope = self.endpoint.scope();
        match &self.credential {
            Credential::ClientSecret {
                client_id, secret, ..
            } => {
                let transport = self.to_entra();
                let credential = ClientSecretCredential::new(
                    &self.tenant_id,
                    client_id.clone(),
                    Secret::new(secret.expose().to_owned()),
                    Some(ClientSecretCredentialOptions {
                        client_options: self.client_options(&transport),
                    }),
                );
                get(credential, &scope, Some(&transport)).await
            }
            Credential::ClientCertificate {
                client_id,
                certificate,
            } => {
                let audience = self.endpoint.token_url(&self.tenant_id);
                let signed = assertion::signed(certificate, client_id, &audience)
                    .map_err(|unsigned| unusable(&unsigned.to_string()))?;
                self.with_assertion(client_id, signed, &scope).await
            }
            Credential::WorkloadIdentity { client_id, token } => {
                let token = self.federated(token).await?;
                self.with_assertion(client_id, token, &scope).await
            }
            Credential::ManagedIdentity { client_id } => {
                self.machines_token(client_id.as_deref(), &scope).await
            }
            Credential::AzureCli => {
                let credential = AzureCliCredential::new(Some(AzureCliCredentialOptions {
                    tenant_id: Some(self.tenant_id.clone()),
                    ..Default::default()
                }));
                get(credential, &scope, None).await
            }
        }
    }

    /// Somebody else's token, in which the application trusts.
    async fn federated(&self, token: &FederatedToken) -> Result<Assertion, GraphError> {
        match token {
            FederatedToken::File(file) => {
                let token = file
                    .read()
                    .map_err(|unreadable| unusable(&unreadable.to_string()))?;
                Ok(Assertion::new(token.expose().to_owned()))
            }
            FederatedToken::ManagedIdentity { client_id } => {
                let exchange = format!("{}/.default", self.endpoint.exchange);
                let token = self.machines_token(Some(client_id), &exchange).await?;
                Ok(Assertion::new(token.token.secret().to_owned()))
            }
        }
    }

    async fn with_assertion(
        &self,
        client_id: &str,
        assertion: Assertion,
        scope: &str,
    ) -> Result<AccessToken, GraphError> {
        let transport = self.to_entra();
        let credential = ClientAssertionCredential::new(
            self.tenant_id.clone(),
            client_id.to_owned(),
            assertion,
            Some(ClientAssertionCredentialOptions {
                client_options: self.client_options(&transport),
            }),
        );
        get(credential, scope, Some(&transport)).await
    }

    async fn machines_token(
        &self,
        client_id: Option<&str>,
        scope: &str,
    ) -> Result<AccessToken, GraphError> {
        let played_by = self.endpoint.machine.clone();
        let destination = Destination::Machine { played_by };
        let transport = Arc::new(Transport::new(self.machine.clone(), destination));
        let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: client_id.map(|id| UserAssignedId::ClientId(id.to_owned())),
            client_options: self.client_options(&transport),
        }));
        get(credential, scope, Some(&transport)).await
    }

    fn to_entra(&self) -> Arc<Transport> {
        let destination = Destination::Entra {
            root: self.endpoint.login.clone(),
        };
        Arc::new(Transport::new(self.http.clone(), destination))
    }

    /// No retries of the library's: when to ask again is decided once, by the
    /// schedule of the tenant.
    fn client_options(&self, transport: &Arc<Transport>) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host.clone_from(&self.endpoint.login);
        ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(AzureTransport::new(Arc::clone(transport) as _)),
            cloud: Some(Arc::new(cloud.into())),
            ..ClientOptions::default()
        }
    }
}

/// Asks, and tells a failure by how the exchange really ended.
async fn get<C: TokenCredential>(
    credential: azure_core::Result<Arc<C>>,
    scope: &str,
    transport: Option<&Transport>,
) -> Result<AccessToken, GraphError> {
    let answer = match credential {
        Ok(credential) => credential.get_token(&[scope], None).await,
        Err(error) => Err(error),
    };
    answer.map_err(|error| match transport.and_then(Transport::ended) {
        Some(ended) => refusal::explain(ended),
        None => unusable(&error.to_string()),
    })
}

fn unusable(why: &str) -> GraphError {
    let why = Fault::Credential(printable(&super::text::scrubbed(why, &[]), LONGEST_MESSAGE));
    GraphError::new(Subject::Token, why)
}
