//! One credential as somebody wrote it, and what it means.

use super::super::day::{beginning, day};
use super::super::environment::Environment;
use super::super::fault::Ledger;
use super::super::file::FileCredential;
use super::super::guid;
use super::super::keys::unknown_keys;
use super::super::secret::{Secret, SecretFault};
use super::super::secret_source;
use super::super::word;
use super::super::written::{Mark, Text};
use super::certificate_file::CertificateFiles;
use super::kind::{KINDS, Kind};
use super::{Credential, FederatedToken, TokenFile};

/// A credential as written.
pub(super) struct Asked<'a> {
    /// For messages, such as `credentials.msp`.
    pub(super) path: &'a str,
    pub(super) file: &'a FileCredential,
    pub(super) mark: Mark,
    pub(super) environment: &'a Environment,
}

impl Asked<'_> {
    /// What it means, or every fault in it.
    pub(super) fn resolve(&self, ledger: &mut Ledger) -> Option<Credential> {
        unknown_keys(self.path, &self.file.unknown, FileCredential::KEYS, ledger);
        self.refuse_inline(ledger);
        let kind = self.kind(ledger)?;
        kind.refuse_others(self.path, self.file, ledger);
        match kind {
            Kind::ClientSecret => self.client_secret(ledger),
            Kind::ClientCertificate => self.client_certificate(ledger),
            Kind::WorkloadIdentity => self.workload_identity(ledger),
            Kind::ManagedIdentity => self.managed_identity(ledger),
            Kind::AzureCli => Some(Credential::AzureCli),
        }
    }

    fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn kind(&self, ledger: &mut Ledger) -> Option<Kind> {
        let Some(r#type) = &self.file.r#type else {
            let message = format!("missing; set {}", word::one_of(&KINDS));
            ledger.fault(self.mark, self.at("type"), message);
            return None;
        };
        let word = r#type.value.trim();
        let kind = Kind::of(word);
        if kind.is_none() {
            let message = word::unknown("credential type", word, &KINDS);
            ledger.fault(r#type.mark, self.at("type"), message);
        }
        kind
    }

    fn refuse_inline(&self, ledger: &mut Ledger) {
        let Some(inline) = &self.file.client_secret else {
            return;
        };
        let other = [&self.file.client_secret_file, &self.file.client_secret_env];
        let message = if other.iter().any(|other| other.is_some()) {
            "both client_secret and a reference to a secret are set; keep only client_secret_file or client_secret_env"
        } else {
            "a secret does not belong in this file; put it into a file of its own and name that as \
             client_secret_file, or name a variable as client_secret_env"
        };
        ledger.fault(inline.mark, self.at("client_secret"), message);
    }

    fn client_secret(&self, ledger: &mut Ledger) -> Option<Credential> {
        let client_id = self.client_id(ledger);
        let secret = self.secret(ledger);
        let expires = self.file.expires.as_ref();
        let expires = expires.and_then(|text| day(self.at("expires"), text, ledger));
        Some(Credential::ClientSecret {
            client_id: client_id?,
            secret: secret?,
            expires: expires.map(beginning),
        })
    }

    fn secret(&self, ledger: &mut Ledger) -> Option<Secret> {
        let (file, variable) = (&self.file.client_secret_file, &self.file.client_secret_env);
        if file.is_none() && variable.is_none() {
            // An environment without a secret has already been told so.
            let told = matches!(self.mark, Mark::Variable(_)) || self.file.client_secret.is_some();
            if !told {
                let message = "no secret; set client_secret_file or client_secret_env";
                ledger.fault(self.mark, self.path, message);
            }
            return None;
        }
        let (text, secret) = self.referenced("client_secret", (file, variable), ledger)?;
        let key = match file {
            Some(_) => "client_secret_file",
            None => "client_secret_env",
        };
        secret_source::warn_of_id(&self.at(key), text.mark, &secret, ledger);
        Some(secret)
    }

    /// A secret from a file or a variable, and where that is written.
    fn referenced<'t>(
        &self,
        key: &str,
        (file, variable): (&'t Option<Text>, &'t Option<Text>),
        ledger: &mut Ledger,
    ) -> Option<(&'t Text, Secret)> {
        match (file, variable) {
            (Some(_), Some(_)) => {
                let message = format!("both {key}_file and {key}_env are set; keep one");
                ledger.fault(self.mark, self.path, message);
                None
            }
            (Some(file), None) => {
                let place = self.at(&format!("{key}_file"));
                let secret = secret_source::from_file(&place, file, ledger);
                secret.map(|secret| (file, secret))
            }
            (None, Some(variable)) => {
                let place = self.at(&format!("{key}_env"));
                let secret =
                    secret_source::from_variable(&place, variable, self.environment, ledger);
                secret.map(|secret| (variable, secret))
            }
            (None, None) => None,
        }
    }

    fn client_certificate(&self, ledger: &mut Ledger) -> Option<Credential> {
        let client_id = self.client_id(ledger);
        let passwords = (&self.file.password_file, &self.file.password_env);
        let has_password = passwords.0.is_some() || passwords.1.is_some();
        let password = self.referenced("password", passwords, ledger);
        let Some(certificate) = &self.file.certificate_file else {
            let message = "missing; name the file with the certificate and its private key";
            ledger.fault(self.mark, self.at("certificate_file"), message);
            return None;
        };
        if has_password && password.is_none() {
            return None;
        }
        let files = CertificateFiles {
            certificate,
            key: self.file.key_file.as_ref(),
            password,
        };
        let certificate = files.resolve(self.path, ledger);
        Some(Credential::ClientCertificate {
            client_id: client_id?,
            certificate: certificate?,
        })
    }

    /// What the file does not say is in the variables that Azure's webhook
    /// gives to a pod.
    fn workload_identity(&self, ledger: &mut Ledger) -> Option<Credential> {
        let client_id = match &self.file.client_id {
            None => self.injected("client_id", "AZURE_CLIENT_ID", ledger),
            Some(_) => self.file.client_id.clone(),
        };
        let client_id = client_id.and_then(|id| self.application(&id, ledger));
        let token = match (&self.file.token_file, &self.file.managed_identity) {
            (Some(_), Some(identity)) => {
                let message = "token_file is set, too; keep one of them";
                ledger.fault(identity.mark, self.at("managed_identity"), message);
                None
            }
            (None, Some(identity)) => self.identity(identity, ledger),
            (Some(file), None) => self.token_file(file, ledger),
            (None, None) => self
                .injected("token_file", "AZURE_FEDERATED_TOKEN_FILE", ledger)
                .and_then(|file| self.token_file(&file, ledger)),
        };
        Some(Credential::WorkloadIdentity {
            client_id: client_id?,
            token: token?,
        })
    }

    fn injected(&self, key: &str, variable: &'static str, ledger: &mut Ledger) -> Option<Text> {
        let value = self.environment.get(variable);
        if value.is_none() {
            let message = format!("missing, and {variable} is not set; set one of the two");
            ledger.fault(self.mark, self.at(key), message);
        }
        value.map(|value| Text::new(value.to_owned(), Mark::Variable(variable)))
    }

    fn token_file(&self, file: &Text, ledger: &mut Ledger) -> Option<FederatedToken> {
        let location = ledger.base.join(file.value.trim());
        match TokenFile::new(location.clone()) {
            Ok(file) => Some(FederatedToken::File(file)),
            Err(fault) => {
                let place = match fault {
                    SecretFault::Unreadable(_) => ledger.looked_for(&location),
                    _ => String::new(),
                };
                let message = format!("the file of the federated token {fault}{place}");
                ledger.fault(file.mark, self.at("token_file"), message);
                None
            }
        }
    }

    fn identity(&self, identity: &Text, ledger: &mut Ledger) -> Option<FederatedToken> {
        let client_id = identity.value.trim();
        if !guid::is_guid(client_id) {
            let message = "not a GUID; name a user-assigned identity by its client id (Entra lets no application trust a system-assigned one)";
            ledger.fault(identity.mark, self.at("managed_identity"), message);
            return None;
        }
        Some(FederatedToken::ManagedIdentity {
            client_id: client_id.to_lowercase(),
        })
    }

    fn managed_identity(&self, ledger: &mut Ledger) -> Option<Credential> {
        let Some(id) = &self.file.client_id else {
            return Some(Credential::ManagedIdentity { client_id: None });
        };
        let client_id = Some(self.guid(
            id,
            "not a GUID; copy \"Client ID\" from the identity's overview",
            ledger,
        )?);
        Some(Credential::ManagedIdentity { client_id })
    }

    fn client_id(&self, ledger: &mut Ledger) -> Option<String> {
        let Some(id) = &self.file.client_id else {
            let message = "missing; set the application (client) id";
            ledger.fault(self.mark, self.at("client_id"), message);
            return None;
        };
        self.application(id, ledger)
    }

    fn application(&self, id: &Text, ledger: &mut Ledger) -> Option<String> {
        self.guid(
            id,
            "not a GUID; copy \"Application (client) ID\" from the app registration's overview",
            ledger,
        )
    }

    fn guid(&self, id: &Text, otherwise: &str, ledger: &mut Ledger) -> Option<String> {
        let written = id.value.trim();
        if !guid::is_guid(written) {
            ledger.fault(id.mark, self.at("client_id"), otherwise);
            return None;
        }
        Some(written.to_lowercase())
    }
}
