//! One status of a recommendation of Entra.

use crate::{RecommendationStatus, Timestamp};
use serde::{Deserialize, Serialize};
use std::ops::Not;
use std::sync::Arc;

/// One status of a recommendation, and since when it has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// The status that it changed to.
    pub status: RecommendationStatus,
    /// When it changed: as Graph says, else when the exporter first saw it or,
    /// where that is earlier, when a person changed the recommendation.
    pub at: Timestamp,
    /// Whether Graph says so. Otherwise it changed at this time or before.
    #[serde(rename = "exact", default, skip_serializing_if = "Not::not")]
    pub is_exact: bool,
    /// Graph's date of the status, else of the change by the person, as sent: the
    /// same for every process that sees the change.
    #[serde(rename = "graph", default, skip_serializing_if = "Option::is_none")]
    pub graph_date: Option<Timestamp>,
    /// The person who set it, where Graph names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Arc<str>>,
    /// The end of a postponement.
    #[serde(rename = "until", default, skip_serializing_if = "Option::is_none")]
    pub postponed_until: Option<Timestamp>,
}

impl StatusChange {
    pub(crate) fn sets_aside(&self) -> bool {
        self.status.sets_aside() == Some(true)
    }
}
