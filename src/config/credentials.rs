//! The credentials of a configuration: named ones, and those of one tenant.

use super::file::{FileCredential, FileCredentialUse};
use crate::config_values::Environment;
use crate::credentials::{Credential, DecryptedKeyCache, RawCredential};
use strict_yaml::{Diagnostics, Entries, Span, Spanned, Text, suggest};

/// The named credentials, each with whether a tenant uses it.
pub(super) struct Credentials<'a> {
    environment: &'a Environment,
    decrypted_keys: &'a DecryptedKeyCache,
    named: Vec<Named>,
}

struct Named {
    name: Text,
    /// `None` if it has errors. They are not reported again for its tenants.
    credential: Option<Credential>,
    used: bool,
}

impl<'a> Credentials<'a> {
    pub(super) fn resolve(
        entries: Entries<Spanned<FileCredential>>,
        environment: &'a Environment,
        decrypted_keys: &'a DecryptedKeyCache,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let mut credentials = Self {
            environment,
            decrypted_keys,
            named: Vec::new(),
        };
        for (index, (name, file)) in entries.0.into_iter().enumerate() {
            let path = if is_name(&name.value) {
                format!("credentials.{}", name.value)
            } else {
                let path = format!("credentials[{index}]");
                let message = "not a good name; use letters, digits, `.`, `_` and `-`, at most 64";
                diagnostics.error(name.span, &path, message);
                path
            };
            let credential = credentials.one(&path, &file.value, file.span, diagnostics);
            credentials.named.push(Named {
                name,
                credential,
                used: false,
            });
        }
        credentials
    }

    /// The credential that a tenant names or contains.
    pub(super) fn take(
        &mut self,
        path: &str,
        reference: &Spanned<FileCredentialUse>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Credential> {
        let span = reference.span;
        let name = match &reference.value {
            FileCredentialUse::Inline(file) => return self.one(path, file, span, diagnostics),
            FileCredentialUse::Named(name) => name,
        };
        if let Some(found) = self.named.iter_mut().find(|c| c.name.value == *name) {
            found.used = true;
            return found.credential.clone();
        }
        let known = self.named.iter().map(|c| c.name.value.as_str());
        let known: Vec<_> = known.filter(|name| is_name(name)).collect();
        let message = match known.as_slice() {
            [] => "unknown credential; describe it under `credentials:`".to_owned(),
            known => suggest::unknown("credential", name, known),
        };
        diagnostics.error(span, path, message);
        None
    }

    pub(super) fn warn_of_unused(&self, diagnostics: &mut Diagnostics) {
        // A refused name may be a secret, so it is not repeated here either.
        let unused = |named: &&Named| !named.used && is_name(&named.name.value);
        for unused in self.named.iter().filter(unused) {
            let path = format_args!("credentials.{}", unused.name.value);
            diagnostics.warn(unused.name.span, path, "no tenant uses this credential");
        }
    }

    fn one(
        &self,
        path: &str,
        file: &FileCredential,
        span: Span,
        diagnostics: &mut Diagnostics,
    ) -> Option<Credential> {
        file.report_unknown_keys(path, diagnostics);
        refuse_inline_secret(path, file, diagnostics);
        let mut file = file.clone();
        let keys = file.texts().into_iter();
        let raw = RawCredential {
            path,
            span,
            keys: keys
                .filter_map(|(key, text)| Some((key, text.take()?)))
                .collect(),
            has_inline_secret: file.client_secret.is_some(),
            environment: self.environment,
            decrypted_keys: self.decrypted_keys,
        };
        Credential::resolve(&raw, diagnostics)
    }
}

fn refuse_inline_secret(path: &str, file: &FileCredential, diagnostics: &mut Diagnostics) {
    let Some(inline) = &file.client_secret else {
        return;
    };
    let references = [&file.client_secret_file, &file.client_secret_env];
    let message = if references.iter().any(|it| it.is_some()) {
        "both client_secret and a reference to a secret are set; keep only client_secret_file or client_secret_env"
    } else {
        "a secret does not belong in this file; put it into a file of its own and name that as \
         client_secret_file, or name a variable as client_secret_env"
    };
    diagnostics.error(inline.span, format_args!("{path}.client_secret"), message);
}

/// Whether the text is a name of 1 to 64 letters, digits, `.`, `_` and `-`.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
