//! # config: which tenants to watch, with which credentials, and how often
//!
//! Loading has two stages. `file` is the table of keys, and with it the YAML as
//! written: every value is optional text with its place. `resolve` checks it
//! and returns a complete [`Config`], or every error. Environment variables are
//! first converted to such a file, so that each check exists once.

mod access;
mod alternatives;
pub mod authority;
mod choices;
mod consent;
mod controls;
mod credentials;
mod decisions;
mod environment_file;
mod events;
mod file;
mod list;
mod list_files;
mod listed_decisions;
mod listed_tenants;
mod load;
mod number;
mod partners;
mod pem;
mod privacy;
mod proposed_file;
mod recommendations;
mod reference;
mod refresh;
mod resolve;
mod schema;
mod selection;
mod simulator;
mod table;
mod target_labels;
mod tenant;

pub use crate::config_values::pattern::Pattern;
pub use crate::config_values::{Environment, Secret};
pub use crate::credentials::{ClientSecret, Credential};
pub use choices::{
    AcceptedBy, Cloud, CustomerSource, DisplayNames, Enabled, EventDetail, NewCustomers,
    PageAudience, RefreshMode, SeriesChoice,
};
pub use consent::consent_url;
pub use controls::{ControlSelection, TenantRules};
pub use decisions::{DecisionKey, Decisions};
pub use environment_file::variables;
pub use events::Webhook;
pub use listed_decisions::{ListedDecision, ListedValue, listed_decisions};
pub use listed_tenants::{ListedTenant, listed_tenants};
pub use load::{ConfigText, DEFAULT_FILE, Loaded, load};
pub use partners::{CustomerDefaults, Partner};
pub use pem::PemFile;
pub use privacy::{LabelPolicy, PrivacyPolicy};
pub use proposed_file::{ProposedFile, ProposedList, ProposedPlace};
pub use recommendations::{RecommendationSelections, Recommendations};
pub use reference::reference;
pub use refresh::Refresh;
pub use resolve::{Config, ConfigHash};
pub use schema::schema;
pub use selection::Selection;
pub use simulator::SimulatorEndpoint;
pub use target_labels::{TargetLabels, is_label_name, is_label_value};
pub use tenant::{Tenant, is_alias, parse_id as parse_tenant_id};
