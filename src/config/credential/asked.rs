//! One credential as somebody wrote it, and what it means.

use super::super::day::{day, start_of_day};
use super::super::environment::Environment;
use super::super::file::FileCredential;
use super::super::guid;
use super::super::secret::{Secret, SecretError};
use super::super::secret_source;
use super::certificate_file::CertificateFiles;
use super::kind::{KINDS, Kind};
use super::{Credential, FederatedToken, TokenFile};
use strict_yaml::{Diagnostics, Span, Text, suggest};

/// A credential as written.
pub(super) struct Asked<'a> {
    /// For messages, such as `credentials.msp`.
    pub(super) path: &'a str,
    pub(super) file: &'a FileCredential,
    pub(super) span: Span,
    pub(super) environment: &'a Environment,
}

impl Asked<'_> {
    /// What it means, or every fault in it.
    pub(super) fn resolve(&self, diagnostics: &mut Diagnostics) -> Option<Credential> {
        self.file.report_unknown_keys(self.path, diagnostics);
        self.refuse_inline(diagnostics);
        let kind = self.kind(diagnostics)?;
        kind.refuse_others(self.path, self.file, diagnostics);
        match kind {
            Kind::ClientSecret => self.client_secret(diagnostics),
            Kind::ClientCertificate => self.client_certificate(diagnostics),
            Kind::WorkloadIdentity => self.workload_identity(diagnostics),
            Kind::ManagedIdentity => self.managed_identity(diagnostics),
            Kind::AzureCli => Some(Credential::AzureCli),
        }
    }

    fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn kind(&self, diagnostics: &mut Diagnostics) -> Option<Kind> {
        let Some(r#type) = &self.file.r#type else {
            let message = format!("missing; set {}", suggest::one_of(&KINDS));
            diagnostics.error(self.span, self.at("type"), message);
            return None;
        };
        let word = r#type.value.trim();
        let kind = Kind::of(word);
        if kind.is_none() {
            let message = suggest::unknown("credential type", word, &KINDS);
            diagnostics.error(r#type.span, self.at("type"), message);
        }
        kind
    }

    fn refuse_inline(&self, diagnostics: &mut Diagnostics) {
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
        diagnostics.error(inline.span, self.at("client_secret"), message);
    }

    fn client_secret(&self, diagnostics: &mut Diagnostics) -> Option<Credential> {
        let client_id = self.client_id(diagnostics);
        let secret = self.secret(diagnostics);
        let expires = self.file.expires.as_ref();
        let expires = expires.and_then(|text| day(self.at("expires"), text, diagnostics));
        Some(Credential::ClientSecret {
            client_id: client_id?,
            secret: secret?,
            expires: expires.map(start_of_day),
        })
    }

    fn secret(&self, diagnostics: &mut Diagnostics) -> Option<Secret> {
        let (file, variable) = (&self.file.client_secret_file, &self.file.client_secret_env);
        if file.is_none() && variable.is_none() {
            // An environment without a secret has already been told so.
            let told = matches!(self.span, Span::Variable(_)) || self.file.client_secret.is_some();
            if !told {
                let message = "no secret; set client_secret_file or client_secret_env";
                diagnostics.error(self.span, self.path, message);
            }
            return None;
        }
        let (text, secret) = self.referenced("client_secret", (file, variable), diagnostics)?;
        let key = match file {
            Some(_) => "client_secret_file",
            None => "client_secret_env",
        };
        secret_source::warn_of_id(&self.at(key), text.span, &secret, diagnostics);
        Some(secret)
    }

    /// A secret from a file or a variable, and where that is written.
    fn referenced<'t>(
        &self,
        key: &str,
        (file, variable): (&'t Option<Text>, &'t Option<Text>),
        diagnostics: &mut Diagnostics,
    ) -> Option<(&'t Text, Secret)> {
        match (file, variable) {
            (Some(_), Some(_)) => {
                let message = format!("both {key}_file and {key}_env are set; keep one");
                diagnostics.error(self.span, self.path, message);
                None
            }
            (Some(file), None) => {
                let place = self.at(&format!("{key}_file"));
                let secret = secret_source::from_file(&place, file, diagnostics);
                secret.map(|secret| (file, secret))
            }
            (None, Some(variable)) => {
                let place = self.at(&format!("{key}_env"));
                let secret =
                    secret_source::from_variable(&place, variable, self.environment, diagnostics);
                secret.map(|secret| (variable, secret))
            }
            (None, None) => None,
        }
    }

    fn client_certificate(&self, diagnostics: &mut Diagnostics) -> Option<Credential> {
        let client_id = self.client_id(diagnostics);
        let passwords = (&self.file.password_file, &self.file.password_env);
        let has_password = passwords.0.is_some() || passwords.1.is_some();
        let password = self.referenced("password", passwords, diagnostics);
        let Some(certificate) = &self.file.certificate_file else {
            let message = "missing; name the file with the certificate and its private key";
            diagnostics.error(self.span, self.at("certificate_file"), message);
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
        let certificate = files.resolve(self.path, diagnostics);
        Some(Credential::ClientCertificate {
            client_id: client_id?,
            certificate: certificate?,
        })
    }

    /// What the file does not say is in the variables that Azure's webhook
    /// gives to a pod.
    fn workload_identity(&self, diagnostics: &mut Diagnostics) -> Option<Credential> {
        let client_id = match &self.file.client_id {
            None => self.injected("client_id", "AZURE_CLIENT_ID", diagnostics),
            Some(_) => self.file.client_id.clone(),
        };
        let client_id = client_id.and_then(|id| self.application(&id, diagnostics));
        let token = match (&self.file.token_file, &self.file.managed_identity) {
            (Some(_), Some(identity)) => {
                let message = "token_file is set, too; keep one of them";
                diagnostics.error(identity.span, self.at("managed_identity"), message);
                None
            }
            (None, Some(identity)) => self.identity(identity, diagnostics),
            (Some(file), None) => self.token_file(file, diagnostics),
            (None, None) => self
                .injected("token_file", "AZURE_FEDERATED_TOKEN_FILE", diagnostics)
                .and_then(|file| self.token_file(&file, diagnostics)),
        };
        Some(Credential::WorkloadIdentity {
            client_id: client_id?,
            token: token?,
        })
    }

    fn injected(
        &self,
        key: &str,
        variable: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Text> {
        let value = self.environment.get(variable);
        if value.is_none() {
            let message = format!("missing, and {variable} is not set; set one of the two");
            diagnostics.error(self.span, self.at(key), message);
        }
        value.map(|value| Text::new(value.to_owned(), Span::Variable(variable)))
    }

    fn token_file(&self, file: &Text, diagnostics: &mut Diagnostics) -> Option<FederatedToken> {
        let location = diagnostics.base().join(file.value.trim());
        match TokenFile::new(location.clone()) {
            Ok(file) => Some(FederatedToken::File(file)),
            Err(fault) => {
                let place = match fault {
                    SecretError::Unreadable(_) => diagnostics.looked_for_in(&location),
                    _ => String::new(),
                };
                let message = format!("the file of the federated token {fault}{place}");
                diagnostics.error(file.span, self.at("token_file"), message);
                None
            }
        }
    }

    fn identity(&self, identity: &Text, diagnostics: &mut Diagnostics) -> Option<FederatedToken> {
        let client_id = identity.value.trim();
        if !guid::is_guid(client_id) {
            let message = "not a GUID; name a user-assigned identity by its client id (Entra lets no application trust a system-assigned one)";
            diagnostics.error(identity.span, self.at("managed_identity"), message);
            return None;
        }
        Some(FederatedToken::ManagedIdentity {
            client_id: client_id.to_lowercase(),
        })
    }

    fn managed_identity(&self, diagnostics: &mut Diagnostics) -> Option<Credential> {
        let Some(id) = &self.file.client_id else {
            return Some(Credential::ManagedIdentity { client_id: None });
        };
        let client_id = Some(self.guid(
            id,
            "not a GUID; copy \"Client ID\" from the identity's overview",
            diagnostics,
        )?);
        Some(Credential::ManagedIdentity { client_id })
    }

    fn client_id(&self, diagnostics: &mut Diagnostics) -> Option<String> {
        let Some(id) = &self.file.client_id else {
            let message = "missing; set the application (client) id";
            diagnostics.error(self.span, self.at("client_id"), message);
            return None;
        };
        self.application(id, diagnostics)
    }

    fn application(&self, id: &Text, diagnostics: &mut Diagnostics) -> Option<String> {
        self.guid(
            id,
            "not a GUID; copy \"Application (client) ID\" from the app registration's overview",
            diagnostics,
        )
    }

    fn guid(&self, id: &Text, otherwise: &str, diagnostics: &mut Diagnostics) -> Option<String> {
        let written = id.value.trim();
        if !guid::is_guid(written) {
            diagnostics.error(id.span, self.at("client_id"), otherwise);
            return None;
        }
        Some(written.to_lowercase())
    }
}
