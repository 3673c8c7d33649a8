//! Microsoft's answers as they come: every field name of theirs lives here.
//!
//! Nothing is required but the shape of a list. Fields come as strings or
//! numbers, null or missing, in any order and with others beside them, and
//! one odd field must not cost its element, nor one odd element its page.
//!
//! Shapes: the resources `secureScore`, `controlScore`,
//! `secureScoreControlProfile` and `secureScoreControlStateUpdate` of
//! Microsoft Graph v1.0, and what real tenants answer beyond them.

use super::loose::{Number, Raw, Text};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The fields of a profile that we read, for `$select`.
pub(super) const PROFILE_FIELDS: &str = "id,azureTenantId,title,controlCategory,service,tier,\
    userImpact,implementationCost,actionType,actionUrl,maxScore,deprecated,controlStateUpdates";

/// One page of a list.
#[derive(Deserialize)]
pub(super) struct Page<'a> {
    #[serde(rename = "@odata.nextLink", borrow, default)]
    pub(super) next_link: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) value: &'a RawValue,
}

/// A `secureScoreControlProfile`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Profile<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) azure_tenant_id: Text<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) control_category: Text<'a>,
    #[serde(borrow)]
    pub(super) service: Text<'a>,
    #[serde(borrow)]
    pub(super) tier: Text<'a>,
    #[serde(borrow)]
    pub(super) user_impact: Text<'a>,
    #[serde(borrow)]
    pub(super) implementation_cost: Text<'a>,
    #[serde(borrow)]
    pub(super) action_type: Text<'a>,
    #[serde(borrow)]
    pub(super) action_url: Text<'a>,
    pub(super) max_score: Number,
    #[serde(borrow)]
    pub(super) deprecated: Text<'a>,
    #[serde(borrow)]
    pub(super) control_state_updates: Raw<'a>,
}

/// A `secureScoreControlStateUpdate`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct StateUpdate<'a> {
    #[serde(borrow)]
    pub(super) state: Text<'a>,
    #[serde(borrow)]
    pub(super) assigned_to: Text<'a>,
    #[serde(borrow)]
    pub(super) comment: Text<'a>,
    #[serde(borrow)]
    pub(super) updated_by: Text<'a>,
    #[serde(borrow)]
    pub(super) updated_date_time: Text<'a>,
}

/// A `secureScore`: one tenant, one day.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Score<'a> {
    #[serde(borrow)]
    pub(super) azure_tenant_id: Text<'a>,
    #[serde(borrow)]
    pub(super) created_date_time: Text<'a>,
    pub(super) current_score: Number,
    pub(super) max_score: Number,
    pub(super) active_user_count: Number,
    pub(super) licensed_user_count: Number,
    #[serde(borrow)]
    pub(super) average_comparative_scores: Raw<'a>,
    #[serde(borrow)]
    pub(super) control_scores: Raw<'a>,
}

/// A `controlScore`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ControlScore<'a> {
    #[serde(borrow)]
    pub(super) control_name: Text<'a>,
    #[serde(borrow)]
    pub(super) control_category: Text<'a>,
    pub(super) score: Number,
    pub(super) score_in_percentage: Number,
    #[serde(borrow)]
    pub(super) last_synced: Text<'a>,
    #[serde(borrow)]
    pub(super) implementation_status: Text<'a>,
}

/// An `averageComparativeScore`, with the category fields the documentation
/// leaves out.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Comparison<'a> {
    #[serde(borrow)]
    pub(super) basis: Text<'a>,
    pub(super) average_score: Number,
    pub(super) identity_score: Number,
    pub(super) identity_score_max: Number,
    pub(super) data_score: Number,
    pub(super) data_score_max: Number,
    pub(super) device_score: Number,
    pub(super) device_score_max: Number,
    pub(super) apps_score: Number,
    pub(super) apps_score_max: Number,
    pub(super) infrastructure_score: Number,
    pub(super) infrastructure_score_max: Number,
}

/// The body of an error.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Failure<'a> {
    #[serde(borrow)]
    pub(super) error: FailureDetail<'a>,
}

/// What an error says of itself.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct FailureDetail<'a> {
    #[serde(borrow)]
    pub(super) code: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Text<'a>,
}

/// The claims of an access token that concern us. Microsoft calls the token
/// opaque, so each of them may be missing without consequence.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Claims {
    pub(super) tid: Option<String>,
    pub(super) roles: Option<Vec<String>>,
    pub(super) scp: Option<String>,
}

/// An error of Entra's token endpoint, or of a managed identity's.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct TokenFailure {
    pub(super) error: Option<String>,
    /// App Service's word for the description.
    pub(super) message: Option<String>,
    pub(super) error_description: Option<String>,
    pub(super) error_codes: Vec<u32>,
}

/// Reads one small object whole.
pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_taken_for_numbers_and_numbers_for_strings() {
        let score: Score<'_> =
            serde_json::from_str(r#"{"currentScore":"815.22","maxScore":1376,"azureTenantId":7}"#)
                .unwrap();
        assert_eq!(score.current_score, Number::Some(815.22));
        assert_eq!(score.max_score, Number::Some(1376.0));
        assert_eq!(score.azure_tenant_id.get(), Some("7"));
    }

    #[test]
    fn an_odd_field_does_not_cost_its_element() {
        let profile: Profile<'_> = serde_json::from_str(
            r#"{"id":"A","maxScore":{"x":[1,{"y":2}]},"title":["a"],"tier":null,"deprecated":true}"#,
        )
        .unwrap();
        assert_eq!(profile.id.get(), Some("A"));
        assert_eq!(profile.max_score, Number::Odd);
        assert_eq!(profile.title, Text::Odd);
        assert_eq!(profile.tier, Text::Nothing);
        assert_eq!(profile.deprecated.get(), Some("true"));
    }

    #[test]
    fn null_updates_are_present_and_absent_updates_are_missing() {
        let null: Profile<'_> = serde_json::from_str(r#"{"controlStateUpdates":null}"#).unwrap();
        assert!(matches!(null.control_state_updates, Raw::Present(_)));
        let absent: Profile<'_> = serde_json::from_str("{}").unwrap();
        assert!(matches!(absent.control_state_updates, Raw::Missing));
    }

    #[test]
    fn escaped_strings_are_decoded() {
        let profile: Profile<'_> = serde_json::from_str(r#"{"title":" don\u0027t "}"#).unwrap();
        assert_eq!(profile.title.get(), Some("don't"));
    }
}
