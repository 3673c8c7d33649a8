//! A tenant in documents for other programs.

use crate::acceptances::Acceptance;
use crate::serde_time::Rfc3339;
use crate::store::TenantState;
use secure_score_model::{Api, Place, Points, RefreshHealth, TenantHealth, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// A tenant with its score, its accepted risks and its refreshes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TenantRecord<'a> {
    /// Its alias: the `tenant` label of the metrics.
    pub(crate) tenant: &'a str,
    pub(crate) display_name: &'a str,
    pub(crate) entra_tenant_id: Option<&'a str>,
    pub(crate) cloud: &'static str,
    /// Points it has.
    pub(crate) score: Option<f64>,
    /// Points it could have.
    pub(crate) max_score: Option<f64>,
    /// Points it has once planned controls are completed.
    pub(crate) planned_score: Option<f64>,
    /// Points it can reach while accepted risks stay accepted.
    pub(crate) achievable_score: Option<f64>,
    /// The score as a share of the maximum, 0 to 1.
    pub(crate) ratio: Option<f64>,
    /// The configured target as a share of the maximum, 0 to 1.
    pub(crate) target: Option<f64>,
    /// The day for which the score was computed, midnight UTC.
    pub(crate) report_as_of: Option<Rfc3339>,
    pub(crate) controls: Option<usize>,
    /// Controls of Secure Score whose risk is accepted now.
    pub(crate) accepted: Option<usize>,
    /// Controls in an unknown state, whose risk may be accepted too.
    pub(crate) states_unknown: Option<usize>,
    /// Those of them that no unexpired decision covers.
    pub(crate) accepted_unapproved: Option<usize>,
    /// Null for a list of Entra that is not read.
    pub(crate) lists: BTreeMap<Api, Option<ListRecord<'a>>>,
    /// Entra's recommendations; null, like all of them, where they are not read.
    pub(crate) recommendations: Option<usize>,
    /// Recommendations set aside now: accepted as a risk, dismissed or postponed.
    pub(crate) recommendations_set_aside: Option<usize>,
    /// Recommendations with an unknown status, which may be set aside too.
    pub(crate) statuses_unknown: Option<usize>,
    /// Recommendations set aside that no unexpired decision covers.
    pub(crate) recommendations_set_aside_unapproved: Option<usize>,
    /// Points of the Identity Secure Score, as Entra shows it.
    pub(crate) identity_score: Option<f64>,
    /// Points it could have.
    pub(crate) identity_max_score: Option<f64>,
    /// The day for which that was computed, midnight UTC.
    pub(crate) identity_report_as_of: Option<Rfc3339>,
}

/// The refreshes of one list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ListRecord<'a> {
    /// Whether the last one succeeded; false before the first.
    pub(crate) up: bool,
    pub(crate) last_success: Option<Rfc3339>,
    pub(crate) next_refresh: Option<Rfc3339>,
    /// Why the last one failed, as in the metrics.
    pub(crate) reason: Option<&'static str>,
    /// Why the last one failed, for people.
    pub(crate) message: Option<&'a str>,
    pub(crate) hint: Option<&'a str>,
}

impl<'a> TenantRecord<'a> {
    /// A tenant at a time.
    pub(crate) fn new(state: &'a TenantState, now: Timestamp) -> Self {
        let report = state.snapshot.report.as_deref();
        let score = report.and_then(|it| it.current_score).map(Points::get);
        let max_score = report.and_then(|it| it.max_score).map(Points::get);
        let projection = state.snapshot.projection();
        let possible = max_score.filter(|max| *max > 0.0);
        let controls = InForce::count(state, Place::SecureScore, now);
        let set_aside = InForce::count(state, Place::Entra, now);
        // Without a list the numbers are unknown, which differs from zero.
        let catalogue = state.snapshot.catalogue_anomalies.as_ref();
        let recommendations = state.snapshot.recommendation_anomalies.as_ref();
        let identity_score = state.snapshot.identity_score.as_deref();
        Self {
            tenant: &state.identity.alias,
            display_name: &state.identity.display_name,
            entra_tenant_id: state.identity.entra_tenant_id.as_deref(),
            cloud: state.identity.cloud,
            score,
            max_score,
            planned_score: projection.planned.map(Points::get),
            achievable_score: projection.achievable.map(Points::get),
            ratio: score.zip(possible).map(|(score, max)| score / max),
            target: state.identity.target,
            report_as_of: report.and_then(|it| it.as_of).map(Rfc3339),
            controls: catalogue.map(|_| state.snapshot.controls.len()),
            accepted: catalogue.map(|_| controls.all),
            states_unknown: catalogue.map(|_| state.snapshot.unknown_states()),
            accepted_unapproved: catalogue.map(|_| controls.unapproved),
            lists: lists(&state.health),
            recommendations: recommendations.map(|_| state.snapshot.recommendations.len()),
            recommendations_set_aside: recommendations.map(|_| set_aside.all),
            statuses_unknown: recommendations.map(|_| state.snapshot.unknown_statuses()),
            recommendations_set_aside_unapproved: recommendations.map(|_| set_aside.unapproved),
            identity_score: identity_score.and_then(|it| it.score).map(Points::get),
            identity_max_score: identity_score.and_then(|it| it.max_score).map(Points::get),
            identity_report_as_of: identity_score.and_then(|it| it.as_of).map(Rfc3339),
        }
    }
}

/// The refreshes of every list.
fn lists(health: &TenantHealth) -> BTreeMap<Api, Option<ListRecord<'_>>> {
    let all = Api::ALL.into_iter().map(|api| (api, None));
    let refreshed = health
        .lists()
        .map(|(api, it)| (api, Some(ListRecord::new(it))));
    all.chain(refreshed).collect()
}

/// The acceptances of one place that are in force.
struct InForce {
    all: usize,
    unapproved: usize,
}

impl InForce {
    fn count(state: &TenantState, place: Place, now: Timestamp) -> Self {
        let accepted = Acceptance::of_tenant(state);
        let accepted = accepted.filter(|it| it.place() == place && it.is_in_force());
        let unapproved = |it: &Acceptance<'_>| !it.approval(now).is_approved();
        Self {
            unapproved: accepted.clone().filter(unapproved).count(),
            all: accepted.count(),
        }
    }
}

impl<'a> ListRecord<'a> {
    fn new(health: &'a RefreshHealth) -> Self {
        let trouble = health.trouble.as_ref();
        Self {
            up: health.up,
            last_success: health.last_success.map(Rfc3339),
            next_refresh: health.next_refresh.map(Rfc3339),
            reason: trouble.map(|it| it.reason.as_str()),
            message: trouble.map(|it| it.message.as_str()),
            hint: trouble.and_then(|it| it.hint.as_deref()),
        }
    }
}
