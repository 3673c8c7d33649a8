//! The tenants to watch.

use std::collections::HashMap;
use std::sync::Arc;
use strict_yaml::{Diagnostics, Span, Spanned};

use super::choices::{self, Cloud};
use super::credentials::{Credentials, is_name};
use super::file::{FileDefaults, FileTenant};
use super::list_files::FileList;
use super::number;
use super::recommendations::{
    self, RecommendationSection, RecommendationSelections, Recommendations,
};
use super::target_labels::{self, TargetLabels};
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
    /// How Entra's recommendations are read.
    pub recommendations: Recommendations,
    /// Labels of its target in Prometheus.
    pub labels: TargetLabels,
}

impl Tenant {
    /// Its GUID, where the configuration does not name a domain.
    pub fn entra_tenant_id(&self) -> Option<&str> {
        let id = Some(self.tenant_id.as_str());
        id.filter(|id| !id.contains('.'))
    }
}

/// Values that Entra accepts in place of a tenant and that stand for any tenant.
const ANY_TENANT: [&str; 3] = ["common", "organizations", "consumers"];

/// The tenants, and which of their recommendations get series.
pub(super) struct Tenants {
    pub(super) tenants: Vec<Tenant>,
    pub(super) selections: RecommendationSelections,
}

/// Resolves all tenants, and refuses duplicates.
pub(super) fn resolve(
    lists: Vec<FileList<FileTenant>>,
    may_be_empty: bool,
    defaults: &Defaults,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Tenants {
    let is_empty = lists.iter().all(|list| list.entries.is_empty());
    if is_empty && !may_be_empty {
        let message = "no tenant is described; add `- {name: contoso, tenant_id: contoso.com}`";
        diagnostics.error(Span::Nowhere, "tenants", message);
    }
    let mut selections = RecommendationSelections::new(&defaults.recommendations);
    let mut duplicates = Duplicates::default();
    let mut resolved = Vec::new();
    for FileList { file, entries } in lists {
        let mut resolve_all = |file: &str, list: &str, diagnostics: &mut Diagnostics| {
            for (index, tenant) in entries.iter().enumerate() {
                let path = format!("{list}[{index}]");
                let place = format!("{file}{path}");
                duplicates.check(place, &path, &tenant.value, defaults.cloud, diagnostics);
                let tenant = one(&path, tenant, defaults, credentials, diagnostics);
                let Some((tenant, recommendations)) = tenant else {
                    continue;
                };
                if let Some(own) = recommendations {
                    selections.set(&tenant.alias, Arc::new(own.selection()));
                }
                resolved.push(tenant);
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
    Tenants {
        tenants: resolved,
        selections,
    }
}

/// Whether the tenant is simulated, even if it has other errors.
pub(super) fn is_simulated(file: &Spanned<FileTenant>, defaults: &FileDefaults) -> bool {
    let cloud = file.value.cloud.as_ref().or(defaults.cloud.as_ref());
    cloud.is_some_and(|name| choices::cloud(name.value.trim()) == Ok(Cloud::Simulator))
}

/// Values for tenants that do not set their own.
pub(super) struct Defaults {
    pub(super) file: FileDefaults,
    pub(super) cloud: Cloud,
    pub(super) target: Option<f64>,
    pub(super) recommendations: RecommendationSection,
}

impl Defaults {
    /// `recommendations` is the section of the top level.
    pub(super) fn resolve(
        file: FileDefaults,
        recommendations: RecommendationSection,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        file.report_unknown_keys("defaults", diagnostics);
        let cloud = diagnostics.check("defaults.cloud", &file.cloud, choices::cloud);
        Self {
            cloud: cloud.unwrap_or_default(),
            target: diagnostics.check("defaults.target", &file.target, number::ratio),
            recommendations,
            file,
        }
    }
}

/// The tenant, and its section on recommendations where it has one.
fn one(
    path: &str,
    tenant: &Spanned<FileTenant>,
    defaults: &Defaults,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<(Tenant, Option<RecommendationSection>)> {
    let Spanned { value: file, span } = tenant;
    let at = |key: &str| format!("{path}.{key}");
    file.report_unknown_keys(path, diagnostics);
    let cloud = match &file.cloud {
        Some(name) => diagnostics.check(at("cloud"), name, choices::cloud),
        None => Some(defaults.cloud),
    };
    let missing = "missing; give the tenant a short alias for labels";
    let alias = diagnostics.require(*span, at("name"), &file.name, missing);
    if let Some(name) = alias.filter(|name| !is_alias(&name.value)) {
        let message = "not a valid alias; use a letter or digit, then letters, digits, `.`, `_` or `-`, at most 64";
        diagnostics.error(name.span, at("name"), message);
    }
    let missing = "missing; set the tenant's GUID or a domain of it";
    let tenant_id = diagnostics.require(*span, at("tenant_id"), &file.tenant_id, missing);
    let parse_id = |text: &str| parse_id(text, cloud);
    let tenant_id = diagnostics.check(at("tenant_id"), tenant_id, parse_id);
    let credential = credential(
        &at("credential"),
        tenant,
        defaults,
        credentials,
        diagnostics,
    );
    let target = match &file.target {
        Some(text) => diagnostics.check(at("target"), text, number::ratio),
        None => defaults.target,
    };
    let own = file.recommendations.clone().map(|own| {
        let own = recommendations::resolve(&at("recommendations"), own, diagnostics);
        own.or(&defaults.recommendations)
    });
    let section = own.as_ref().unwrap_or(&defaults.recommendations);
    let labels = file.labels.clone().unwrap_or_default();
    let labels = target_labels::resolve(&at("labels"), labels, diagnostics);
    let shown = diagnostics.check(at("display_name"), &file.display_name, display_name);
    let alias = &alias?.value;
    let tenant = Tenant {
        alias: alias.clone(),
        tenant_id: tenant_id?,
        display_name: shown
            .filter(|name| !name.is_empty())
            .unwrap_or(alias)
            .to_owned(),
        cloud: cloud?,
        credential: credential?,
        target,
        recommendations: section.recommendations(),
        labels,
    };
    Some((tenant, own))
}

/// Refuses control characters, which a terminal that shows the log would interpret.
fn display_name(text: &str) -> Result<&str, &'static str> {
    match text.contains(char::is_control) {
        true => Err("contains a control character or a line break; write the name in one line"),
        false => Ok(text),
    }
}

/// Whether the text is a valid alias of a tenant or name of a partner.
pub fn is_alias(name: &str) -> bool {
    is_name(name) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// The GUID or domain of a tenant, in lower case. The error says what to write.
pub fn parse_id(text: &str, cloud: Option<Cloud>) -> Result<String, String> {
    let id = text.to_lowercase();
    if ANY_TENANT.contains(&id.as_str()) {
        return Err(format!(
            "`{id}` stands for any tenant; set this tenant's GUID or a domain of it"
        ));
    }
    let is_valid = match cloud {
        // The simulator also accepts the replaced ids of captured tenants.
        Some(Cloud::Simulator) => {
            let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b".-".contains(&b);
            !id.is_empty() && id.bytes().all(is_allowed)
        }
        _ => guid::is_guid(&id) || guid::is_domain(&id),
    };
    let error = "neither a GUID nor a domain; copy \"Tenant ID\" from the Entra overview";
    is_valid.then_some(id).ok_or_else(|| error.to_owned())
}

fn credential(
    path: &str,
    tenant: &Spanned<FileTenant>,
    defaults: &Defaults,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Credential> {
    let own = tenant.value.credential.as_ref();
    if let Some(reference) = own.or(defaults.file.credential.as_ref()) {
        return credentials.take(path, reference, diagnostics);
    }
    // For an environment without a credential this is already reported.
    if !matches!(tenant.span, Span::Variable(_)) {
        let message = "missing; name one here or as defaults.credential";
        diagnostics.error(tenant.span, path, message);
    }
    None
}

/// The places of the tenants so far, by alias and by cloud and id.
#[derive(Default)]
struct Duplicates(HashMap<(Option<String>, String), String>);

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
        if let Some(name) = &file.name
            && let Some(first) = self.first((None, name.value.to_lowercase()), &place)
        {
            let message =
                format!("{first} also has this alias (case does not matter); choose another");
            diagnostics.error(name.span, format_args!("{path}.name"), message);
        }
        let Some(id) = &file.tenant_id else { return };
        let cloud = file.cloud.as_ref();
        let cloud = cloud.map_or(default_cloud.as_str(), |name| name.value.trim());
        let key = (Some(cloud.to_lowercase()), id.value.trim().to_lowercase());
        if let Some(first) = self.first(key, &place) {
            let message = format!("{first} is the same Entra tenant; keep one of the two");
            diagnostics.error(id.span, format_args!("{path}.tenant_id"), message);
        }
    }

    /// Where the key was first, or `None` if this is the first place.
    fn first(&mut self, key: (Option<String>, String), place: &str) -> Option<String> {
        let first = self.0.get(&key).cloned();
        self.0.entry(key).or_insert_with(|| place.to_owned());
        first
    }
}
