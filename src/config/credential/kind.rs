//! The kinds of credentials, and which keys each takes.

use super::super::file::FileCredential;
use strict_yaml::{Diagnostics, Span};

/// A kind of credential, as `type` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ClientSecret,
    ClientCertificate,
    WorkloadIdentity,
    ManagedIdentity,
    AzureCli,
}

/// Their words, in the order in which they are offered.
pub(super) const KINDS: [&str; 5] = [
    "client_secret",
    "client_certificate",
    "workload_identity",
    "managed_identity",
    "azure_cli",
];

impl Kind {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "client_secret" => Self::ClientSecret,
            "client_certificate" => Self::ClientCertificate,
            "workload_identity" => Self::WorkloadIdentity,
            "managed_identity" => Self::ManagedIdentity,
            "azure_cli" => Self::AzureCli,
            _ => return None,
        })
    }

    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::ClientSecret => &[
                "client_id",
                "client_secret_file",
                "client_secret_env",
                "expires",
            ],
            Self::ClientCertificate => &[
                "client_id",
                "certificate_file",
                "key_file",
                "password_file",
                "password_env",
            ],
            Self::WorkloadIdentity => &["client_id", "token_file", "managed_identity"],
            Self::ManagedIdentity => &["client_id"],
            Self::AzureCli => &[],
        }
    }

    /// Why it has no use for other keys.
    const fn needs(self) -> &'static str {
        match self {
            Self::ClientSecret => "client_secret has no use for it",
            Self::ClientCertificate => {
                "client_certificate has no use for it (a certificate says itself when it ends)"
            }
            Self::WorkloadIdentity => {
                "workload_identity has no use for it, since its tokens come from elsewhere"
            }
            Self::ManagedIdentity => {
                "managed_identity has no use for it, since Azure keeps its secrets itself"
            }
            Self::AzureCli => "azure_cli takes the account of `az login`",
        }
    }

    /// Refuses keys of other kinds: somebody believes that they do something.
    pub(super) fn refuse_others(
        self,
        path: &str,
        file: &FileCredential,
        diagnostics: &mut Diagnostics,
    ) {
        let others = given(file).into_iter();
        let others = others.filter(|(key, _)| !self.keys().contains(key));
        for (key, span) in others {
            if let Some(span) = span {
                let message = format!("{}; remove this key", self.needs());
                diagnostics.error(span, format_args!("{path}.{key}"), message);
            }
        }
    }
}

/// Each key that belongs to some kinds only, and where it is given.
fn given(file: &FileCredential) -> [(&'static str, Option<Span>); 10] {
    [
        ("client_id", &file.client_id),
        ("client_secret_file", &file.client_secret_file),
        ("client_secret_env", &file.client_secret_env),
        ("expires", &file.expires),
        ("certificate_file", &file.certificate_file),
        ("key_file", &file.key_file),
        ("password_file", &file.password_file),
        ("password_env", &file.password_env),
        ("token_file", &file.token_file),
        ("managed_identity", &file.managed_identity),
    ]
    .map(|(key, text)| (key, text.as_ref().map(|text| text.span)))
}
