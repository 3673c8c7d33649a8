//! The credential type `workload_identity`: the application trusts the tokens
//! of another issuer.

use super::assertion::Assertion;
use super::{CredentialType, RawCredential, SignIn, TokenError};
use crate::config_values::{Secret, SecretError};
use azure_core::credentials::AccessToken;
use std::path::PathBuf;
use strict_yaml::{Diagnostics, Span, Text};

/// An application that trusts tokens of another issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadIdentity {
    /// The application (client) id, a GUID.
    client_id: String,
    token: FederatedToken,
}

/// The origin of the token that Entra takes in place of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
enum FederatedToken {
    /// A file that another program renews, as Kubernetes does each hour.
    File {
        path: PathBuf,
        /// The token when the configuration was loaded: another one is another
        /// credential, so that a failing tenant is retried.
        loaded: Secret,
    },
    /// The managed identity of this machine, by the client id of a
    /// user-assigned identity: Entra lets no application trust a
    /// system-assigned one.
    ManagedIdentity(String),
}

impl CredentialType for WorkloadIdentity {
    const NAME: &'static str = "workload_identity";
    const KEYS: &'static [&'static str] = &["client_id", "token_file", "managed_identity"];
    const OTHER_KEYS: &'static str =
        "workload_identity has no use for it, since its tokens come from elsewhere";

    /// Missing keys are taken from the variables that Azure's webhook injects
    /// into a pod.
    fn resolve(raw: &RawCredential<'_>, diagnostics: &mut Diagnostics) -> Option<Self> {
        let client_id = match raw.get("client_id") {
            None => injected(raw, "client_id", "AZURE_CLIENT_ID", diagnostics),
            Some(id) => Some(id.clone()),
        };
        let client_id = client_id.and_then(|id| raw.check_application_id(&id, diagnostics));
        let token = match (raw.get("token_file"), raw.get("managed_identity")) {
            (Some(_), Some(identity)) => {
                let message = "token_file is set, too; keep one of them";
                diagnostics.error(identity.span, raw.at("managed_identity"), message);
                None
            }
            (None, Some(identity)) => managed_identity(raw, identity, diagnostics),
            (Some(file), None) => token_file(raw, file, diagnostics),
            (None, None) => injected(raw, "token_file", "AZURE_FEDERATED_TOKEN_FILE", diagnostics)
                .and_then(|file| token_file(raw, &file, diagnostics)),
        };
        Some(Self {
            client_id: client_id?,
            token: token?,
        })
    }

    fn application_id(&self) -> Option<&str> {
        Some(&self.client_id)
    }

    async fn token(&self, sign_in: &SignIn) -> Result<AccessToken, TokenError> {
        let assertion = match &self.token {
            // The token expires, so the file is read again for each request.
            FederatedToken::File { path, .. } => {
                let token = Secret::read(path).map_err(|error| {
                    let path = path.display();
                    TokenError::unusable(&format!("the federated token file {path} {error}"))
                })?;
                Assertion::new(token.expose().to_owned())
            }
            FederatedToken::ManagedIdentity(client_id) => {
                let scope = format!("{}/.default", sign_in.federation_audience);
                let token = sign_in
                    .managed_identity_token(Some(client_id), &scope)
                    .await?;
                Assertion::new(token.token.secret().to_owned())
            }
        };
        sign_in
            .token_for_assertion(&self.client_id, assertion)
            .await
    }
}

fn injected(
    raw: &RawCredential<'_>,
    key: &str,
    variable: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<Text> {
    let value = raw.environment.get(variable);
    if value.is_none() {
        let message = format!("missing, and {variable} is not set; set one of the two");
        diagnostics.error(raw.span, raw.at(key), message);
    }
    value.map(|value| Text::new(value.to_owned(), Span::Variable(variable)))
}

fn token_file(
    raw: &RawCredential<'_>,
    file: &Text,
    diagnostics: &mut Diagnostics,
) -> Option<FederatedToken> {
    let location = diagnostics.base().join(file.value.trim());
    match Secret::read(&location) {
        Ok(loaded) => Some(FederatedToken::File {
            path: location,
            loaded,
        }),
        Err(error) => {
            let place = match error {
                SecretError::Unreadable(_) => diagnostics.looked_for_in(&location),
                _ => String::new(),
            };
            let message = format!("the file of the federated token {error}{place}");
            diagnostics.error(file.span, raw.at("token_file"), message);
            None
        }
    }
}

fn managed_identity(
    raw: &RawCredential<'_>,
    identity: &Text,
    diagnostics: &mut Diagnostics,
) -> Option<FederatedToken> {
    let error = "not a GUID; name a user-assigned identity by its client id (Entra lets no application trust a system-assigned one)";
    raw.guid("managed_identity", identity, error, diagnostics)
        .map(FederatedToken::ManagedIdentity)
}
