//! The tenants to watch.

use std::collections::HashMap;
use strict_yaml::{Diagnostics, Span, Spanned, Text, unknown_keys};

use super::cloud::{self, Cloud};
use super::credential::{Credential, Credentials};
use super::file::{FileDefaults, FileTenant};
use super::guid;
use super::number;
use super::target_labels::{self, TargetLabels};
use super::tenant_files::Batch;

/// One tenant, with all that is needed to refresh it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// Its name in labels: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, unique.
    pub alias: String,
    /// Its GUID or a domain of it, in lower case.
    pub tenant_id: String,
    /// Its name for people; the alias where none was given.
    pub display_name: String,
    /// Where it lives.
    pub cloud: Cloud,
    /// How to get in.
    pub credential: Credential,
    /// The share of the maximum somebody wants to reach, 0 to 1.
    pub target: Option<f64>,
    /// What its target in Prometheus is labelled with.
    pub labels: TargetLabels,
}

/// Words Entra takes in place of a tenant, which here would mean any tenant.
const NO_TENANT: [&str; 3] = ["common", "organizations", "consumers"];

/// Room for the alias in a label and in a file name.
const LONGEST_ALIAS: usize = 64;

/// Resolves the list, and what no tenant alone can tell: that two are the same.
pub(super) fn resolve(
    batches: Vec<Batch>,
    may_be_empty: bool,
    defaults: FileDefaults,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Tenant> {
    let none = batches.iter().all(|batch| batch.tenants.is_empty());
    if none && !may_be_empty {
        diagnostics.error(
            Span::Nowhere,
            "tenants",
            "no tenant is described; add `- {name: contoso, tenant_id: contoso.com}`",
        );
    }
    unknown_keys(
        "defaults",
        &defaults.unknown,
        FileDefaults::KEYS,
        diagnostics,
    );
    let fallback = Fallback::resolve(&defaults, diagnostics);
    let mut seen = Seen::default();
    let mut resolved = Vec::new();
    for batch in batches {
        let tenants = |prefix: &str, list: &str, diagnostics: &mut Diagnostics| {
            for (index, file) in batch.tenants.into_iter().enumerate() {
                let at = format!("{list}[{index}]");
                seen.check(prefix, &at, &file, fallback.cloud, diagnostics);
                resolved.extend(one(&at, file, &fallback, credentials, diagnostics));
            }
        };
        match batch.file {
            None => tenants("", "tenants", diagnostics),
            Some(file) => {
                let prefix = format!("{} ", file.name);
                diagnostics.in_file(&file.name, &file.base, |diagnostics| {
                    tenants(&prefix, "", diagnostics)
                });
            }
        }
    }
    resolved
}

/// Whether a tenant is meant to be simulated, be it otherwise right or wrong.
pub(super) fn is_simulated(file: &Spanned<FileTenant>, defaults: &FileDefaults) -> bool {
    let cloud = file.value.cloud.as_ref().or(defaults.cloud.as_ref());
    cloud.is_some_and(|word| {
        word.value
            .trim()
            .eq_ignore_ascii_case(Cloud::Simulator.as_str())
    })
}

/// The aliases as written, be they otherwise right or wrong.
pub(super) fn names<'a>(files: impl Iterator<Item = &'a Spanned<FileTenant>>) -> Vec<String> {
    let named = files.filter_map(|file| file.value.name.as_ref());
    named.map(|name| name.value.clone()).collect()
}

/// What a tenant gets where it says nothing.
struct Fallback<'a> {
    defaults: &'a FileDefaults,
    cloud: Cloud,
    target: Option<f64>,
}

impl<'a> Fallback<'a> {
    fn resolve(defaults: &'a FileDefaults, diagnostics: &mut Diagnostics) -> Self {
        let cloud = defaults.cloud.as_ref();
        let target = defaults.target.as_ref();
        Self {
            defaults,
            cloud: cloud
                .and_then(|word| cloud::resolve("defaults.cloud", word, diagnostics))
                .unwrap_or_default(),
            target: target.and_then(|text| number::ratio("defaults.target", text, diagnostics)),
        }
    }
}

fn one(
    at: &str,
    file: Spanned<FileTenant>,
    fallback: &Fallback<'_>,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Tenant> {
    let Spanned { value: file, span } = file;
    unknown_keys(at, &file.unknown, FileTenant::KEYS, diagnostics);
    let cloud = match &file.cloud {
        Some(word) => cloud::resolve(&format!("{at}.cloud"), word, diagnostics),
        None => Some(fallback.cloud),
    };
    let alias = alias(at, file.name.as_ref(), span, diagnostics);
    let tenant_id = tenant_id(at, file.tenant_id.as_ref(), span, cloud, diagnostics);
    let credential = credential(at, &file, span, fallback, credentials, diagnostics);
    let target = match &file.target {
        Some(text) => number::ratio(&format!("{at}.target"), text, diagnostics),
        None => fallback.target,
    };
    let labels = target_labels::resolve(at, file.labels.unwrap_or_default(), diagnostics);
    let display_name = file.display_name.map(|name| {
        refuse_control_characters(at, &name, diagnostics);
        name.value.trim().to_owned()
    });
    let alias = alias?;
    Some(Tenant {
        display_name: display_name
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| alias.clone()),
        alias,
        tenant_id: tenant_id?,
        cloud: cloud?,
        credential: credential?,
        target,
        labels,
    })
}

/// A terminal that shows the log would obey them.
fn refuse_control_characters(at: &str, name: &Text, diagnostics: &mut Diagnostics) {
    if name.value.trim().contains(char::is_control) {
        diagnostics.error(
            name.span,
            format_args!("{at}.display_name"),
            "holds a control character or a line break; write the name in one plain line",
        );
    }
}

fn alias(
    at: &str,
    name: Option<&Text>,
    span: Span,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let path = format!("{at}.name");
    let Some(name) = name else {
        diagnostics.error(
            span,
            path,
            "missing; give the tenant a short alias for labels",
        );
        return None;
    };
    if !is_alias(&name.value) {
        diagnostics.error(
            name.span,
            path,
            "not a good alias; begin with a letter or digit, go on with those, `.`, `_` or `-`, at most 64",
        );
        return None;
    }
    Some(name.value.clone())
}

fn is_alias(name: &str) -> bool {
    name.len() <= LONGEST_ALIAS
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn tenant_id(
    at: &str,
    id: Option<&Text>,
    span: Span,
    cloud: Option<Cloud>,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let path = format!("{at}.tenant_id");
    let Some(text) = id else {
        diagnostics.error(
            span,
            path,
            "missing; set the tenant's GUID or a domain of it",
        );
        return None;
    };
    let id = text.value.trim().to_lowercase();
    let message = if NO_TENANT.contains(&id.as_str()) {
        format!("`{id}` stands for any tenant; set this tenant's GUID or a domain of it")
    } else if !is_tenant_id(&id, cloud) {
        "neither a GUID nor a domain; copy \"Tenant ID\" from the Entra overview".to_owned()
    } else {
        return Some(id);
    };
    diagnostics.error(text.span, path, message);
    None
}

/// A captured tenant's id is made unrecognisable, so the simulator takes more.
fn is_tenant_id(id: &str, cloud: Option<Cloud>) -> bool {
    match cloud {
        Some(Cloud::Simulator) => {
            !id.is_empty()
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
        }
        _ => guid::is_guid(id) || guid::is_domain(id),
    }
}

fn credential(
    at: &str,
    file: &FileTenant,
    span: Span,
    fallback: &Fallback<'_>,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Credential> {
    let own = file.credential.as_ref();
    match own.or(fallback.defaults.credential.as_ref()) {
        Some(reference) => credentials.take(&format!("{at}.credential"), reference, diagnostics),
        // An environment without a credential has already been told so.
        None if matches!(span, Span::Variable(_)) => None,
        None => {
            diagnostics.error(
                span,
                format_args!("{at}.credential"),
                "missing; name one here or as defaults.credential",
            );
            None
        }
    }
}

/// The aliases and Entra tenants met so far, each with where.
#[derive(Default)]
struct Seen {
    aliases: HashMap<String, String>,
    tenants: HashMap<(String, String), String>,
}

impl Seen {
    fn check(
        &mut self,
        prefix: &str,
        at: &str,
        file: &Spanned<FileTenant>,
        default_cloud: Cloud,
        diagnostics: &mut Diagnostics,
    ) {
        if let Some(name) = &file.value.name {
            let key = name.value.to_lowercase();
            if let Some(first) = self.aliases.get(&key) {
                let message = format!(
                    "{first} has this alias already (case does not matter); choose another"
                );
                diagnostics.error(name.span, format_args!("{at}.name"), message);
            } else {
                self.aliases.insert(key, format!("{prefix}{at}"));
            }
        }
        if let Some(id) = &file.value.tenant_id {
            let cloud = file
                .value
                .cloud
                .as_ref()
                .map(|word| word.value.trim().to_lowercase());
            let cloud = cloud.unwrap_or_else(|| default_cloud.as_str().to_owned());
            let key = (cloud, id.value.trim().to_lowercase());
            if let Some(first) = self.tenants.get(&key) {
                let message = format!("{first} is the same Entra tenant; keep one of the two");
                diagnostics.error(id.span, format_args!("{at}.tenant_id"), message);
            } else {
                self.tenants.insert(key, format!("{prefix}{at}"));
            }
        }
    }
}
