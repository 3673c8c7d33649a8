//! A tenant's lists, joined and rendered.

use super::context::Settings;
use crate::store::TenantState;
use secure_score_exposition::render_data;
use secure_score_model::{
    Catalogue, CategoryPins, IdentityScore, RecommendationList, Report, ScoreHistory,
    StatusHistories, TenantIdentity, TenantSnapshot, Timestamp,
};
use std::sync::Arc;

/// The lists joined, as a snapshot and as samples.
pub(super) struct Rendered {
    pub(super) inputs: Inputs,
    /// Without the health. The policy is published with the lines that were
    /// rendered with it.
    pub(super) state: TenantState,
}

impl Rendered {
    /// A rendering depends on its inputs only, so that it cannot be outdated
    /// without comparing unequal.
    pub(super) fn new(inputs: Inputs) -> Self {
        let settings = &inputs.settings.0;
        let joined = TenantSnapshot::join(
            inputs.catalogue.as_ref().map(|it| &*it.0),
            inputs.report.as_ref().map(|it| Arc::clone(&it.0)),
            &inputs.pins.0,
            &settings.rules,
        )
        .with_recommendations(
            inputs.recommendations.as_ref().map(|it| &*it.0),
            &inputs.statuses.0,
            inputs.identity_score.as_ref().map(|it| Arc::clone(&it.0)),
            &settings.rules,
        );
        let snapshot = TenantSnapshot {
            score_history: Arc::clone(&inputs.score_history.0),
            judged_at: inputs.judged_at.unwrap_or_default(),
            ..joined
        };
        let policy = Arc::clone(&settings.policy);
        let state = TenantState {
            data: render_data(&inputs.identity, &snapshot, &policy),
            snapshot: Arc::new(snapshot),
            policy,
            ..TenantState::new(inputs.identity.clone())
        };
        Self { inputs, state }
    }
}

/// All that a rendering, and the detection of events in it, depends on.
#[derive(PartialEq)]
pub(super) struct Inputs {
    pub(super) identity: TenantIdentity,
    pub(super) settings: Shared<Settings>,
    pub(super) catalogue: Option<Shared<Catalogue>>,
    pub(super) complete: bool,
    pub(super) has_evidence: bool,
    pub(super) report: Option<Shared<Report>>,
    pub(super) recommendations: Option<Shared<RecommendationList>>,
    pub(super) identity_score: Option<Shared<IdentityScore>>,
    pub(super) statuses: Shared<StatusHistories>,
    pub(super) pins: Shared<CategoryPins>,
    pub(super) score_history: Shared<ScoreHistory>,
    /// When the last of the tenant's decisions that have ended did.
    pub(super) judged_at: Option<Timestamp>,
}

/// A value that is compared by address: an update that leaves it unchanged
/// keeps its allocation.
pub(super) struct Shared<T>(pub(super) Arc<T>);

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
