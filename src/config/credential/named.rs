//! The credentials of a configuration: named ones, and those written in place.

use super::super::environment::Environment;
use super::super::fault::Ledger;
use super::super::file::{Entries, FileCredential, FileCredentialUse};
use super::super::word;
use super::super::written::{Mark, Text, Written};
use super::Credential;
use super::asked::Asked;

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
    pub(in crate::config) fn take(
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

    pub(in crate::config) fn warn_of_unused(&self, ledger: &mut Ledger) {
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
        let asked = Asked {
            path,
            file: &file,
            mark,
            environment: self.environment,
        };
        asked.resolve(ledger)
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
