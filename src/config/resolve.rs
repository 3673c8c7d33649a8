//! The configuration, and how it is made from the file as written.

use std::num::NonZeroUsize;
use std::sync::Arc;
use strict_yaml::Diagnostics;

use super::choices::EventDetail;
use super::controls::{self, ControlSelection, TenantRules};
use super::credentials::Credentials;
use super::events::{self, Webhook};
use super::exceptions::{self, Exceptions};
use super::file::{File, LOOKBACK_RANGE};
use super::hash::ConfigHash;
use super::number;
use super::pem::{self, PemFile};
use super::privacy::{self, LabelPolicy};
use super::refresh::{self, Refresh};
use super::simulator::{self, SimulatorEndpoint};
use super::tenant::{self, Tenant};
use super::tenant_files::{self, TenantList};
use crate::config_values::{Environment, Secret};
use crate::credentials::DecryptedKeyCache;

/// Covers an acceptance, its withdrawal, and one more change.
const LOOKBACK: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// The complete and checked configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How often the exporter queries Graph, and its limits.
    pub refresh: Refresh,
    /// At least one tenant, unless there are files of tenants.
    pub tenants: Vec<Tenant>,
    /// The controls that get series.
    pub controls: Arc<ControlSelection>,
    /// Approved acceptances.
    pub exceptions: Exceptions,
    /// How many of a control's last states the lookback covers.
    pub lookback: NonZeroUsize,
    /// Persons and comments in labels.
    pub labels: LabelPolicy,
    /// Persons and comments everywhere else.
    pub privacy: EventDetail,
    /// Present if something is hashed.
    pub salt: Option<Secret>,
    /// The receiver of events in addition to the log.
    pub webhook: Option<Webhook>,
    /// Certificate authorities in addition to the system's.
    pub extra_roots: Option<PemFile>,
    /// Present if a tenant is simulated.
    pub simulator: Option<SimulatorEndpoint>,
    /// The metric that shows whether replicas agree.
    pub hash: ConfigHash,
}

impl Config {
    /// These tenants, with the default of every other key.
    pub fn of(tenants: Vec<Tenant>) -> Self {
        Self {
            refresh: Refresh::default(),
            tenants,
            controls: Arc::default(),
            exceptions: Exceptions::default(),
            lookback: LOOKBACK,
            labels: LabelPolicy::default(),
            privacy: EventDetail::default(),
            salt: None,
            webhook: None,
            extra_roots: None,
            simulator: None,
            hash: ConfigHash::of(""),
        }
    }

    /// The rules for the controls of one tenant.
    pub fn rules(&self, alias: &str) -> TenantRules {
        TenantRules {
            controls: Arc::clone(&self.controls),
            exceptions: self.exceptions.of_tenant(alias),
        }
    }
}

/// Resolves every section, to report the errors of all of them.
pub(super) fn resolve(
    file: File,
    text: &str,
    environment: &Environment,
    decrypted_keys: &DecryptedKeyCache,
    diagnostics: &mut Diagnostics,
) -> Config {
    file.report_unknown_keys("", diagnostics);
    let defaults = file.defaults.unwrap_or_default();
    let patterns = file.tenant_files.as_deref();
    let may_be_empty = patterns.is_some();
    let mut lists = vec![TenantList {
        file: None,
        tenants: file.tenants.unwrap_or_default(),
    }];
    let patterns = patterns.unwrap_or_default();
    lists.extend(tenant_files::read(patterns, diagnostics));
    let hash = hash(text, &lists);
    let tenants = || lists.iter().flat_map(|list| &list.tenants);
    let is_simulated = |tenant| tenant::is_simulated(tenant, &defaults);
    let uses_simulator = tenants().any(is_simulated);
    let uses_graph = tenants().next().is_none() || !tenants().all(is_simulated);
    let aliases: Vec<_> = tenants()
        .filter_map(|tenant| Some(tenant.value.name.as_ref()?.value.clone()))
        .collect();
    let refresh = refresh::resolve(file.refresh.unwrap_or_default(), uses_graph, diagnostics);
    let entries = file.credentials.unwrap_or_default();
    let mut credentials = Credentials::resolve(entries, environment, decrypted_keys, diagnostics);
    let tenants = tenant::resolve(lists, may_be_empty, defaults, &mut credentials, diagnostics);
    credentials.warn_of_unused(diagnostics);
    let privacy = privacy::resolve(
        file.labels.unwrap_or_default(),
        file.privacy.unwrap_or_default(),
        diagnostics,
    );
    let risk_accepted = file.risk_accepted.unwrap_or_default();
    risk_accepted.report_unknown_keys("risk_accepted", diagnostics);
    let controls = file.controls.unwrap_or_default();
    let controls = controls::resolve(controls, risk_accepted.watch, diagnostics);
    let simulator = simulator::resolve(file.simulator, uses_simulator, diagnostics);
    let exceptions = risk_accepted.exceptions.unwrap_or_default();
    let exceptions = exceptions::resolve(exceptions, &aliases, diagnostics);
    let lookback = &risk_accepted.lookback;
    let lookback = diagnostics.check("risk_accepted.lookback", lookback, |text| {
        number::integer(text, LOOKBACK_RANGE)
    });
    let webhook = events::resolve(file.events.unwrap_or_default(), diagnostics);
    let graph = file.graph.unwrap_or_default();
    graph.report_unknown_keys("graph", diagnostics);
    let ca_file = graph.ca_file;
    Config {
        refresh,
        tenants,
        controls: Arc::new(controls),
        exceptions,
        lookback: lookback.unwrap_or(LOOKBACK),
        labels: privacy.labels,
        privacy: privacy.events,
        salt: privacy.salt,
        webhook,
        extra_roots: ca_file.and_then(|file| pem::resolve("graph.ca_file", &file, diagnostics)),
        simulator,
        hash,
    }
}

/// The hash of the configuration and all files of tenants.
fn hash(text: &str, lists: &[TenantList]) -> ConfigHash {
    let files = lists.iter().filter_map(|list| list.file.as_ref());
    ConfigHash::of(&files.fold(text.to_owned(), |all, file| all + "\n" + &file.text))
}
