//! The table of data families, from which everything else about them follows:
//! headers, the reference page, the history of a backfill, the tests, and the
//! names that dashboards and alerts may use.
//!
//! A new family is a row here, with the expression that gives its value. One with
//! labels of its own or more conditions has a function in `tenants` or `controls`.
//!
//! `controls` and `full` have the families that dashboards show (`Controls`) and those
//! that only users' own queries read (`Full`); every set has what alerts read.
//!
//! A family has a past where Graph keeps the values of earlier days. It has
//! none where Graph keeps the newest value only (`lastSynced`), where the
//! exporter itself is the source (health, unknown words), and where the
//! configuration is (targets, watch list, decisions): the configuration of an
//! earlier day is not known.

use super::family::Kind::{Counter, Gauge, Info};
use super::family::PastSource::{Reports, States};
use super::family::Presence::{Always, Sometimes};
use super::family::Render::{Control, Data, Health, List, Recommendation, Tenant};
use super::family::{Family, Kind, Presence, Render};
use super::series_set::Membership;
use super::series_set::Membership::{Controls, Declared, Every, Full, Nonzero};
use super::{control_labels, controls, recommendations, tenants};
use secure_score_model::{Api, TenantSnapshot, Timestamp};

const fn family(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    presence: Presence,
    membership: Membership,
    render: Render,
    help: &'static str,
) -> Family {
    Family {
        name,
        kind,
        help,
        labels,
        presence,
        membership,
        cached_from: &[],
        past: None,
        render,
    }
}

/// The labels of most series of a control.
const CONTROL: &[&str] = &control_labels::NAMES;

/// The label of most series of a recommendation.
const RECOMMENDATION: &[&str] = &["recommendation"];

// The lists of Graph from whose last refresh values are cached.
const CATALOGUE: &[Api] = &[Api::Profiles];
const REPORT: &[Api] = &[Api::Scores];
const SECURE_SCORE: &[Api] = &[Api::Profiles, Api::Scores];
const RECOMMENDATIONS: &[Api] = &[Api::Recommendations];
const WITH_CATALOGUE: &[Api] = &[Api::Profiles, Api::Recommendations];
/// The lists with words of a closed set.
const WITH_WORDS: &[Api] = &[Api::Profiles, Api::Scores, Api::Recommendations];
const IDENTITY_SCORE: &[Api] = &[Api::IdentityScores];

/// Every data family, in the order of the exposition.
#[rustfmt::skip]
pub const FAMILIES: &[Family] = &[
    // The configured tenants and their refreshes.
    family("secure_score_tenant_info", Info, &["entra_tenant_id", "cloud", "display_name"], Always, Every, Health(tenants::info),
        "A configured tenant; entra_tenant_id is learnt from Graph where the configuration names a domain."),
    family("secure_score_up", Gauge, &["api"], Always, Every, List(|it| Some(f64::from(it.up))),
        "Whether the last refresh of a list from Graph succeeded (1) or not (0); profiles is the catalogue with its states, scores the daily report, recommendations and identity_scores Entra's lists, where the tenant grants their permission."),
    family("secure_score_last_refresh_success_timestamp_seconds", Gauge, &["api"], Always, Every, List(|it| Some(it.last_success?.as_seconds())),
        "When a list was last refreshed from Graph with success, seconds since the epoch."),
    family("secure_score_next_refresh_timestamp_seconds", Gauge, &["api"], Always, Full, List(|it| Some(it.next_refresh?.as_seconds())),
        "When the next refresh of a list is due, seconds since the epoch; later than usual while Graph asks the exporter to wait."),
    family("secure_score_refreshes_total", Counter, &["api"], Always, Controls, List(|it| Some(it.refreshes as f64)),
        "Refreshes of a list from Graph, failed ones included."),
    family("secure_score_refresh_failures_total", Counter, &["api", "reason"], Always, Nonzero, Health(tenants::refresh_failures),
        "Refreshes of a list from Graph that failed, by reason; the set of reasons is closed."),
    family("secure_score_older_reports_total", Counter, &[], Always, Full, Health(|view, samples| samples.add(&[], view.health.older_reports as f64)),
        "Daily reports that Graph sent after a newer one, and that the exporter did not use."),
    family("secure_score_graph_requests_total", Counter, &["api", "code"], Always, Controls, Health(tenants::graph_requests),
        "Requests to Graph by list and HTTP status; none where no answer came."),
    family("secure_score_graph_throttled_total", Counter, &[], Always, Every, Health(|view, samples| samples.add(&[], view.health.traffic.throttled as f64)),
        "Graph answers with status 429, which ask to slow down."),
    family("secure_score_token_attempts_total", Counter, &[], Always, Controls, Health(|view, samples| samples.add(&[], view.health.traffic.token_attempts() as f64)),
        "Requests to Entra for an access token, failed ones included."),
    family("secure_score_token_failures_total", Counter, &[], Always, Controls, Health(|view, samples| samples.add(&[], view.health.traffic.token_failures as f64)),
        "Requests to Entra for an access token that failed."),
    family("secure_score_token_requests_total", Counter, &["outcome"], Always, Full, Health(tenants::token_requests),
        "Deprecated: use secure_score_token_attempts_total and secure_score_token_failures_total. Access tokens requested from Entra, by outcome."),
    family("secure_score_credential_expiry_timestamp_seconds", Gauge, &[], Sometimes, Every, Health(|view, samples| samples.add_some(&[], view.identity.credential_expires.map(Timestamp::as_seconds))),
        "When the tenant's credential stops working, seconds since the epoch: the end of its certificate, or the configured end of a secret (credentials, expires), which cannot be read from the secret."),
    family("secure_score_target_ratio", Gauge, &[], Sometimes, Every, Health(|view, samples| samples.add_some(&[], view.identity.target)),
        "The configured target as a share of the maximum score (target), 0 to 1."),

    // The tenant's score.
    family("secure_score_report_timestamp_seconds", Gauge, &[], Always, Every, Tenant(|it| Some(it.report.as_ref()?.as_of?.as_seconds())),
        "The day Microsoft computed the score for, seconds since the epoch (Graph secureScore createdDateTime).").cached_from(REPORT).with_past(Reports),
    family("secure_score_tenant_score", Gauge, &[], Always, Every, Tenant(|it| Some(it.report.as_ref()?.current_score?.get())),
        "Points of the tenant (Graph secureScore currentScore).").cached_from(REPORT).with_past(Reports),
    family("secure_score_tenant_max_score", Gauge, &[], Always, Every, Tenant(|it| Some(it.report.as_ref()?.max_score?.get())),
        "The most points that the tenant's products allow (Graph secureScore maxScore).").cached_from(REPORT).with_past(Reports),
    family("secure_score_tenant_planned_score", Gauge, &[], Sometimes, Controls, Tenant(|it| Some(it.projection().planned?.get())),
        "Points of the tenant once planned controls are completed, the portal's Planned score: the score plus what scored controls in the state planned lack; left out where a control that lacks points has an unknown state, or a planned one has unknown points.").cached_from(SECURE_SCORE),
    family("secure_score_tenant_achievable_score", Gauge, &[], Sometimes, Controls, Tenant(|it| Some(it.projection().achievable?.get())),
        "Points that the tenant can reach while accepted risks stay accepted, the portal's Achievable score: the maximum less what scored controls with an accepted risk lack; left out where a control that lacks points has an unknown state, or an accepted one has unknown points.").cached_from(SECURE_SCORE),
    family("secure_score_category_score", Gauge, &["category"], Always, Every, Data(|view, samples| tenants::categories(view, samples, |_, it| Some(it.score))),
        "Points of the scored controls of a category, summed (Graph controlScore score).").cached_from(SECURE_SCORE).with_past(Reports),
    family("secure_score_category_max_score", Gauge, &["category"], Always, Every, Data(|view, samples| tenants::categories(view, samples, |_, it| it.max_score)),
        "The most points of the scored controls of a category, summed; left out where one maximum is unknown.").cached_from(SECURE_SCORE).with_past(Reports),
    family("secure_score_category_planned_score", Gauge, &["category"], Sometimes, Full, Data(|view, samples| tenants::categories(view, samples, |snapshot, it| snapshot.category_projection(it).planned)),
        "Points of a category once its planned controls are completed: its score plus what they lack; left out like the tenant's, for the controls of the category.").cached_from(SECURE_SCORE),
    family("secure_score_category_achievable_score", Gauge, &["category"], Sometimes, Full, Data(|view, samples| tenants::categories(view, samples, |snapshot, it| snapshot.category_projection(it).achievable)),
        "Points that a category can reach while its accepted risks stay accepted: its maximum less what they lack; left out like the tenant's, for the controls of the category.").cached_from(SECURE_SCORE),
    family("secure_score_unreconciled_score", Gauge, &[], Always, Every, Tenant(TenantSnapshot::unreconciled_score),
        "Microsoft's score of the tenant less the sum over its scored controls, points.").cached_from(SECURE_SCORE),
    family("secure_score_unreconciled_max_score", Gauge, &[], Always, Every, Tenant(TenantSnapshot::unreconciled_max_score),
        "Microsoft's maximum of the tenant less the sum of the known maxima of its scored controls, points.").cached_from(SECURE_SCORE),
    family("secure_score_tenant_unapproved_claims", Gauge, &[], Always, Every, Tenant(|it| Some(it.unapproved_claims()? as f64)),
        "Controls on the watch list or of the category Identity that are declared as third_party or alternate_mitigation, for which Microsoft gives all points unverified, without a valid decision (decisions, decision_files).").cached_from(CATALOGUE),
    family("secure_score_tenant_acceptances_without_reason", Gauge, &[], Always, Every, Tenant(|it| Some(it.acceptances_without_reason()? as f64)),
        "Controls whose risk is accepted now with a comment that is no reason: empty, the name of a state, or shorter than risk_accepted.minimum_reason.").cached_from(CATALOGUE),
    family("secure_score_comparison_ratio", Gauge, &["basis"], Always, Every, Data(tenants::comparison_ratio),
        "Average score of comparable tenants as a share of their maximum, 0 to 1 (Graph averageComparativeScore averageScore).").cached_from(REPORT).with_past(Reports),
    family("secure_score_comparison_category_score", Gauge, &["basis", "category"], Always, Controls, Data(|view, samples| tenants::comparison_categories(view, samples, |it| it.score)),
        "Average points of comparable tenants in a category (Graph averageComparativeScore).").cached_from(REPORT).with_past(Reports),
    family("secure_score_comparison_category_max_score", Gauge, &["basis", "category"], Always, Controls, Data(|view, samples| tenants::comparison_categories(view, samples, |it| it.max_score)),
        "Average maximum of comparable tenants in a category, points (Graph averageComparativeScore).").cached_from(REPORT).with_past(Reports),
    family("secure_score_active_users", Gauge, &[], Always, Full, Tenant(|it| Some(it.report.as_ref()?.active_users? as f64)),
        "Active users (Graph secureScore activeUserCount).").cached_from(REPORT).with_past(Reports),
    family("secure_score_licensed_users", Gauge, &[], Always, Full, Tenant(|it| Some(it.report.as_ref()?.licensed_users? as f64)),
        "Licensed users (Graph secureScore licensedUserCount); often 0 even where there are some.").cached_from(REPORT).with_past(Reports),

    // Each control.
    family("secure_score_control_info", Info,
        &["control", "category", "title", "product", "tier", "user_impact", "implementation_cost", "action_type"], Always, Declared, Data(controls::info),
        "A control of the tenant's catalogue (Graph secureScoreControlProfile); words are normalised.").cached_from(CATALOGUE),
    family("secure_score_control_score", Gauge, CONTROL, Always, Declared, Control(|it, _| Some(it.score.as_ref()?.score.get())),
        "Points of a scored control (Graph controlScore score).").cached_from(SECURE_SCORE).with_past(Reports),
    family("secure_score_control_max_score", Gauge, CONTROL, Always, Declared, Control(controls::max_score),
        "Most points a control can give; scored controls and those whose state is not to_address (Graph secureScoreControlProfile maxScore, else from the score's percentage).").cached_from(SECURE_SCORE).with_past(Reports),
    family("secure_score_control_risk_accepted", Gauge, CONTROL, Always, Every, Control(|it, _| Some(f64::from(it.history()?.risk_accepted()?))),
        "Whether the risk of a control is accepted now (1) or not (0), the portal's Risk accepted; left out where the state is unknown (Graph secureScoreControlStateUpdate state).").cached_from(CATALOGUE).with_past(States),
    family("secure_score_control_risk_accepted_in_lookback", Gauge, CONTROL, Sometimes, Every, Control(controls::in_lookback),
        "Whether the risk was accepted in any of the control's last states (risk_accepted.lookback), so that a withdrawn acceptance is seen too; controls with a history, left out where no acceptance but an unknown state is among them.").cached_from(CATALOGUE).with_past(States),
    family("secure_score_control_risk_acceptances", Gauge, CONTROL, Always, Declared, Control(|it, _| Some(it.history()?.acceptances()? as f64)),
        "How often the control changed into Risk accepted in the history that Graph keeps; repeated writes of the same state do not count. Left out where no acceptance but an unknown state is listed.").cached_from(CATALOGUE).with_past(States),
    family("secure_score_control_risk_last_accepted_timestamp_seconds", Gauge, CONTROL, Sometimes, Every, Control(|it, _| Some(it.history()?.last_acceptance()?.at?.as_seconds())),
        "When the risk was last accepted, also if withdrawn since, seconds since the epoch (Graph updatedDateTime; for a date in the future, when it counts as set).").cached_from(CATALOGUE).with_past(States),
    family("secure_score_control_watched", Gauge, CONTROL, Sometimes, Every, Control(|it, _| (it.watched && it.entry.is_some()).then_some(1.0)),
        "1 for a control of the catalogue that is on the watch list (risk_accepted.watch).").cached_from(CATALOGUE),
    family("secure_score_control_state", Gauge, &["control", "category", "state"], Always, Declared, Data(controls::state),
        "1 for the state the control is in, and no series for the others.").cached_from(CATALOGUE).with_past(States),
    family("secure_score_control_state_updated_timestamp_seconds", Gauge, CONTROL, Sometimes, Every, Control(|it, _| Some(it.history()?.state_since()?.as_seconds())),
        "When the control entered its state, seconds since the epoch (Graph updatedDateTime; for a date in the future, when it counts as set); controls with a history.").cached_from(CATALOGUE).with_past(States),
    family("secure_score_control_last_synced_timestamp_seconds", Gauge, CONTROL, Always, Controls, Control(|it, _| Some(it.score.as_ref()?.last_synced?.as_seconds())),
        "When the product last reported the control to Secure Score, seconds since the epoch (Graph controlScore lastSynced).").cached_from(SECURE_SCORE),
    family("secure_score_control_acceptance_info", Info, &["control", "accepted_by", "comment"], Sometimes, Every, Data(controls::acceptance_info),
        "The person who accepted the risk of a control and the comment, while it is accepted; limited by labels.accepted_by and labels.comment.").cached_from(CATALOGUE),

    family("secure_score_control_risk_approved_until_timestamp_seconds", Gauge, CONTROL, Sometimes, Every, Control(controls::approved_until),
        "When the approval of accepting this control's risk ends, seconds since the epoch: the latest expiry of the decisions (decisions, decision_files, risk_accepted.exceptions) that cover its newest acceptance, or would cover one where there is none; in the past once they have expired.").cached_from(CATALOGUE),
    family("secure_score_control_risk_approval_info", Info, &["control", "reference"], Sometimes, Every, Data(controls::approval_info),
        "A decision that covers the newest acceptance of a control, or would cover one, by its reference; expired ones included.").cached_from(CATALOGUE),
    family("secure_score_control_claim_approved_until_timestamp_seconds", Gauge, CONTROL, Sometimes, Every, Control(controls::claim_approved_until),
        "When the approval of a claim ends, seconds since the epoch: the latest expiry of the decisions (decisions, decision_files) that cover the present third_party or alternate_mitigation of a control; in the past once they have expired.").cached_from(CATALOGUE),
    family("secure_score_control_self_approved", Gauge, CONTROL, Sometimes, Every, Data(controls::self_approved),
        "Whether the person who accepted the risk of a control, or claimed that it is solved by other means, is the only approver of it (1) or not (0); controls that an unexpired decision names.").cached_from(CATALOGUE),

    // Entra's recommendations.
    family("secure_score_recommendation_info", Info,
        &["recommendation", "control", "title", "recommendation_category", "priority", "impact_type", "license"], Sometimes, Declared, Data(recommendations::info),
        "A recommendation of Entra (Graph beta recommendation), with the control of Secure Score that has its name; words are normalised.").cached_from(WITH_CATALOGUE),
    family("secure_score_recommendation_status", Gauge, &["recommendation", "status"], Sometimes, Declared, Data(recommendations::status),
        "1 for the status the recommendation is in, and no series for the others (Graph recommendation status).").cached_from(RECOMMENDATIONS),
    family("secure_score_recommendation_risk_accepted", Gauge, RECOMMENDATION, Sometimes, Full, Recommendation(|it| Some(f64::from(it.entry.status.accepts_risk()?))),
        "Whether the recommendation's status is risk_accepted (1) or not (0); left out where the status is unknown (Graph recommendation status).").cached_from(RECOMMENDATIONS),
    family("secure_score_recommendation_set_aside", Gauge, RECOMMENDATION, Sometimes, Every, Recommendation(|it| Some(f64::from(it.entry.status.sets_aside()?))),
        "Whether the recommendation is accepted as a risk, dismissed or postponed (1) or not (0); left out where the status is unknown (Graph recommendation status).").cached_from(RECOMMENDATIONS),
    family("secure_score_recommendation_status_changed_timestamp_seconds", Gauge, RECOMMENDATION, Sometimes, Every, Recommendation(|it| Some(it.changed()?.at.as_seconds())),
        "When the recommendation came into its status, seconds since the epoch (Graph recommendation statusModifiedDateTime; where Graph does not send it, when a person last changed the recommendation, at the latest when the exporter first saw the status).").cached_from(RECOMMENDATIONS),
    family("secure_score_recommendation_postponed_until_timestamp_seconds", Gauge, RECOMMENDATION, Sometimes, Every, Recommendation(|it| Some(it.entry.postponed_until?.as_seconds())),
        "When a postponed recommendation becomes active again, seconds since the epoch (Graph recommendation postponeUntilDateTime).").cached_from(RECOMMENDATIONS),
    family("secure_score_recommendation_score", Gauge, RECOMMENDATION, Sometimes, Controls, Recommendation(|it| Some(it.entry.score?.get())),
        "Points of a recommendation that counts in the Identity Secure Score (Graph recommendation currentScore).").cached_from(RECOMMENDATIONS),
    family("secure_score_recommendation_max_score", Gauge, RECOMMENDATION, Sometimes, Controls, Recommendation(|it| Some(it.entry.max_score?.get())),
        "Most points of a recommendation that counts in the Identity Secure Score (Graph recommendation maxScore).").cached_from(RECOMMENDATIONS),
    family("secure_score_recommendation_impacted_resources", Gauge, &["recommendation", "status"], Sometimes, Every, Data(recommendations::impacted_resources),
        "Resources that a recommendation concerns, by status; with recommendations.impacted_resources, where Graph lists them (Graph recommendation impactedResources).").cached_from(RECOMMENDATIONS),
    family("secure_score_recommendation_disagrees", Gauge, &["recommendation", "control"], Sometimes, Nonzero, Data(recommendations::disagrees),
        "Whether a recommendation is set aside in one place and open in the other (1) or not (0): in Entra and, as the control of its name, in Secure Score; left out where one of the two is unknown.").cached_from(WITH_CATALOGUE),
    family("secure_score_recommendation_acceptance_info", Info, &["recommendation", "accepted_by"], Sometimes, Every, Data(recommendations::acceptance_info),
        "The person who set a recommendation aside, while it is (Graph recommendation lastModifiedBy); only with labels.accepted_by, empty where Graph names none.").cached_from(RECOMMENDATIONS),
    family("secure_score_recommendation_watched", Gauge, RECOMMENDATION, Sometimes, Every, Recommendation(|it| it.watched.then_some(1.0)),
        "1 for a recommendation that, or whose control, is on the watch list (risk_accepted.watch).").cached_from(WITH_CATALOGUE),
    family("secure_score_recommendation_approved_until_timestamp_seconds", Gauge, RECOMMENDATION, Sometimes, Every, Recommendation(recommendations::approved_until),
        "When the approval of setting this recommendation aside ends, seconds since the epoch: the latest expiry of the decisions (decisions, decision_files, risk_accepted.exceptions) about a recommendation that cover it, or would cover it; in the past once they have expired.").cached_from(RECOMMENDATIONS),
    family("secure_score_recommendation_claim_approved_until_timestamp_seconds", Gauge, RECOMMENDATION, Sometimes, Every, Recommendation(recommendations::claim_approved_until),
        "When the approval of a claim in Entra ends, seconds since the epoch: the latest expiry of the decisions (decisions, decision_files) about a recommendation that cover its present third_party or alternate_mitigation; in the past once they have expired.").cached_from(RECOMMENDATIONS),
    family("secure_score_tenant_unapproved_recommendation_claims", Gauge, &[], Sometimes, Every, Tenant(|it| Some(it.unapproved_recommendation_claims()? as f64)),
        "Recommendations that are declared in Entra as third_party or alternate_mitigation, for which Microsoft gives all points unverified, without a valid decision (decisions, decision_files); tenants whose recommendations are read.").cached_from(RECOMMENDATIONS),
    family("secure_score_identity_score", Gauge, &[], Sometimes, Every, Tenant(|it| Some(it.identity_score.as_ref()?.score?.get())),
        "Points of the tenant's Identity Secure Score, as the Entra admin center shows it (Graph beta tenantSecureScore tenantScore).").cached_from(IDENTITY_SCORE),
    family("secure_score_identity_max_score", Gauge, &[], Sometimes, Every, Tenant(|it| Some(it.identity_score.as_ref()?.max_score?.get())),
        "The most points of the Identity Secure Score (Graph tenantSecureScore tenantMaxScore).").cached_from(IDENTITY_SCORE),
    family("secure_score_identity_report_timestamp_seconds", Gauge, &[], Sometimes, Every, Tenant(|it| Some(it.identity_score.as_ref()?.as_of?.as_seconds())),
        "The day Microsoft computed the Identity Secure Score for, seconds since the epoch (Graph tenantSecureScore createDateTime).").cached_from(IDENTITY_SCORE),

    // The quality of the answers.
    family("secure_score_catalogue_controls", Gauge, &["scored"], Always, Every, Data(tenants::catalogue_controls),
        "Controls known of the tenant before any selection, by whether they are scored.").cached_from(SECURE_SCORE),
    family("secure_score_catalogue_recategorised_controls", Gauge, &[], Always, Full, Tenant(|it| it.catalogue_anomalies.as_ref().map(|_| it.recategorised as f64)),
        "Controls that Graph files under another category now than when first seen; their series keep the first one.").cached_from(CATALOGUE),
    family("secure_score_unknown_values", Gauge, &["api", "field"], Always, Every, Data(tenants::unknown_values),
        "Words in the current answer that this version does not know, exported as unknown.").cached_from(WITH_WORDS),
    family("secure_score_skipped_elements", Gauge, &["api", "field"], Always, Nonzero, Data(tenants::skipped_elements),
        "Elements and values of the current answer that were left out because they are unreadable or absurd; state_update counts entries of histories, which become unknown states.").cached_from(&Api::ALL),
];

/// Whether a series with a past has a label of this name.
pub fn is_past_label(name: &str) -> bool {
    let mut past = FAMILIES.iter().filter(|family| family.past.is_some());
    name == "tenant" || past.any(|family| family.labels.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_series_with_a_past_are_known() {
        for name in ["tenant", "control", "category", "state", "basis"] {
            assert!(is_past_label(name), "{name}");
        }
        for name in ["job", "entra_tenant_id", "title", "accepted_by", ""] {
            assert!(!is_past_label(name), "{name}");
        }
    }

    fn is_of_refreshes(family: &Family) -> bool {
        matches!(family.render, List(_) | Health(_))
    }

    #[test]
    fn each_family_of_graphs_answers_is_cached() {
        for family in FAMILIES {
            let is_cached = !family.cached_from.is_empty();
            assert_eq!(is_cached, !is_of_refreshes(family), "{}", family.name);
        }
    }

    #[test]
    fn a_family_with_a_past_is_rendered_from_data() {
        let past: Vec<_> = FAMILIES.iter().filter(|it| it.past.is_some()).collect();
        assert_eq!(past.len(), 18);
        assert!(past.iter().all(|it| !is_of_refreshes(it)));
        let controls = past.iter().filter(|family| family.is_of_controls());
        assert_eq!(controls.count(), 8);
    }
}
