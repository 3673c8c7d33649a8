//! The tenants to watch.

use std::collections::HashMap;

use super::cloud::{self, Cloud};
use super::credential::{Credential, Credentials};
use super::fault::Ledger;
use super::file::{FileDefaults, FileTenant};
use super::guid;
use super::keys::unknown_keys;
use super::number;
use super::target_labels::{self, TargetLabels};
use super::tenant_files::Batch;
use super::written::{Mark, Text, Written};

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
    ledger: &mut Ledger,
) -> Vec<Tenant> {
    let none = batches.iter().all(|batch| batch.tenants.is_empty());
    if none && !may_be_empty {
        ledger.fault(
            Mark::Nowhere,
            "tenants",
            "no tenant is described; add `- {name: contoso, tenant_id: contoso.com}`",
        );
    }
    unknown_keys("defaults", &defaults.unknown, FileDefaults::KEYS, ledger);
    let fallback = Fallback::resolve(&defaults, ledger);
    let mut seen = Seen::default();
    let mut resolved = Vec::new();
    for batch in batches {
        let tenants = |prefix: &str, list: &str, ledger: &mut Ledger| {
            for (index, file) in batch.tenants.into_iter().enumerate() {
                let at = format!("{list}[{index}]");
                seen.check(prefix, &at, &file, fallback.cloud, ledger);
                resolved.extend(one(&at, file, &fallback, credentials, ledger));
            }
        };
        match batch.file {
            None => tenants("", "tenants", ledger),
            Some(file) => {
                let prefix = format!("{} ", file.name);
                ledger.within(&file.name, &file.base, |ledger| {
                    tenants(&prefix, "", ledger)
                });
            }
        }
    }
    resolved
}

/// Whether a tenant is meant to be simulated, be it otherwise right or wrong.
pub(super) fn is_simulated(file: &Written<FileTenant>, defaults: &FileDefaults) -> bool {
    let cloud = file.value.cloud.as_ref().or(defaults.cloud.as_ref());
    cloud.is_some_and(|word| {
        word.value
            .trim()
            .eq_ignore_ascii_case(Cloud::Simulator.as_str())
    })
}

/// The aliases as written, be they otherwise right or wrong.
pub(super) fn names<'a>(files: impl Iterator<Item = &'a Written<FileTenant>>) -> Vec<String> {
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
    fn resolve(defaults: &'a FileDefaults, ledger: &mut Ledger) -> Self {
        let cloud = defaults.cloud.as_ref();
        let target = defaults.target.as_ref();
        Self {
            defaults,
            cloud: cloud
                .and_then(|word| cloud::resolve("defaults.cloud", word, ledger))
                .unwrap_or_default(),
            target: target.and_then(|text| number::ratio("defaults.target", text, ledger)),
        }
    }
}

fn one(
    at: &str,
    file: Written<FileTenant>,
    fallback: &Fallback<'_>,
    credentials: &mut Credentials<'_>,
    ledger: &mut Ledger,
) -> Option<Tenant> {
    let Written { value: file, mark } = file;
    unknown_keys(at, &file.unknown, FileTenant::KEYS, ledger);
    let cloud = match &file.cloud {
        Some(word) => cloud::resolve(&format!("{at}.cloud"), word, ledger),
        None => Some(fallback.cloud),
    };
    let alias = alias(at, file.name.as_ref(), mark, ledger);
    let tenant_id = tenant_id(at, file.tenant_id.as_ref(), mark, cloud, ledger);
    let credential = credential(at, &file, mark, fallback, credentials, ledger);
    let target = match &file.target {
        Some(text) => number::ratio(&format!("{at}.target"), text, ledger),
        None => fallback.target,
    };
    let labels = target_labels::resolve(at, file.labels.unwrap_or_default(), ledger);
    let display_name = file.display_name.map(|name| {
        refuse_control_characters(at, &name, ledger);
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
fn refuse_control_characters(at: &str, name: &Text, ledger: &mut Ledger) {
    if name.value.trim().contains(char::is_control) {
        ledger.fault(
            name.mark,
            format_args!("{at}.display_name"),
            "holds a control character or a line break; write the name in one plain line",
        );
    }
}

fn alias(at: &str, name: Option<&Text>, mark: Mark, ledger: &mut Ledger) -> Option<String> {
    let path = format!("{at}.name");
    let Some(name) = name else {
        ledger.fault(
            mark,
            path,
            "missing; give the tenant a short alias for labels",
        );
        return None;
    };
    if !is_alias(&name.value) {
        ledger.fault(
            name.mark,
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
    mark: Mark,
    cloud: Option<Cloud>,
    ledger: &mut Ledger,
) -> Option<String> {
    let path = format!("{at}.tenant_id");
    let Some(text) = id else {
        ledger.fault(
            mark,
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
    ledger.fault(text.mark, path, message);
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
    mark: Mark,
    fallback: &Fallback<'_>,
    credentials: &mut Credentials<'_>,
    ledger: &mut Ledger,
) -> Option<Credential> {
    let own = file.credential.as_ref();
    match own.or(fallback.defaults.credential.as_ref()) {
        Some(reference) => credentials.take(&format!("{at}.credential"), reference, ledger),
        // An environment without a credential has already been told so.
        None if matches!(mark, Mark::Variable(_)) => None,
        None => {
            ledger.fault(
                mark,
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
        file: &Written<FileTenant>,
        default_cloud: Cloud,
        ledger: &mut Ledger,
    ) {
        if let Some(name) = &file.value.name {
            let key = name.value.to_lowercase();
            if let Some(first) = self.aliases.get(&key) {
                let message = format!(
                    "{first} has this alias already (case does not matter); choose another"
                );
                ledger.fault(name.mark, format_args!("{at}.name"), message);
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
                ledger.fault(id.mark, format_args!("{at}.tenant_id"), message);
            } else {
                self.tenants.insert(key, format!("{prefix}{at}"));
            }
        }
    }
}
