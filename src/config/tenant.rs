//! The tenants to watch.

use std::collections::HashMap;
use strict_yaml::{Diagnostics, Span, Spanned, Text};

use super::cloud::{self, Cloud};
use super::credentials::Credentials;
use super::file::{FileDefaults, FileTenant};
use super::number;
use super::target_labels::{self, TargetLabels};
use super::tenant_files::TenantList;
use crate::config_values::guid;
use crate::credentials::Credential;

/// One tenant, with everything that is needed to refresh it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// Its name in labels: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, unique.
    pub alias: String,
    /// Its GUID or a domain of it, in lower case.
    pub tenant_id: String,
    /// Its name on pages.
    pub display_name: String,
    /// The cloud that hosts it.
    pub cloud: Cloud,
    /// How to get tokens for it.
    pub credential: Credential,
    /// The share of the maximum score to reach, 0 to 1.
    pub target: Option<f64>,
    /// Labels of its target in Prometheus.
    pub labels: TargetLabels,
}

impl Tenant {
    /// A tenant with the defaults of the configuration.
    pub fn new(alias: &str, tenant_id: &str, credential: Credential) -> Self {
        Self {
            alias: alias.to_owned(),
            tenant_id: tenant_id.to_owned(),
            display_name: alias.to_owned(),
            cloud: Cloud::default(),
            credential,
            target: None,
            labels: TargetLabels::new(),
        }
    }
}

/// Values that Entra accepts in place of a tenant and that stand for any tenant.
const ANY_TENANT: [&str; 3] = ["common", "organizations", "consumers"];

/// The alias becomes part of labels and file names.
const LONGEST_ALIAS: usize = 64;

/// Resolves all tenants, and refuses duplicates.
pub(super) fn resolve(
    lists: Vec<TenantList>,
    may_be_empty: bool,
    defaults: FileDefaults,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Tenant> {
    let is_empty = lists.iter().all(|list| list.tenants.is_empty());
    if is_empty && !may_be_empty {
        diagnostics.error(
            Span::Nowhere,
            "tenants",
            "no tenant is described; add `- {name: contoso, tenant_id: contoso.com}`",
        );
    }
    defaults.report_unknown_keys("defaults", diagnostics);
    let defaults = Defaults::resolve(&defaults, diagnostics);
    let mut duplicates = Duplicates::default();
    let mut resolved = Vec::new();
    for TenantList { file, tenants } in lists {
        let mut resolve_all = |file: &str, list: &str, diagnostics: &mut Diagnostics| {
            for (index, tenant) in tenants.iter().enumerate() {
                let path = format!("{list}[{index}]");
                let place = format!("{file}{path}");
                duplicates.check(place, &path, &tenant.value, defaults.cloud, diagnostics);
                resolved.extend(one(&path, tenant, &defaults, credentials, diagnostics));
            }
        };
        match file {
            None => resolve_all("", "tenants", diagnostics),
            Some(file) => {
                let prefix = format!("{} ", file.name);
                diagnostics.in_file(&file.name, &file.base, |diagnostics| {
                    resolve_all(&prefix, "", diagnostics)
                });
            }
        }
    }
    resolved
}

/// Whether the tenant is simulated, even if it has other errors.
pub(super) fn is_simulated(file: &Spanned<FileTenant>, defaults: &FileDefaults) -> bool {
    let cloud = file.value.cloud.as_ref().or(defaults.cloud.as_ref());
    cloud.is_some_and(|name| {
        name.value
            .trim()
            .eq_ignore_ascii_case(Cloud::Simulator.as_str())
    })
}

/// The aliases as written, including invalid ones.
pub(super) fn names<'a>(files: impl Iterator<Item = &'a Spanned<FileTenant>>) -> Vec<String> {
    let named = files.filter_map(|file| file.value.name.as_ref());
    named.map(|name| name.value.clone()).collect()
}

/// Values for tenants that do not set their own.
struct Defaults<'a> {
    file: &'a FileDefaults,
    cloud: Cloud,
    target: Option<f64>,
}

impl<'a> Defaults<'a> {
    fn resolve(file: &'a FileDefaults, diagnostics: &mut Diagnostics) -> Self {
        let cloud = file.cloud.as_ref();
        let cloud = cloud.and_then(|name| cloud::resolve("defaults.cloud", name, diagnostics));
        let target = file.target.as_ref();
        Self {
            file,
            cloud: cloud.unwrap_or_default(),
            target: target.and_then(|text| number::ratio("defaults.target", text, diagnostics)),
        }
    }
}

fn one(
    path: &str,
    tenant: &Spanned<FileTenant>,
    defaults: &Defaults<'_>,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Tenant> {
    let Spanned { value: file, span } = tenant;
    file.report_unknown_keys(path, diagnostics);
    let cloud = match &file.cloud {
        Some(name) => cloud::resolve(&format!("{path}.cloud"), name, diagnostics),
        None => Some(defaults.cloud),
    };
    let alias = alias(path, file.name.as_ref(), *span, diagnostics);
    let tenant_id = tenant_id(path, file.tenant_id.as_ref(), *span, cloud, diagnostics);
    let credential = credential(path, tenant, defaults, credentials, diagnostics);
    let target = match &file.target {
        Some(text) => number::ratio(&format!("{path}.target"), text, diagnostics),
        None => defaults.target,
    };
    let labels = file.labels.clone().unwrap_or_default();
    let labels = target_labels::resolve(path, labels, diagnostics);
    let display_name = file.display_name.as_ref();
    let display_name = display_name.and_then(|name| display_name_of(path, name, diagnostics));
    let alias = alias?;
    Some(Tenant {
        display_name: display_name.unwrap_or_else(|| alias.clone()),
        alias,
        tenant_id: tenant_id?,
        cloud: cloud?,
        credential: credential?,
        target,
        labels,
    })
}

/// Refuses control characters, which a terminal that shows the log would interpret.
fn display_name_of(path: &str, name: &Text, diagnostics: &mut Diagnostics) -> Option<String> {
    let trimmed = name.value.trim();
    if trimmed.contains(char::is_control) {
        diagnostics.error(
            name.span,
            format_args!("{path}.display_name"),
            "contains a control character or a line break; write the name in one line",
        );
    }
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

fn alias(
    path: &str,
    name: Option<&Text>,
    span: Span,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let (span, message) = match name {
        None => (span, "missing; give the tenant a short alias for labels"),
        Some(name) if is_alias(&name.value) => return Some(name.value.clone()),
        Some(name) => (
            name.span,
            "not a valid alias; use a letter or digit, then letters, digits, `.`, `_` or `-`, at most 64",
        ),
    };
    diagnostics.error(span, format_args!("{path}.name"), message);
    None
}

fn is_alias(name: &str) -> bool {
    name.len() <= LONGEST_ALIAS
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn tenant_id(
    path: &str,
    id: Option<&Text>,
    span: Span,
    cloud: Option<Cloud>,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let path = format!("{path}.tenant_id");
    let Some(text) = id else {
        let message = "missing; set the tenant's GUID or a domain of it";
        diagnostics.error(span, path, message);
        return None;
    };
    let id = text.value.trim().to_lowercase();
    let message = if ANY_TENANT.contains(&id.as_str()) {
        format!("`{id}` stands for any tenant; set this tenant's GUID or a domain of it")
    } else if !is_tenant_id(&id, cloud) {
        "neither a GUID nor a domain; copy \"Tenant ID\" from the Entra overview".to_owned()
    } else {
        return Some(id);
    };
    diagnostics.error(text.span, path, message);
    None
}

/// The simulator also accepts the replaced ids of captured tenants.
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
    path: &str,
    tenant: &Spanned<FileTenant>,
    defaults: &Defaults<'_>,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Credential> {
    let path = format!("{path}.credential");
    let own = tenant.value.credential.as_ref();
    if let Some(reference) = own.or(defaults.file.credential.as_ref()) {
        return credentials.take(&path, reference, diagnostics);
    }
    // For an environment without a credential this is already reported.
    if !matches!(tenant.span, Span::Variable(_)) {
        let message = "missing; name one here or as defaults.credential";
        diagnostics.error(tenant.span, path, message);
    }
    None
}

/// The aliases and Entra tenants so far, each with its place.
#[derive(Default)]
struct Duplicates {
    aliases: HashMap<String, String>,
    tenants: HashMap<(String, String), String>,
}

impl Duplicates {
    /// `place` is the file, if it is not the configuration itself, and the path.
    fn check(
        &mut self,
        place: String,
        path: &str,
        file: &FileTenant,
        default_cloud: Cloud,
        diagnostics: &mut Diagnostics,
    ) {
        if let Some(name) = &file.name {
            let key = name.value.to_lowercase();
            if let Some(first) = self.aliases.get(&key) {
                let message =
                    format!("{first} also has this alias (case does not matter); choose another");
                diagnostics.error(name.span, format_args!("{path}.name"), message);
            } else {
                self.aliases.insert(key, place.clone());
            }
        }
        if let Some(id) = &file.tenant_id {
            let cloud = match &file.cloud {
                Some(name) => name.value.trim().to_lowercase(),
                None => default_cloud.as_str().to_owned(),
            };
            let key = (cloud, id.value.trim().to_lowercase());
            if let Some(first) = self.tenants.get(&key) {
                let message = format!("{first} is the same Entra tenant; keep one of the two");
                diagnostics.error(id.span, format_args!("{path}.tenant_id"), message);
            } else {
                self.tenants.insert(key, place);
            }
        }
    }
}
