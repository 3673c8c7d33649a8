//! A credential as the configuration describes it.

use super::DecryptedKeyCache;
use crate::config_values::{Environment, Secret, guid, secret_from_file, secret_from_variable};
use strict_yaml::{Diagnostics, Span, Text};

/// The keys of one credential, with what is needed to check them.
pub struct RawCredential<'a> {
    /// Where it is, such as `credentials.msp`.
    pub path: &'a str,
    /// Its place in the file.
    pub span: Span,
    /// The keys that are set, `type` among them.
    pub keys: Vec<(&'static str, Text)>,
    /// Whether the file contains the secret itself, which is already reported.
    pub has_inline_secret: bool,
    /// The environment variables, which may hold secrets.
    pub environment: &'a Environment,
    /// Private keys that need not be decrypted again.
    pub decrypted_keys: &'a DecryptedKeyCache,
}

impl RawCredential<'_> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Text> {
        let found = self.keys.iter().find(|(name, _)| *name == key);
        found.map(|(_, text)| text)
    }

    /// The path of a key, for messages.
    pub(super) fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// Refuses keys that have no effect for this type.
    pub(super) fn refuse_other_keys(
        &self,
        known: &[&str],
        reason: &str,
        diagnostics: &mut Diagnostics,
    ) {
        let message = format!("{reason}; remove this key");
        let others = self.keys.iter();
        for (key, text) in others.filter(|(key, _)| *key != "type" && !known.contains(key)) {
            diagnostics.error(text.span, self.at(key), &message);
        }
    }

    /// The secret from `{key}_file` or `{key}_env`, with the key that is set
    /// and its value; `Some(None)` if neither is set, `None` after an error.
    pub(super) fn secret(
        &self,
        key: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Option<(String, &Text, Secret)>> {
        let (file_key, variable_key) = (format!("{key}_file"), format!("{key}_env"));
        let (key, text, secret) = match (self.get(&file_key), self.get(&variable_key)) {
            (Some(_), Some(_)) => {
                let message = format!("both {file_key} and {variable_key} are set; keep one");
                diagnostics.error(self.span, self.path, message);
                return None;
            }
            (Some(file), None) => {
                let secret = secret_from_file(&self.at(&file_key), file, diagnostics);
                (file_key, file, secret)
            }
            (None, Some(variable)) => {
                let path = self.at(&variable_key);
                let environment = self.environment;
                let secret = secret_from_variable(&path, variable, environment, diagnostics);
                (variable_key, variable, secret)
            }
            (None, None) => return Some(None),
        };
        Some(Some((key, text, secret?)))
    }

    /// The id of the application, which must be set.
    pub(super) fn application_id(&self, diagnostics: &mut Diagnostics) -> Option<String> {
        let Some(id) = self.get("client_id") else {
            let message = "missing; set the application (client) id";
            diagnostics.error(self.span, self.at("client_id"), message);
            return None;
        };
        self.check_application_id(id, diagnostics)
    }

    pub(super) fn check_application_id(
        &self,
        id: &Text,
        diagnostics: &mut Diagnostics,
    ) -> Option<String> {
        let error =
            "not a GUID; copy \"Application (client) ID\" from the app registration's overview";
        self.guid("client_id", id, error, diagnostics)
    }

    /// A GUID in lower case.
    pub(super) fn guid(
        &self,
        key: &str,
        id: &Text,
        error: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<String> {
        let id_text = id.value.trim();
        if !guid::is_guid(id_text) {
            diagnostics.error(id.span, self.at(key), error);
            return None;
        }
        Some(id_text.to_lowercase())
    }
}
