//! The credentials of a configuration: named ones, and those written in place.

use super::super::environment::Environment;
use super::super::file::{FileCredential, FileCredentialUse};
use super::Credential;
use super::asked::Asked;
use strict_yaml::{Diagnostics, Entries, Span, Spanned, Text, suggest};

/// The named credentials, each with whether a tenant uses it.
///
/// A credential that was itself at fault is kept as `None`: its tenants are
/// then not blamed for it once more.
pub(in crate::config) struct Credentials<'a> {
    environment: &'a Environment,
    named: Vec<Named>,
}

struct Named {
    name: Text,
    credential: Option<Credential>,
    used: bool,
}

impl<'a> Credentials<'a> {
    pub(in crate::config) fn resolve(
        entries: Entries<Spanned<FileCredential>>,
        environment: &'a Environment,
        diagnostics: &mut Diagnostics,
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
                diagnostics.error(
                    name.span,
                    &path,
                    "not a good name; use letters, digits, `.`, `_` and `-`, at most 64",
                );
                path
            };
            let credential = credentials.one(&path, file, diagnostics);
            credentials.named.push(Named {
                name,
                credential,
                used: false,
            });
        }
        credentials
    }

    /// The credential a tenant refers to or brings along.
    pub(in crate::config) fn take(
        &mut self,
        path: &str,
        reference: &Spanned<FileCredentialUse>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Credential> {
        match &reference.value {
            FileCredentialUse::Named(name) => self.by_name(path, name, reference.span, diagnostics),
            FileCredentialUse::Inline(file) => self.one(
                path,
                Spanned::new((**file).clone(), reference.span),
                diagnostics,
            ),
        }
    }

    fn by_name(
        &mut self,
        path: &str,
        name: &str,
        span: Span,
        diagnostics: &mut Diagnostics,
    ) -> Option<Credential> {
        if let Some(found) = self.named.iter_mut().find(|c| c.name.value == name) {
            found.used = true;
            return found.credential.clone();
        }
        let known = self.named.iter().map(|c| c.name.value.as_str());
        let known: Vec<_> = known.filter(|name| is_name(name)).collect();
        let message = match (
            suggest::nearest(name, known.iter().copied()),
            known.as_slice(),
        ) {
            (Some(near), _) => format!("unknown credential `{name}`; did you mean `{near}`?"),
            (None, []) => "unknown credential; describe it under `credentials:`".to_owned(),
            (None, known) => format!("unknown credential; use {}", suggest::one_of(known)),
        };
        diagnostics.error(span, path, message);
        None
    }

    pub(in crate::config) fn warn_of_unused(&self, diagnostics: &mut Diagnostics) {
        // A name that was refused may be a secret, and is not repeated here either.
        let unused = |named: &&Named| !named.used && is_name(&named.name.value);
        for unused in self.named.iter().filter(unused) {
            diagnostics.warn(
                unused.name.span,
                format_args!("credentials.{}", unused.name.value),
                "no tenant uses this credential",
            );
        }
    }

    fn one(
        &self,
        path: &str,
        file: Spanned<FileCredential>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Credential> {
        let Spanned { value: file, span } = file;
        let asked = Asked {
            path,
            file: &file,
            span,
            environment: self.environment,
        };
        asked.resolve(diagnostics)
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
