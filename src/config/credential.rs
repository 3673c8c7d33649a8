//! How the exporter proves to Entra who it is.

use super::day::{beginning, day};
use super::environment::Environment;
use super::fault::Ledger;
use super::file::{Entries, FileCredential, FileCredentialUse};
use super::guid;
use super::keys::unknown_keys;
use super::secret::Secret;
use super::secret_source;
use super::word;
use super::written::{Mark, Text, Written};
use crate::model::Timestamp;

/// A way to get a token for a tenant.
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
    /// The account of `az login`, for a person at a terminal.
    AzureCli,
}

impl Credential {
    /// When it will no longer open anything, where that is known.
    pub const fn expires(&self) -> Option<Timestamp> {
        match self {
            Self::ClientSecret { expires, .. } => *expires,
            Self::AzureCli => None,
        }
    }
}

const SUPPORTED: [&str; 2] = ["client_secret", "azure_cli"];
const LATER: [&str; 3] = [
    "client_certificate",
    "workload_identity",
    "managed_identity",
];

/// The named credentials, each with whether a tenant uses it.
///
/// A credential that was itself at fault is kept as `None`: its tenants are
/// then not blamed for it once more.
pub(super) struct Credentials<'a> {
    environment: &'a Environment,
    named: Vec<Named>,
}

struct Named {
    name: Text,
    credential: Option<Credential>,
    used: bool,
}

impl<'a> Credentials<'a> {
    pub(super) fn resolve(
        entries: Entries<Written<FileCredential>>,
        environment: &'a Environment,
        ledger: &mut Ledger,
    ) -> Self {
        let mut credentials = Self {
            environment,
            named: Vec::new(),
        };
        for (index, (name, file)) in entries.0.into_iter().enumerate() {
            let path = if is_name(&name.value) {
                format!("credentials.{}", name.value)
            } else {
                let path = format!("credentials[{index}]");
                ledger.fault(
                    name.mark,
                    &path,
                    "not a good name; use letters, digits, `.`, `_` and `-`, at most 64",
                );
                path
            };
            let credential = credentials.one(&path, file, ledger);
            credentials.named.push(Named {
                name,
                credential,
                used: false,
            });
        }
        credentials
    }

    /// The credential a tenant refers to or brings along.
    pub(super) fn take(
        &mut self,
        path: &str,
        reference: &Written<FileCredentialUse>,
        ledger: &mut Ledger,
    ) -> Option<Credential> {
        match &reference.value {
            FileCredentialUse::Named(name) => self.by_name(path, name, reference.mark, ledger),
            FileCredentialUse::Inline(file) => {
                self.one(path, Written::new((**file).clone(), reference.mark), ledger)
            }
        }
    }

    fn by_name(
        &mut self,
        path: &str,
        name: &str,
        mark: Mark,
        ledger: &mut Ledger,
    ) -> Option<Credential> {
        if let Some(found) = self.named.iter_mut().find(|c| c.name.value == name) {
            found.used = true;
            return found.credential.clone();
        }
        let known = self.named.iter().map(|c| c.name.value.as_str());
        let known: Vec<_> = known.filter(|name| is_name(name)).collect();
        let message = match (word::nearest(name, known.iter().copied()), known.as_slice()) {
            (Some(near), _) => format!("unknown credential `{name}`; did you mean `{near}`?"),
            (None, []) => "unknown credential; describe it under `credentials:`".to_owned(),
            (None, known) => format!("unknown credential; use {}", word::one_of(known)),
        };
        ledger.fault(mark, path, message);
        None
    }

    pub(super) fn warn_of_unused(&self, ledger: &mut Ledger) {
        // A name that was refused may be a secret, and is not repeated here either.
        let unused = |named: &&Named| !named.used && is_name(&named.name.value);
        for unused in self.named.iter().filter(unused) {
            ledger.warn(
                unused.name.mark,
                format_args!("credentials.{}", unused.name.value),
                "no tenant uses this credential",
            );
        }
    }

    fn one(
        &self,
        path: &str,
        file: Written<FileCredential>,
        ledger: &mut Ledger,
    ) -> Option<Credential> {
        let Written { value: file, mark } = file;
        unknown_keys(path, &file.unknown, FileCredential::KEYS, ledger);
        refuse_inline(path, &file, ledger);
        let Some(r#type) = &file.r#type else {
            let supported = word::one_of(&SUPPORTED);
            ledger.fault(
                mark,
                format_args!("{path}.type"),
                format!("missing; set {supported}"),
            );
            return None;
        };
        match r#type.value.trim() {
            "azure_cli" => azure_cli(path, &file, ledger),
            "client_secret" => self.client_secret(path, &file, mark, ledger),
            other => {
                ledger.fault(r#type.mark, format_args!("{path}.type"), unsupported(other));
                None
            }
        }
    }

    fn client_secret(
        &self,
        path: &str,
        file: &FileCredential,
        mark: Mark,
        ledger: &mut Ledger,
    ) -> Option<Credential> {
        let client_id = client_id(path, file.client_id.as_ref(), mark, ledger);
        let secret = self.secret(path, file, mark, ledger);
        let expires = file.expires.as_ref();
        let expires = expires.and_then(|text| day(format_args!("{path}.expires"), text, ledger));
        Some(Credential::ClientSecret {
            client_id: client_id?,
            secret: secret?,
            expires: expires.map(beginning),
        })
    }

    fn secret(
        &self,
        path: &str,
        file: &FileCredential,
        mark: Mark,
        ledger: &mut Ledger,
    ) -> Option<Secret> {
        match (&file.client_secret_file, &file.client_secret_env) {
            (Some(_), Some(_)) => {
                ledger.fault(
                    mark,
                    path,
                    "both client_secret_file and client_secret_env are set; keep one",
                );
                None
            }
            (Some(file), None) => {
                secret_source::from_file(&format!("{path}.client_secret_file"), file, ledger)
            }
            (None, Some(variable)) => {
                let path = format!("{path}.client_secret_env");
                secret_source::from_variable(&path, variable, self.environment, ledger)
            }
            (None, None) if file.client_secret.is_some() => None,
            // An environment without a secret has already been told so.
            (None, None) if matches!(mark, Mark::Variable(_)) => None,
            (None, None) => {
                ledger.fault(
                    mark,
                    path,
                    "no secret; set client_secret_file or client_secret_env",
                );
                None
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn unsupported(word: &str) -> String {
    let supported = word::one_of(&SUPPORTED);
    if LATER.contains(&word) {
        return format!("{word} is not supported by this version; use {supported}");
    }
    word::unknown("credential type", word, &SUPPORTED)
}

fn refuse_inline(path: &str, file: &FileCredential, ledger: &mut Ledger) {
    let Some(inline) = &file.client_secret else {
        return;
    };
    let other = [&file.client_secret_file, &file.client_secret_env];
    let message = if other.iter().any(|other| other.is_some()) {
        "both client_secret and a reference to a secret are set; keep only client_secret_file or client_secret_env"
    } else {
        "a secret does not belong in this file; put it into a file of its own and name that as \
         client_secret_file, or name a variable as client_secret_env"
    };
    ledger.fault(inline.mark, format_args!("{path}.client_secret"), message);
}

fn azure_cli(path: &str, file: &FileCredential, ledger: &mut Ledger) -> Option<Credential> {
    let keys = [
        ("client_id", &file.client_id),
        ("client_secret_file", &file.client_secret_file),
        ("client_secret_env", &file.client_secret_env),
        ("expires", &file.expires),
    ];
    for (key, value) in keys {
        if let Some(value) = value {
            ledger.fault(
                value.mark,
                format_args!("{path}.{key}"),
                "azure_cli takes the account of `az login`; remove this key",
            );
        }
    }
    Some(Credential::AzureCli)
}

fn client_id(path: &str, id: Option<&Text>, mark: Mark, ledger: &mut Ledger) -> Option<String> {
    let path = format!("{path}.client_id");
    let Some(id) = id else {
        ledger.fault(mark, path, "missing; set the application (client) id");
        return None;
    };
    if !guid::is_guid(id.value.trim()) {
        ledger.fault(
            id.mark,
            path,
            "not a GUID; copy \"Application (client) ID\" from the app registration's overview",
        );
        return None;
    }
    Some(id.value.trim().to_lowercase())
}
