//! The partners whose lists of customers are read.

use secure_score_model::RecommendationCategory;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use strict_yaml::{Diagnostics, Span, Spanned, Text};

use super::choices::{self, Choice as _, Cloud, CustomerSource, DisplayNames, NewCustomers};
use super::credentials::Credentials;
use super::file::{
    FileCredentialUse, FileDefaults, FilePartner, FilePartnerDefaults, FilePartners,
};
use super::list::members;
use super::number;
use super::recommendations::{self, Recommendations};
use super::selection::Selection;
use super::target_labels::{self, TargetLabels};
use super::tenant::{Defaults, Tenant, is_alias, parse_id};
use crate::config_values::pattern::{Pattern, any_matches};
use crate::credentials::Credential;

/// A customer signs or leaves at most a few times a day.
const INTERVAL: Duration = Duration::from_secs(6 * 60 * 60);

/// A shorter interval adds only requests; with a longer one a lost customer
/// would be noticed too late.
const INTERVALS: RangeInclusive<Duration> =
    Duration::from_secs(5 * 60)..=Duration::from_secs(7 * 24 * 60 * 60);

/// A provider's own tenant, and what is read of its customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Partner {
    /// Its name in labels, of the form of an alias; unique among partners.
    pub name: String,
    /// The GUID or a domain of its own tenant, in lower case.
    pub tenant_id: String,
    /// The cloud that hosts it, and its customers.
    pub cloud: Cloud,
    /// How to get tokens for its own tenant.
    pub credential: Credential,
    /// The names of customers in labels.
    pub display_names: DisplayNames,
    /// The time between two refreshes of the list, 5 minutes to 7 days.
    pub interval: Duration,
    /// The lists to read, each once; at least one.
    pub sources: Vec<CustomerSource>,
    /// Empty means all.
    pub include: Vec<Pattern>,
    /// Wins over `include`.
    pub exclude: Vec<Pattern>,
    /// What happens with a customer that the configuration does not name.
    pub new_customers: NewCustomers,
    /// What applies to such a customer.
    pub defaults: CustomerDefaults,
}

/// What applies to a customer that the configuration does not name.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerDefaults {
    /// The application to which customers consent.
    pub credential: Credential,
    /// The cloud that hosts the customer.
    pub cloud: Cloud,
    /// The share of the maximum score to reach, 0 to 1.
    pub target: Option<f64>,
    /// How Entra's recommendations are read.
    pub recommendations: Recommendations,
    /// The recommendations that get series.
    pub selection: Arc<Selection<RecommendationCategory>>,
    /// Labels of the customer's target in Prometheus.
    pub labels: TargetLabels,
    /// Keys with their values that an entry of a file of tenants needs so that the
    /// same applies to it, beside the top-level `defaults`.
    pub entry_keys: Vec<(&'static str, String)>,
}

impl Partner {
    /// Whether `include` and `exclude` select the customer, by its name or its
    /// tenant id.
    pub fn selects(&self, tenant_id: &str, display_name: &str) -> bool {
        let matches = |patterns: &[Pattern]| {
            any_matches(patterns, tenant_id) || any_matches(patterns, display_name)
        };
        (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }

    /// The patterns of `include` and `exclude` as written, each with its key.
    pub fn patterns(&self) -> Vec<String> {
        let written = |key, patterns: &[Pattern]| -> Vec<String> {
            let texts = patterns.iter().map(Pattern::text);
            texts.map(|text| format!("{key}: {text}")).collect()
        };
        let include = written("include", &self.include);
        [include, written("exclude", &self.exclude)].concat()
    }

    /// The customer as a tenant to watch. Its name is shown only where labels
    /// may have it; otherwise its alias is.
    pub fn tenant(&self, alias: String, tenant_id: &str, display_name: &str) -> Tenant {
        let defaults = &self.defaults;
        let is_shown = self.display_names == DisplayNames::Plain && !display_name.is_empty();
        Tenant {
            display_name: if is_shown { display_name } else { &alias }.to_owned(),
            alias,
            tenant_id: tenant_id.to_lowercase(),
            cloud: defaults.cloud,
            credential: defaults.credential.clone(),
            target: defaults.target,
            recommendations: defaults.recommendations,
            labels: defaults.labels.clone(),
        }
    }
}

/// A partner as written, and its path in the file.
pub(super) struct Listed {
    path: String,
    partner: Spanned<FilePartner>,
}

/// The partners as written.
pub(super) fn listed(
    file: Option<Spanned<FilePartners>>,
    diagnostics: &mut Diagnostics,
) -> Vec<Listed> {
    let Some(Spanned { value, span }) = file else {
        return Vec::new();
    };
    match value {
        FilePartners::One(partner) => vec![Listed {
            path: "partner".to_owned(),
            partner: Spanned::new(*partner, span),
        }],
        FilePartners::Many(partners) => {
            if partners.is_empty() {
                let message = "the list is empty; describe a partner or omit the key";
                diagnostics.error(span, "partner", message);
            }
            let partners = partners.into_iter().enumerate();
            partners
                .map(|(index, partner)| Listed {
                    path: format!("partner[{index}]"),
                    partner,
                })
                .collect()
        }
    }
}

/// Whether the partner or its customers are simulated, even if it has other
/// errors.
pub(super) fn is_simulated(listed: &Listed, defaults: &FileDefaults) -> bool {
    let file = &listed.partner.value;
    let own = file.defaults.as_ref().and_then(|it| it.cloud.as_ref());
    let cloud = file.cloud.as_ref().or(defaults.cloud.as_ref());
    let is_simulator = |name: &Text| choices::cloud(name.value.trim()) == Ok(Cloud::Simulator);
    cloud.is_some_and(is_simulator) || own.is_some_and(is_simulator)
}

/// Whether customers get aliases that the configuration does not have.
pub(super) fn watches(listed: &Listed) -> bool {
    let new_customers = listed.partner.value.new_customers.as_ref();
    let choice = new_customers.map(|text| NewCustomers::parse(text.value.trim()));
    choice == Some(Ok(NewCustomers::Watch))
}

/// Resolves all partners, and refuses duplicates.
pub(super) fn resolve(
    listed: Vec<Listed>,
    defaults: &Defaults,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Partner> {
    let mut duplicates = Duplicates::default();
    let partners = listed.iter().filter_map(|Listed { path, partner }| {
        duplicates.check(path, &partner.value, diagnostics);
        one(path, partner, defaults, credentials, diagnostics)
    });
    partners.collect()
}

fn one(
    path: &str,
    partner: &Spanned<FilePartner>,
    defaults: &Defaults,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Partner> {
    let Spanned { value: file, span } = partner;
    let at = |key: &str| format!("{path}.{key}");
    file.report_unknown_keys(path, diagnostics);
    let cloud = match &file.cloud {
        Some(name) => diagnostics.check(at("cloud"), name, choices::cloud),
        None => Some(defaults.cloud),
    };
    let missing = "missing; give the partner a short name for labels";
    let name = diagnostics.require(*span, at("name"), &file.name, missing);
    let name = diagnostics.check(at("name"), name, |name| match is_alias(name) {
        true => Ok(name.to_owned()),
        false => Err("not a valid name; use a letter or digit, then letters, digits, `.`, `_` or `-`, at most 64"),
    });
    let missing = "missing; set the GUID or a domain of the partner's own tenant";
    let tenant_id = diagnostics.require(*span, at("tenant_id"), &file.tenant_id, missing);
    let tenant_id = diagnostics.check(at("tenant_id"), tenant_id, |text| parse_id(text, cloud));
    let credential = match &file.credential {
        Some(reference) => credentials.take(&at("credential"), reference, diagnostics),
        None => {
            let message =
                "missing; name the credential of an application in the partner's own tenant";
            diagnostics.error(*span, at("credential"), message);
            None
        }
    };
    let display_names = &file.display_names;
    let display_names = diagnostics.check(at("display_names"), display_names, DisplayNames::parse);
    let interval = diagnostics.check(at("interval"), &file.interval, |text| {
        number::timeout(text, INTERVALS)
    });
    let sources = sources(&at("source"), file.source.as_ref(), diagnostics);
    let mut patterns = |key, texts: &Option<Vec<Text>>| {
        members(&at(key), texts.clone(), Pattern::of_names, diagnostics)
    };
    let include = patterns("include", &file.include);
    let exclude = patterns("exclude", &file.exclude);
    let new_customers = &file.new_customers;
    let new_customers = diagnostics.check(at("new_customers"), new_customers, NewCustomers::parse);
    let own = Spanned::new(file.defaults.clone().unwrap_or_default(), *span);
    let own = customer_defaults(
        &at("defaults"),
        own,
        cloud,
        defaults,
        credentials,
        diagnostics,
    );
    if let (Some(reference), Some(credential), Some(own)) = (&file.credential, &credential, &own)
        && is_same_application(credential, &own.credential)
    {
        let message = format!(
            "{path}.defaults.credential, or defaults.credential without it, is the same application, so each customer's consent would include the permission to read the list of customers; register a second application for the customers and name its credential there"
        );
        diagnostics.warn(reference.span, at("credential"), message);
    }
    Some(Partner {
        name: name?,
        tenant_id: tenant_id?,
        cloud: cloud?,
        credential: credential?,
        display_names: display_names.unwrap_or_default(),
        interval: interval.unwrap_or(INTERVAL),
        sources,
        include,
        exclude,
        new_customers: new_customers.unwrap_or_default(),
        defaults: own?,
    })
}

/// Whether both get tokens for one application.
fn is_same_application(first: &Credential, second: &Credential) -> bool {
    match (first.application_id(), second.application_id()) {
        (Some(first), Some(second)) => first.eq_ignore_ascii_case(second),
        _ => false,
    }
}

/// The lists, each once.
fn sources(
    path: &str,
    texts: Option<&Vec<Text>>,
    diagnostics: &mut Diagnostics,
) -> Vec<CustomerSource> {
    let Some(texts) = texts else {
        return vec![CustomerSource::default()];
    };
    if texts.is_empty() {
        let message = "the list is empty, so no customer is known; omit the key for delegated_admin_customers";
        diagnostics.error(Span::Nowhere, path, message);
    }
    let mut sources = members(
        path,
        Some(texts.clone()),
        CustomerSource::parse,
        diagnostics,
    );
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// `partner_cloud` is the partner's, `None` if it is invalid.
fn customer_defaults(
    path: &str,
    file: Spanned<FilePartnerDefaults>,
    partner_cloud: Option<Cloud>,
    defaults: &Defaults,
    credentials: &mut Credentials<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<CustomerDefaults> {
    let Spanned { value: file, span } = file;
    let at = |key: &str| format!("{path}.{key}");
    file.report_unknown_keys(path, diagnostics);
    let mut entry_keys = Vec::new();
    if let Some(FileCredentialUse::Named(name)) = file.credential.as_ref().map(|it| &it.value) {
        entry_keys.push(("credential", name.clone()));
    }
    let reference = file.credential.as_ref();
    let reference = reference.or(defaults.file.credential.as_ref());
    let credential = match reference {
        Some(reference) => credentials.take(&at("credential"), reference, diagnostics),
        None => {
            let message = "missing; name the application to which customers consent, here or as defaults.credential";
            diagnostics.error(span, at("credential"), message);
            None
        }
    };
    let cloud = match &file.cloud {
        Some(name) => diagnostics.check(at("cloud"), name, choices::cloud),
        None => partner_cloud,
    };
    if let Some(cloud) = cloud.filter(|cloud| *cloud != defaults.cloud) {
        entry_keys.push(("cloud", cloud.as_str().to_owned()));
    }
    if let Some(target) = &file.target {
        entry_keys.push(("target", target.value.trim().to_owned()));
    }
    let target = match &file.target {
        Some(text) => diagnostics.check(at("target"), text, number::ratio),
        None => defaults.target,
    };
    let section = match file.recommendations {
        Some(own) => recommendations::resolve(&at("recommendations"), own, diagnostics)
            .or(&defaults.recommendations),
        None => defaults.recommendations.clone(),
    };
    let labels = file.labels.unwrap_or_default();
    let labels = target_labels::resolve(&at("labels"), labels, diagnostics);
    Some(CustomerDefaults {
        credential: credential?,
        cloud: cloud?,
        target,
        recommendations: section.recommendations(),
        selection: Arc::new(section.selection()),
        labels,
        entry_keys,
    })
}

/// The paths of the partners so far, by name and by tenant.
#[derive(Default)]
struct Duplicates(HashMap<(&'static str, String), String>);

impl Duplicates {
    fn check(&mut self, path: &str, file: &FilePartner, diagnostics: &mut Diagnostics) {
        let name = "also has this name (case does not matter); choose another";
        let tenant = "is the same Entra tenant; keep one of the two";
        for (key, text, message) in [
            ("name", &file.name, name),
            ("tenant_id", &file.tenant_id, tenant),
        ] {
            let Some(text) = text else { continue };
            let value = (key, text.value.trim().to_lowercase());
            let first = self.0.entry(value).or_insert_with(|| path.to_owned());
            if first != path {
                let message = format!("{first} {message}");
                diagnostics.error(text.span, format_args!("{path}.{key}"), message);
            }
        }
    }
}
