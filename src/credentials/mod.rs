//! # credentials: the ways to an access token
//!
//! Each type of credential is one file: the keys that it takes from the
//! configuration, their rules, and how it requests a token. The list in
//! `credential_types!` below makes it a type of the configuration.
//! [`TokenSource`] caches a tenant's token until it is nearly expired.

mod assertion;
mod azure_cli;
mod client_certificate;
mod client_secret;
mod decrypted_keys;
mod entra_codes;
mod error;
mod keystore;
mod managed_identity;
mod raw_credential;
mod sign_in;
mod signing_certificate;
mod token;
mod token_history;
mod token_source;
mod transport;
mod workload_identity;

use azure_core::credentials::AccessToken;
use secure_score_model::Timestamp;
use strict_yaml::{Diagnostics, suggest};

pub use azure_cli::AzureCli;
pub use client_certificate::ClientCertificate;
pub use client_secret::ClientSecret;
pub use decrypted_keys::DecryptedKeyCache;
pub use entra_codes::table as entra_errors;
pub use error::{TokenError, read_entra_error};
pub use managed_identity::ManagedIdentity;
pub use raw_credential::RawCredential;
pub use sign_in::SignIn;
pub use token::{
    PERMISSION, RECOMMENDATIONS_PERMISSION, SECURE_SCORE_PERMISSIONS, Token, TokenFacts,
};
pub use token_history::TokenHistory;
pub use token_source::TokenSource;
pub use workload_identity::WorkloadIdentity;

/// What each type of credential provides.
trait CredentialType: Sized {
    /// Its name under the key `type`.
    const NAME: &'static str;

    /// The keys it takes beside `type`.
    const KEYS: &'static [&'static str];

    /// Why it takes no other keys, for the error about one.
    const OTHER_KEYS: &'static str;

    /// What to do before it expires.
    const RENEWAL: &'static str = "";

    /// Checks the keys. Reports every error and returns `None` if there is one.
    fn resolve(raw: &RawCredential<'_>, diagnostics: &mut Diagnostics) -> Option<Self>;

    /// When it expires, if that is known.
    fn expires(&self) -> Option<Timestamp> {
        None
    }

    /// The application to which a tenant consents, if it is one.
    fn application_id(&self) -> Option<&str> {
        None
    }

    /// Requests a new token for Graph.
    async fn token(&self, sign_in: &SignIn) -> Result<AccessToken, TokenError>;
}

macro_rules! credential_types {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A way to get tokens for a tenant.
        ///
        /// Sources: "Microsoft identity platform and the OAuth 2.0 client
        /// credentials flow", and "How managed identities for Azure resources
        /// work".
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Credential {
            $($(#[$doc])* $name($name),)*
        }

        impl Credential {
            /// The names under the key `type`, in the order of proposals.
            pub const TYPES: &'static [&'static str] = &[$($name::NAME),*];

            /// The keys that the type of this name takes beside `type`.
            pub fn keys(name: &str) -> &'static [&'static str] {
                match name {
                    $($name::NAME => $name::KEYS,)*
                    _ => &[],
                }
            }

            /// The credential that the configuration describes. Reports every
            /// error in it.
            pub fn resolve(raw: &RawCredential<'_>, diagnostics: &mut Diagnostics) -> Option<Self> {
                let Some(name) = raw.get("type") else {
                    let message = format!("missing; set {}", suggest::one_of(Self::TYPES));
                    diagnostics.error(raw.span, raw.at("type"), message);
                    return None;
                };
                match name.value.trim() {
                    $($name::NAME => {
                        raw.refuse_other_keys($name::KEYS, $name::OTHER_KEYS, diagnostics);
                        $name::resolve(raw, diagnostics).map(Self::$name)
                    })*
                    word => {
                        let message = suggest::unknown("credential type", word, Self::TYPES);
                        diagnostics.error(name.span, raw.at("type"), message);
                        None
                    }
                }
            }

            /// When it expires, if that is known.
            pub fn expires(&self) -> Option<Timestamp> {
                match self {
                    $(Self::$name(credential) => credential.expires(),)*
                }
            }

            /// The client id of the application to which a tenant consents;
            /// identities of machines and persons have none.
            pub fn application_id(&self) -> Option<&str> {
                match self {
                    $(Self::$name(credential) => credential.application_id(),)*
                }
            }

            /// What to do before it expires; empty for types that do not.
            pub const fn renewal(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $name::RENEWAL,)*
                }
            }

            async fn token(&self, sign_in: &SignIn) -> Result<AccessToken, TokenError> {
                match self {
                    $(Self::$name(credential) => credential.token(sign_in).await,)*
                }
            }
        }
    };
}

credential_types! {
    /// An application with a secret.
    ClientSecret,
    /// An application with a certificate.
    ClientCertificate,
    /// An application that trusts tokens of another issuer: a Kubernetes
    /// cluster, or the tenant of a managed identity.
    WorkloadIdentity,
    /// The identity that Azure gives to this machine or app, for its own
    /// tenant.
    ManagedIdentity,
    /// The account of `az login`, for a person at a terminal.
    AzureCli,
}
