//! # config: what to watch, with which credential, and how often
//!
//! Two stages. `file` is the YAML as written, all text and all optional, each
//! value with its line. `resolve` is what it means: a [`Config`] without gaps,
//! or every fault there is. Variables of the environment are written down as
//! such a file first, so that each rule exists once.
//!
//! No message repeats a value that is not near to a known word. The reader of
//! a complaint has the line; a log must not have the secret that somebody
//! pasted one line too high.

mod cloud;
mod controls;
mod credential;
mod day;
mod environment;
mod events;
mod exceptions;
mod file;
mod fingerprint;
mod guid;
mod load;
mod number;
mod pattern;
mod pem;
mod privacy;
mod reference;
mod refresh;
mod resolve;
mod rules;
mod schema;
mod secret;
mod secret_source;
mod simulator;
mod target_labels;
mod tenant;
mod tenant_files;
mod variable;
mod watch;

use std::num::NonZeroUsize;
use std::sync::Arc;

pub use cloud::Cloud;
pub use controls::ControlSelection;
pub use credential::{
    ClientCertificate, Credential, FederatedToken, TokenFile, UnreadableToken, Unsigned,
};
pub use environment::Environment;
pub use events::Webhook;
pub use exceptions::Exceptions;
pub use fingerprint::Fingerprint;
pub use load::{DEFAULT_FILE, Loaded, find, load};
pub use pattern::{BadPattern, Pattern};
pub use pem::PemFile;
pub use privacy::{AcceptedBy, EventDetail, LabelPolicy};
pub use reference::reference;
pub use refresh::{Refresh, RefreshMode};
pub use rules::TenantRules;
pub use schema::schema;
pub use secret::Secret;
pub use simulator::SimulatorEndpoint;
pub use target_labels::TargetLabels;
pub use tenant::Tenant;
pub use variable::{VARIABLES, Variable};
pub use watch::{WatchList, nearest_id};

/// Everything the exporter was told, complete and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How often and how patiently Graph is asked.
    pub refresh: Refresh,
    /// At least one.
    pub tenants: Vec<Tenant>,
    /// Which controls get series.
    pub controls: Arc<ControlSelection>,
    /// Acceptances somebody approved.
    pub exceptions: Exceptions,
    /// How many of the last states of a control are looked at.
    pub lookback: NonZeroUsize,
    /// Who and why in labels.
    pub labels: LabelPolicy,
    /// Who and why everywhere else.
    pub privacy: EventDetail,
    /// Present wherever something is hashed.
    pub salt: Option<Secret>,
    /// Who gets events beside the log.
    pub webhook: Option<Webhook>,
    /// Certificate authorities beside the system's.
    pub extra_roots: Option<PemFile>,
    /// Present wherever a tenant is simulated.
    pub simulator: Option<SimulatorEndpoint>,
    /// For the metric that tells whether replicas agree.
    pub hash: Fingerprint,
}

impl Config {
    /// These tenants, and otherwise what holds where a configuration is silent.
    pub fn of(tenants: Vec<Tenant>) -> Self {
        Self {
            refresh: Refresh::default(),
            tenants,
            controls: Arc::default(),
            exceptions: Exceptions::default(),
            lookback: resolve::LOOKBACK,
            labels: LabelPolicy::default(),
            privacy: EventDetail::default(),
            salt: None,
            webhook: None,
            extra_roots: None,
            simulator: None,
            hash: Fingerprint::of(""),
        }
    }
}
