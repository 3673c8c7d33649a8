//! The credential type `client_secret`.

use super::sign_in::{self, SignIn};
use super::{CredentialType, RawCredential, TokenError};
use crate::config_values::Secret;
use crate::config_values::day::{day, start_of_day};
use azure_core::credentials::AccessToken;
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use secure_score_model::Timestamp;
use strict_yaml::{Diagnostics, Span};

/// An application with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// The application (client) id, a GUID.
    pub client_id: String,
    /// The value of the secret.
    pub secret: Secret,
    /// When it expires, if the configuration says so. The application cannot
    /// read this from Entra.
    pub expires: Option<Timestamp>,
}

impl CredentialType for ClientSecret {
    const NAME: &'static str = "client_secret";
    const KEYS: &'static [&'static str] = &[
        "client_id",
        "client_secret_file",
        "client_secret_env",
        "expires",
    ];
    const OTHER_KEYS: &'static str = "client_secret has no use for it";
    const RENEWAL: &'static str =
        "create a new one in the app registration and write its day under `expires`";

    fn resolve(raw: &RawCredential<'_>, diagnostics: &mut Diagnostics) -> Option<Self> {
        let client_id = raw.application_id(diagnostics);
        let secret = secret(raw, diagnostics);
        let expires = diagnostics.check(raw.at("expires"), raw.get("expires"), day);
        Some(Self {
            client_id: client_id?,
            secret: secret?,
            expires: expires.map(start_of_day),
        })
    }

    fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    fn application_id(&self) -> Option<&str> {
        Some(&self.client_id)
    }

    async fn token(&self, sign_in: &SignIn) -> Result<AccessToken, TokenError> {
        let transport = sign_in.entra_transport();
        let credential = ClientSecretCredential::new(
            &sign_in.tenant_id,
            self.client_id.clone(),
            self.secret.expose().to_owned().into(),
            Some(ClientSecretCredentialOptions {
                client_options: sign_in.client_options(&transport),
            }),
        );
        sign_in::request(credential, &sign_in.scope, Some(&transport)).await
    }
}

fn secret(raw: &RawCredential<'_>, diagnostics: &mut Diagnostics) -> Option<Secret> {
    let Some((key, text, secret)) = raw.secret("client_secret", diagnostics)? else {
        // Both of these are already reported.
        if !matches!(raw.span, Span::Variable(_)) && !raw.has_inline_secret {
            let message = "no secret; set client_secret_file or client_secret_env";
            diagnostics.error(raw.span, raw.path, message);
        }
        return None;
    };
    if secret.looks_like_guid() {
        let message = "this looks like the secret's ID, not its value; copy the column \"Value\"";
        diagnostics.warn(text.span, raw.at(&key), message);
    }
    Some(secret)
}
