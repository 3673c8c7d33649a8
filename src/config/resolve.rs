//! The configuration, and how it is made from the file as written.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use strict_yaml::Diagnostics;

use super::access;
use super::choices::{Choice as _, SeriesChoice, Switch};
use super::controls::{self, ControlSelection, TenantRules};
use super::credentials::Credentials;
use super::decisions::{Aliases, DecisionRules, Decisions};
use super::events::{self, Webhook};
use super::file::{File, FileDecision, FileTenant, LOOKBACK_RANGE, REASON_RANGE};
use super::list_files::{self, FileList, FileReader};
use super::number;
use super::partners::{self, Partner};
use super::pem::{self, PemFile};
use super::privacy::{self, LabelPolicy, PrivacyPolicy};
use super::proposed_file::{ProposedFile, ProposedList, ProposedPlace};
use super::recommendations::{self, RecommendationSelections};
use super::refresh::{self, Refresh};
use super::simulator::{self, SimulatorEndpoint};
use super::tenant::{self, Defaults, Tenant, Tenants};
use crate::access::AccessRules;
use crate::config_values::{Environment, Secret};
use crate::credentials::DecryptedKeyCache;
use secure_score_model::MinimumReason;

/// Covers an acceptance, its withdrawal, and one more change.
const LOOKBACK: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// The complete and checked configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How often the exporter queries Graph, and its limits.
    pub refresh: Refresh,
    /// At least one tenant, unless there are files of tenants or a partner.
    pub tenants: Vec<Tenant>,
    /// Tenants that other shards refresh; none without shards.
    pub elsewhere: Vec<Tenant>,
    /// The partners whose lists of customers are read.
    pub partners: Vec<Partner>,
    /// The series of each tenant.
    pub series: SeriesChoice,
    /// The controls that get series.
    pub controls: Arc<ControlSelection>,
    /// The recommendations of Entra that get series.
    pub recommendations: RecommendationSelections,
    /// What was decided about accepted risks, claims and plans.
    pub decisions: Decisions,
    /// The files of decisions, and those that `decision_files` names and that do not
    /// exist yet.
    pub decision_files: Vec<PathBuf>,
    /// The patterns of `decision_files`, each with the directory of the configuration.
    pub decision_patterns: Vec<PathBuf>,
    /// How long the reason of an acceptance is at least.
    pub minimum_reason: MinimumReason,
    /// How many of a control's last states the lookback covers.
    pub lookback: NonZeroUsize,
    /// Persons and comments in labels.
    pub labels: LabelPolicy,
    /// Persons and comments everywhere else.
    pub privacy: PrivacyPolicy,
    /// Which clients see which tenants; all see all without.
    pub access: Option<AccessRules>,
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
            elsewhere: Vec::new(),
            partners: Vec::new(),
            series: SeriesChoice::default(),
            controls: Arc::default(),
            recommendations: RecommendationSelections::default(),
            decisions: Decisions::default(),
            decision_files: Vec::new(),
            decision_patterns: Vec::new(),
            minimum_reason: MinimumReason::default(),
            lookback: LOOKBACK,
            labels: LabelPolicy::default(),
            privacy: PrivacyPolicy::default(),
            access: None,
            salt: None,
            webhook: None,
            extra_roots: None,
            simulator: None,
            hash: ConfigHash::of(b""),
        }
    }

    /// Adds a customer as a tenant, with what its partner sets for customers.
    pub fn add_customer(&mut self, partner: &Partner, tenant: Tenant) {
        let selection = Arc::clone(&partner.defaults.selection);
        self.recommendations.set(&tenant.alias, selection);
        self.tenants.push(tenant);
    }

    /// The rules for the controls and recommendations of one tenant.
    pub fn rules(&self, alias: &str) -> TenantRules {
        TenantRules {
            controls: Arc::clone(&self.controls),
            recommendations: Arc::clone(self.recommendations.of_tenant(alias)),
            decisions: self.decisions.of_tenant(alias),
            minimum_reason: self.minimum_reason,
        }
    }
}

/// What a configuration is resolved from, beside its file.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) environment: &'a Environment,
    /// Private keys that need not be decrypted again.
    pub(super) decrypted_keys: &'a DecryptedKeyCache,
    /// A file of it with a text that is not written yet.
    pub(super) proposed: Option<ProposedFile<'a>>,
}

/// Resolves every section, to report the errors of all of them. Returns with it where
/// the proposed file was read.
pub(super) fn resolve(
    file: File,
    text: &[u8],
    sources: Sources<'_>,
    diagnostics: &mut Diagnostics,
) -> (Config, Option<ProposedPlace>) {
    let Sources {
        environment,
        decrypted_keys,
        proposed,
    } = sources;
    file.report_unknown_keys("", diagnostics);
    let defaults = file.defaults.unwrap_or_default();
    let patterns = file.tenant_files.as_deref();
    let may_be_empty = patterns.is_some() || file.partner.is_some();
    let partners = partners::listed(file.partner, diagnostics);
    let mut lists = vec![FileList::of_configuration(file.tenants)];
    let reader = |list, patterns| FileReader {
        list,
        patterns,
        proposed,
    };
    let reader_of_tenants = reader(ProposedList::Tenants, patterns.unwrap_or_default());
    let of_tenants = reader_of_tenants.read(diagnostics);
    lists.extend(of_tenants.lists);
    let mut decision_lists = vec![FileList::of_configuration(file.decisions)];
    let patterns = file.decision_files.unwrap_or_default();
    let of_decisions = reader(ProposedList::Decisions, &patterns).read(diagnostics);
    decision_lists.extend(of_decisions.lists);
    let proposed = of_tenants.proposed.or(of_decisions.proposed);
    let decision_files = list_files::editable(&patterns, &decision_lists, diagnostics.base());
    let decision_patterns = patterns
        .iter()
        .map(|it| diagnostics.base().join(it.value.trim()));
    let decision_patterns = decision_patterns.collect();
    let hash = hash(text, &lists, &decision_lists);
    let tenants = || lists.iter().flat_map(|list| &list.entries);
    let is_simulated = |tenant| tenant::is_simulated(tenant, &defaults);
    let simulated = tenants().map(is_simulated).chain(
        partners
            .iter()
            .map(|partner| partners::is_simulated(partner, &defaults)),
    );
    let simulated: Vec<bool> = simulated.collect();
    let uses_simulator = simulated.contains(&true);
    let uses_graph = simulated.is_empty() || simulated.contains(&false);
    let aliases = tenants().filter_map(|tenant| Some(tenant.value.name.as_ref()?.value.clone()));
    let aliases = Aliases {
        configured: aliases.collect(),
        may_grow: partners.iter().any(partners::watches),
    };
    let refresh = refresh::resolve(file.refresh.unwrap_or_default(), uses_graph, diagnostics);
    let entries = file.credentials.unwrap_or_default();
    let mut credentials = Credentials::resolve(entries, environment, decrypted_keys, diagnostics);
    let recommendations = file.recommendations.unwrap_or_default();
    let recommendations = recommendations::resolve("recommendations", recommendations, diagnostics);
    let defaults = Defaults::resolve(defaults, recommendations, diagnostics);
    let Tenants {
        tenants,
        selections,
    } = tenant::resolve(
        lists,
        may_be_empty,
        &defaults,
        &mut credentials,
        diagnostics,
    );
    let partners = partners::resolve(partners, &defaults, &mut credentials, diagnostics);
    credentials.warn_of_unused(diagnostics);
    let (labels, privacy, salt) = privacy::resolve(
        file.labels.unwrap_or_default(),
        file.privacy.unwrap_or_default(),
        diagnostics,
    );
    let risk_accepted = file.risk_accepted.unwrap_or_default();
    risk_accepted.report_unknown_keys("risk_accepted", diagnostics);
    let series = diagnostics.check("series", &file.series, SeriesChoice::parse);
    let controls = file.controls.unwrap_or_default();
    let controls = controls::resolve(controls, risk_accepted.watch, diagnostics);
    let simulator = simulator::resolve(file.simulator, uses_simulator, diagnostics);
    let separate = &risk_accepted.require_separate_approver;
    let separate = diagnostics.check(
        "risk_accepted.require_separate_approver",
        separate,
        Switch::parse,
    );
    let rules = DecisionRules {
        aliases,
        needs_separate_approver: separate == Some(Switch::On),
    };
    let exceptions = risk_accepted.exceptions.unwrap_or_default();
    let decisions = rules.resolve(exceptions, decision_lists, diagnostics);
    let minimum = &risk_accepted.minimum_reason;
    let minimum_reason = diagnostics.check("risk_accepted.minimum_reason", minimum, |text| {
        number::integer(text, REASON_RANGE).map(|it| MinimumReason(it.get()))
    });
    let lookback = &risk_accepted.lookback;
    let lookback = diagnostics.check("risk_accepted.lookback", lookback, |text| {
        number::integer(text, LOOKBACK_RANGE)
    });
    access::refuse_empty(&file.without_value, diagnostics);
    let access = file.access;
    let access = access.map(|access| access::resolve(access, &rules.aliases, diagnostics));
    let webhook = events::resolve(file.events.unwrap_or_default(), diagnostics);
    let graph = file.graph.unwrap_or_default();
    graph.report_unknown_keys("graph", diagnostics);
    let ca_file = graph.ca_file;
    let config = Config {
        refresh,
        tenants,
        elsewhere: Vec::new(),
        partners,
        series: series.unwrap_or_default(),
        controls: Arc::new(controls),
        recommendations: selections,
        decisions,
        decision_files,
        decision_patterns,
        minimum_reason: minimum_reason.unwrap_or_default(),
        lookback: lookback.unwrap_or(LOOKBACK),
        labels,
        privacy,
        access,
        salt,
        webhook,
        extra_roots: ca_file.and_then(|file| pem::resolve("graph.ca_file", &file, diagnostics)),
        simulator,
        hash,
    };
    (config, proposed)
}

/// The hash of the configuration and all files of tenants and decisions.
fn hash(
    text: &[u8],
    tenants: &[FileList<FileTenant>],
    decisions: &[FileList<FileDecision>],
) -> ConfigHash {
    let tenants = tenants.iter().filter_map(|list| list.file.as_ref());
    let decisions = decisions.iter().filter_map(|list| list.file.as_ref());
    let files = tenants
        .chain(decisions)
        .map(|file| file.contents.as_slice());
    let all: Vec<_> = std::iter::once(text).chain(files).collect();
    ConfigHash::of(&all.join(&b'\n'))
}

/// A short digest of the configuration's files.
///
/// A metric exports it, so that replicas with different configurations can be
/// found. It has 48 bits, because a sample is a float with 53. It is no
/// protection against collisions made on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConfigHash(u64);

const BITS: u32 = 48;

impl ConfigHash {
    /// FNV-1a over the bytes, both halves folded together.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self((hash >> BITS) ^ (hash & ((1 << BITS) - 1)))
    }

    /// The value of the sample, exactly.
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }
}

impl fmt::Display for ConfigHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_exact_as_a_float() {
        let hash = ConfigHash::of(b"tenants: []");
        assert_eq!(hash.as_f64() as u64, hash.0);
        assert_ne!(hash, ConfigHash::of(b"tenants: [] "));
        assert_eq!(hash.to_string().len(), 12);
    }
}
