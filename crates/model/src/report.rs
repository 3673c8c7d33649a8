//! A tenant's daily Secure Score.

use crate::label_values::label_values;
use crate::{Anomalies, Category, ControlScore, Points, SkippedField, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How far in the future the day of a report may be: Microsoft's clock and this
/// machine's differ, and a day begins earlier in the east.
const MAX_AHEAD: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// Whether a report cannot be of this day yet. It would hide every other report
/// until then.
pub fn is_future_day(day: Timestamp, now: Timestamp) -> bool {
    day.since(now) > MAX_AHEAD
}

/// What Microsoft computed for a tenant on one day (Graph: `secureScore`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Graph's `azureTenantId`, unchanged.
    #[serde(rename = "id")]
    pub entra_tenant_id: Arc<str>,
    /// The day for which it was computed, midnight UTC.
    pub as_of: Option<Timestamp>,
    /// Points the tenant has.
    #[serde(rename = "score")]
    pub current_score: Option<Points>,
    /// Points the tenant could have with the products it owns.
    #[serde(rename = "max")]
    pub max_score: Option<Points>,
    /// Active users.
    #[serde(rename = "active")]
    pub active_users: Option<u64>,
    /// Users with a licence; Graph often sends 0 for tenants that have some.
    #[serde(rename = "licensed")]
    pub licensed_users: Option<u64>,
    /// The averages of comparable tenants.
    pub comparisons: Vec<Comparison>,
    /// Each scored control.
    #[serde(rename = "controls")]
    pub scores: Vec<Arc<ControlScore>>,
    /// Values of the answer that could not be used.
    #[serde(rename = "odd")]
    pub anomalies: Anomalies,
}

impl Report {
    /// A report without values.
    pub fn new(entra_tenant_id: &str) -> Self {
        Self {
            entra_tenant_id: entra_tenant_id.into(),
            ..Self::default()
        }
    }

    /// Whether no score of a control was skipped. An invalid percentage or total
    /// counts as a skipped score too.
    pub(crate) fn has_every_score(&self) -> bool {
        use SkippedField::{Element, Id, Score};
        let skipped = |field| self.anomalies.count_skipped(field);
        [Element, Id, Score].map(skipped).iter().all(|it| *it == 0)
    }
}

label_values! {
    /// The tenants with which a tenant is compared.
    pub enum Basis {
        /// All tenants.
        AllTenants = "AllTenants",
        /// Tenants with about as many seats.
        TotalSeats = "TotalSeats",
        /// Tenants of the same industry; often missing.
        IndustryTypes = "IndustryTypes",
    }
}

/// The average of comparable tenants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The tenants compared with.
    pub basis: Basis,
    /// Their average score as a share of their maximum, 0 to 1. Graph sends
    /// it in per cent, but the category fields in points.
    pub ratio: Option<f64>,
    /// Their average points and maximum by category, where valid.
    pub categories: Vec<CategoryComparison>,
}

/// The average of comparable tenants in one category, points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "(Category, Option<Points>, Option<Points>)")]
pub struct CategoryComparison {
    /// The area.
    pub category: Category,
    /// Average points.
    pub score: Option<Points>,
    /// Average maximum.
    pub max_score: Option<Points>,
}

impl From<CategoryComparison> for (Category, Option<Points>, Option<Points>) {
    fn from(it: CategoryComparison) -> Self {
        (it.category, it.score, it.max_score)
    }
}
