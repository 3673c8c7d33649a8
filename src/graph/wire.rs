//! Graph's responses as sent. All field names of Microsoft are in this file.
//!
//! Only the shape of a list is required. Fields are strings or numbers, null or
//! missing. An invalid field does not make its element unreadable, nor an
//! invalid element its page. The bounds let the fields borrow from the body.
//!
//! Sources: the resources `secureScore`, `controlScore`,
//! `secureScoreControlProfile` and `secureScoreControlStateUpdate` of
//! Microsoft Graph v1.0, `recommendation`, `impactedResource` and
//! `tenantSecureScore` of its beta, and responses of real tenants;
//! `delegatedAdminCustomer`, `delegatedAdminRelationship` and
//! `multiTenantOrganizationMember` of v1.0 from their documentation alone.

use super::inner_list::InnerList;
use super::lenient::{Element, LenientJson, LenientNumber, LenientText};
use serde::Deserialize;

/// The fields of a profile that the exporter reads, for `$select`.
pub(super) const PROFILE_FIELDS: &str = "id,azureTenantId,title,controlCategory,service,tier,\
    userImpact,implementationCost,actionType,actionUrl,maxScore,deprecated,controlStateUpdates";

/// The fields of a past day's score that the exporter reads, for `$select`.
pub(super) const SCORE_FIELDS: &str = "id,azureTenantId,createdDateTime,currentScore,maxScore";

/// The key of a page's link to the next one, as sent.
pub(super) const NEXT_LINK_KEY: &str = "\"@odata.nextLink\"";

/// One page of a list.
#[derive(Deserialize)]
pub(super) struct Page<V> {
    #[serde(rename = "@odata.nextLink", default)]
    pub(super) next_link: Option<String>,
    pub(super) value: V,
}

/// A `secureScoreControlProfile`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct Profile<'a> {
    pub(super) id: LenientText<'a>,
    pub(super) azure_tenant_id: LenientText<'a>,
    pub(super) title: LenientText<'a>,
    pub(super) control_category: LenientText<'a>,
    pub(super) service: LenientText<'a>,
    pub(super) tier: LenientText<'a>,
    pub(super) user_impact: LenientText<'a>,
    pub(super) implementation_cost: LenientText<'a>,
    pub(super) action_type: LenientText<'a>,
    pub(super) action_url: LenientText<'a>,
    pub(super) max_score: LenientNumber,
    pub(super) deprecated: LenientText<'a>,
    pub(super) control_state_updates: InnerList<'a, StateUpdate<'a>>,
}

// Either copy may hide an acceptance.
impl<'a> Element<'a> for Profile<'a> {
    const UNAMBIGUOUS: &'static [&'static str] = &["controlStateUpdates"];
}

/// A `secureScoreControlStateUpdate`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct StateUpdate<'a> {
    pub(super) state: LenientText<'a>,
    pub(super) assigned_to: LenientText<'a>,
    pub(super) comment: LenientText<'a>,
    pub(super) updated_by: LenientText<'a>,
    pub(super) updated_date_time: LenientText<'a>,
}

impl<'a> Element<'a> for StateUpdate<'a> {
    const UNAMBIGUOUS: &'static [&'static str] = &["state"];
}

/// A `secureScore`: one tenant, one day.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct Score<'a> {
    pub(super) azure_tenant_id: LenientText<'a>,
    pub(super) created_date_time: LenientText<'a>,
    pub(super) current_score: LenientNumber,
    pub(super) max_score: LenientNumber,
    pub(super) active_user_count: LenientNumber,
    pub(super) licensed_user_count: LenientNumber,
    pub(super) average_comparative_scores: InnerList<'a, Comparison<'a>>,
    pub(super) control_scores: InnerList<'a, ControlScore<'a>>,
}

impl<'a> Element<'a> for Score<'a> {}

/// A `controlScore`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct ControlScore<'a> {
    pub(super) control_name: LenientText<'a>,
    pub(super) control_category: LenientText<'a>,
    /// HTML, in the newest report only.
    pub(super) description: LenientText<'a>,
    pub(super) score: LenientNumber,
    pub(super) score_in_percentage: LenientNumber,
    pub(super) last_synced: LenientText<'a>,
    pub(super) implementation_status: LenientText<'a>,
    /// Not documented; seen with a capital.
    pub(super) not_scored: LenientText<'a>,
    #[serde(rename = "NotScored")]
    pub(super) not_scored_capital: LenientText<'a>,
}

impl<'a> Element<'a> for ControlScore<'a> {}

/// An `averageComparativeScore`, with the category fields that are not
/// documented.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct Comparison<'a> {
    pub(super) basis: LenientText<'a>,
    pub(super) average_score: LenientNumber,
    pub(super) identity_score: LenientNumber,
    pub(super) identity_score_max: LenientNumber,
    pub(super) data_score: LenientNumber,
    pub(super) data_score_max: LenientNumber,
    pub(super) device_score: LenientNumber,
    pub(super) device_score_max: LenientNumber,
    pub(super) apps_score: LenientNumber,
    pub(super) apps_score_max: LenientNumber,
    pub(super) infrastructure_score: LenientNumber,
    pub(super) infrastructure_score_max: LenientNumber,
}

impl<'a> Element<'a> for Comparison<'a> {}

/// A `recommendation` of the beta API.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct Recommendation<'a> {
    pub(super) id: LenientText<'a>,
    pub(super) recommendation_type: LenientText<'a>,
    pub(super) display_name: LenientText<'a>,
    pub(super) category: LenientText<'a>,
    pub(super) status: LenientText<'a>,
    pub(super) priority: LenientText<'a>,
    pub(super) current_score: LenientNumber,
    pub(super) max_score: LenientNumber,
    pub(super) last_modified_date_time: LenientText<'a>,
    pub(super) last_modified_by: LenientText<'a>,
    /// Documented for the action `acceptRisk` only.
    pub(super) status_modified_date_time: LenientText<'a>,
    pub(super) postpone_until_date_time: LenientText<'a>,
    pub(super) impact_type: LenientText<'a>,
    pub(super) required_licenses: LenientText<'a>,
    pub(super) impacted_resources: InnerList<'a, ImpactedResource<'a>>,
    #[serde(rename = "impactedResources@odata.nextLink")]
    pub(super) more_resources: LenientText<'a>,
}

// Either copy may hide an acceptance.
impl<'a> Element<'a> for Recommendation<'a> {
    const UNAMBIGUOUS: &'static [&'static str] = &["status"];
}

/// An `impactedResource` of the beta API.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ImpactedResource<'a> {
    pub(super) status: LenientText<'a>,
}

impl<'a> Element<'a> for ImpactedResource<'a> {
    const UNAMBIGUOUS: &'static [&'static str] = &["status"];
}

/// A `tenantSecureScore` of the beta API.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct IdentityScore<'a> {
    pub(super) tenant_score: LenientNumber,
    pub(super) tenant_max_score: LenientNumber,
    pub(super) create_date_time: LenientText<'a>,
}

impl<'a> Element<'a> for IdentityScore<'a> {}

/// A `delegatedAdminCustomer`: its id is that of its tenant.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct DelegatedAdminCustomer<'a> {
    pub(super) id: LenientText<'a>,
    pub(super) tenant_id: LenientText<'a>,
    pub(super) display_name: LenientText<'a>,
}

// Either copy may be the customer's.
impl<'a> Element<'a> for DelegatedAdminCustomer<'a> {
    const UNAMBIGUOUS: &'static [&'static str] = &["tenantId"];
}

/// A `delegatedAdminRelationship`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct DelegatedAdminRelationship<'a> {
    pub(super) display_name: LenientText<'a>,
    pub(super) status: LenientText<'a>,
    pub(super) end_date_time: LenientText<'a>,
    pub(super) last_modified_date_time: LenientText<'a>,
    pub(super) auto_extend_duration: LenientText<'a>,
    pub(super) customer: LenientJson<'a>,
}

impl<'a> Element<'a> for DelegatedAdminRelationship<'a> {}

/// The `customer` of a relationship.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct RelationshipCustomer<'a> {
    pub(super) tenant_id: LenientText<'a>,
}

/// A `multiTenantOrganizationMember`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct OrganizationMember<'a> {
    pub(super) tenant_id: LenientText<'a>,
    pub(super) display_name: LenientText<'a>,
    pub(super) state: LenientText<'a>,
}

// Either copy may be the member's.
impl<'a> Element<'a> for OrganizationMember<'a> {
    const UNAMBIGUOUS: &'static [&'static str] = &["tenantId"];
}

/// The body of an error.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ErrorBody<'a> {
    pub(super) error: ErrorDetail<'a>,
}

/// The contents of an error.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ErrorDetail<'a> {
    pub(super) code: LenientText<'a>,
    pub(super) message: LenientText<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_become_numbers_and_numbers_strings() {
        let score: Score<'_> =
            serde_json::from_str(r#"{"currentScore":"815.22","maxScore":1376,"azureTenantId":7}"#)
                .unwrap();
        assert_eq!(score.current_score, LenientNumber::Number(815.22));
        assert_eq!(score.max_score, LenientNumber::Number(1376.0));
        assert_eq!(score.azure_tenant_id.get(), Some("7"));
    }

    #[test]
    fn an_invalid_field_leaves_its_element_readable() {
        let profile: Profile<'_> = serde_json::from_str(
            r#"{"id":"A","maxScore":{"x":[1,{"y":2}]},"title":["a"],"tier":null,"deprecated":true}"#,
        )
        .unwrap();
        assert_eq!(profile.id.get(), Some("A"));
        assert_eq!(profile.max_score, LenientNumber::Invalid);
        assert_eq!(profile.title, LenientText::Invalid);
        assert_eq!(profile.tier, LenientText::Missing);
        assert_eq!(profile.deprecated.get(), Some("true"));
    }

    #[test]
    fn null_updates_are_present_and_absent_updates_are_missing() {
        for (json, missing) in [(r#"{"controlStateUpdates":null}"#, false), ("{}", true)] {
            let profile = serde_json::from_str::<Profile<'_>>(json).unwrap();
            assert_eq!(profile.control_state_updates.is_missing(), missing);
        }
    }

    #[test]
    fn escaped_strings_are_decoded() {
        let profile: Profile<'_> = serde_json::from_str(r#"{"title":" don\u0027t "}"#).unwrap();
        assert_eq!(profile.title.get(), Some("don't"));
    }
}
