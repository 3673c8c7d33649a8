//! A tenant's Secure Score of one day.

use super::{Anomalies, Category, ControlScore, Points, Timestamp};
use std::sync::Arc;

/// What Microsoft computed for a tenant on one day (Graph: `secureScore`).
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Graph's `azureTenantId`, as it stands.
    pub entra_tenant_id: Arc<str>,
    /// The day it was computed for, midnight UTC.
    pub as_of: Option<Timestamp>,
    /// Points the tenant has.
    pub current_score: Option<Points>,
    /// Points the tenant could have with what it owns.
    pub max_score: Option<Points>,
    /// Users who were active.
    pub active_users: Option<u64>,
    /// Users with a licence; often 0 even where there are some.
    pub licensed_users: Option<u64>,
    /// How comparable tenants do.
    pub comparisons: Vec<Comparison>,
    /// Each scored control.
    pub scores: Vec<Arc<ControlScore>>,
    /// What in the answer we could not use.
    pub anomalies: Anomalies,
}

impl Report {
    /// A report without a single value.
    pub fn new(entra_tenant_id: &str) -> Self {
        Self {
            entra_tenant_id: entra_tenant_id.into(),
            as_of: None,
            current_score: None,
            max_score: None,
            active_users: None,
            licensed_users: None,
            comparisons: Vec::new(),
            scores: Vec::new(),
            anomalies: Anomalies::default(),
        }
    }
}

/// Whom a tenant is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Every tenant of Microsoft.
    AllTenants,
    /// Tenants with about as many seats.
    TotalSeats,
    /// Tenants of the same industry; often missing.
    IndustryTypes,
}

impl Basis {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AllTenants, Self::TotalSeats, Self::IndustryTypes];

    /// The word used in labels, Graph's own.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllTenants => "AllTenants",
            Self::TotalSeats => "TotalSeats",
            Self::IndustryTypes => "IndustryTypes",
        }
    }
}

/// The average of comparable tenants.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Whom.
    pub basis: Basis,
    /// Their average score as a share of their maximum, 0 to 1. Graph sends
    /// per cent here, though its category fields are points.
    pub ratio: Option<f64>,
    /// Their average points and maximum by category, where sane.
    pub categories: Vec<CategoryComparison>,
}

/// The average of comparable tenants in one category, points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CategoryComparison {
    /// The area.
    pub category: Category,
    /// Average points.
    pub score: Option<Points>,
    /// Average maximum.
    pub max_score: Option<Points>,
}
