//! The state of a partner that survives a restart.

use super::saved_tenant::{SavedList, SavedRefresh};
use secure_score_model::{Customer, CustomerList, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Not;
use std::sync::Arc;

/// The state of a partner that survives a restart; its serde form is the state
/// file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SavedPartner {
    /// The partner's name.
    pub name: Arc<str>,
    /// Its own tenant as configured: cloud and id.
    pub directory: String,
    /// The GUID of its own tenant, where known.
    #[serde(rename = "id", default)]
    pub entra_tenant_id: Option<Arc<str>>,
    /// The sources of the list.
    #[serde(default)]
    pub sources: Vec<String>,
    /// The last list of its customers.
    pub list: Option<SavedList<Arc<CustomerList>>>,
    /// The watched customers that the list no longer has, by GUID.
    #[serde(default)]
    pub left: BTreeMap<Arc<str>, LeftCustomer>,
    /// The alias of each customer that was watched without a configured tenant, by
    /// GUID. One that was given stays.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// The customers that are watched so, by GUID.
    #[serde(default)]
    pub watched: BTreeSet<Arc<str>>,
    /// The customers whose tenant was read with success, by GUID.
    #[serde(default)]
    pub read: BTreeSet<Arc<str>>,
    /// The customers once watched, which stay selected while the patterns are these,
    /// whatever their names.
    #[serde(default)]
    pub selected: BTreeSet<Arc<str>>,
    /// The patterns of the configuration.
    #[serde(default)]
    pub patterns: Vec<String>,
    /// The refreshes of the list.
    #[serde(default)]
    pub refresh: Option<SavedRefresh>,
}

/// A watched customer that the list no longer has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftCustomer {
    /// The customer as the list had it.
    pub customer: Customer,
    /// When a complete list lacked it first.
    pub at: Timestamp,
    /// Whether the event was emitted.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub reported: bool,
}
