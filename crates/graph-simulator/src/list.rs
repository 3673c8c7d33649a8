//! Graph's lists: where they are, who may read them, what a query may name.

use crate::filter::unquote;
use crate::query::decode_segment;
use crate::recorded_request::Api;
use crate::token::{
    DELEGATED_ADMIN_ROLES, ORGANIZATION_ROLES, RECOMMENDATIONS_ROLES, SECURE_SCORE_ROLES,
};

/// Graph's maximum number of elements per page, whatever `$top` says.
const MAX_PAGE_SIZE: usize = 999;

/// The same of a partner's lists, which reject a larger `$top`.
const MAX_PARTNER_PAGE_SIZE: usize = 300;

/// A list of Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// Daily reports.
    Scores,
    /// Controls with their states.
    Profiles,
    /// Entra's recommendations.
    Recommendations,
    /// The daily Identity Secure Score.
    IdentityScores,
    /// A partner's customers.
    Customers,
    /// A partner's relationships with its customers.
    Relationships,
    /// The tenants of a multitenant organization.
    Organization,
}

/// A list, or one of its elements.
pub(crate) struct Resource {
    pub(crate) list: List,
    pub(crate) id: Option<String>,
}

impl Resource {
    /// The resource at a path. An element is `/LIST/ID` or `/LIST('ID')`; repeated
    /// slashes count once, as at Microsoft.
    pub(crate) fn at(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
        if let Some(list) = List::at(&segments) {
            return Some(Self { list, id: None });
        }
        let (last, parent) = segments.split_last()?;
        if let Some((name, key)) = last.split_once('(') {
            let list = List::at(&[parent, &[name]].concat())?;
            let key = decode_segment(key);
            let id = unquote(key.strip_suffix(')')?)?;
            return list.element(id);
        }
        List::at(parent)?.element(decode_segment(last))
    }
}

impl List {
    const ALL: [Self; 7] = [
        Self::Scores,
        Self::Profiles,
        Self::Recommendations,
        Self::IdentityScores,
        Self::Customers,
        Self::Relationships,
        Self::Organization,
    ];

    fn at(segments: &[&str]) -> Option<Self> {
        let is_at = |list: &Self| {
            let path = list.path().split('/').skip(1);
            path.eq(segments.iter().copied())
        };
        Self::ALL.into_iter().find(is_at)
    }

    /// Whether a partner's tenant has the list, and a customer's has nothing in it.
    pub(crate) fn is_of_partner(self) -> bool {
        matches!(
            self,
            Self::Customers | Self::Relationships | Self::Organization
        )
    }

    /// The maximum number of elements per page.
    pub(crate) fn max_page_size(self) -> usize {
        match self.is_of_partner() {
            true => MAX_PARTNER_PAGE_SIZE,
            false => MAX_PAGE_SIZE,
        }
    }

    /// The option of a next link, as written in the list.
    pub(crate) fn skip_option(self) -> &'static str {
        match self.is_of_partner() {
            true => "$skipToken",
            false => "$skiptoken",
        }
    }

    /// An element of the list. A day's Identity Secure Score and a tenant of an
    /// organization have no id.
    fn element(self, id: String) -> Option<Resource> {
        let has_ids = !matches!(self, Self::IdentityScores | Self::Organization);
        has_ids.then_some(Resource {
            list: self,
            id: Some(id),
        })
    }

    pub(crate) fn api(self) -> Api {
        match self {
            Self::Scores => Api::Scores,
            Self::Profiles => Api::Profiles,
            Self::Recommendations => Api::Recommendations,
            Self::IdentityScores => Api::IdentityScores,
            Self::Customers => Api::Customers,
            Self::Relationships => Api::Relationships,
            Self::Organization => Api::Organization,
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Scores => "/v1.0/security/secureScores",
            Self::Profiles => "/v1.0/security/secureScoreControlProfiles",
            Self::Recommendations => "/beta/directory/recommendations",
            Self::IdentityScores => "/beta/directory/recommendations/tenantSecureScores",
            Self::Customers => "/v1.0/tenantRelationships/delegatedAdminCustomers",
            Self::Relationships => "/v1.0/tenantRelationships/delegatedAdminRelationships",
            Self::Organization => "/v1.0/tenantRelationships/multiTenantOrganization/tenants",
        }
    }

    /// The path of the list's metadata.
    pub(crate) fn context(self) -> &'static str {
        match self {
            Self::Scores => "/v1.0/$metadata#security/secureScores",
            Self::Profiles => "/v1.0/$metadata#security/secureScoreControlProfiles",
            Self::Recommendations => "/beta/$metadata#directory/recommendations",
            Self::IdentityScores => "/beta/$metadata#Collection(microsoft.graph.tenantSecureScore)",
            Self::Customers => "/v1.0/tenantRelationships/$metadata#delegatedAdminCustomers",
            Self::Relationships => {
                "/v1.0/tenantRelationships/$metadata#delegatedAdminRelationships"
            }
            Self::Organization => {
                "/v1.0/$metadata#tenantRelationships/multiTenantOrganization/tenants"
            }
        }
    }

    /// The permissions of which a token needs one.
    pub(crate) fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Scores | Self::Profiles => &SECURE_SCORE_ROLES,
            Self::Recommendations | Self::IdentityScores => &RECOMMENDATIONS_ROLES,
            Self::Customers | Self::Relationships => &DELEGATED_ADMIN_ROLES,
            Self::Organization => &ORGANIZATION_ROLES,
        }
    }

    /// The options of OData that the simulator supports.
    ///
    /// Others are rejected: a response that ignores `$orderby` would look correct.
    pub(crate) fn options(self) -> &'static [&'static str] {
        match self {
            Self::Scores | Self::Profiles => &[
                "$top",
                "$skip",
                "$skiptoken",
                "$select",
                "$count",
                "$filter",
            ],
            Self::Recommendations => &[
                "$top",
                "$skip",
                "$skiptoken",
                "$select",
                "$count",
                "$filter",
                "$expand",
            ],
            Self::IdentityScores => &["$top", "$skip", "$skiptoken", "$select", "$count"],
            Self::Customers | Self::Relationships => {
                &["$top", "$skipToken", "$select", "$count", "$filter"]
            }
            Self::Organization => &["$skipToken", "$select", "$filter"],
        }
    }

    /// The same for an element.
    pub(crate) fn element_options(self) -> &'static [&'static str] {
        match self {
            Self::Recommendations => &["$select", "$expand"],
            _ => &["$select"],
        }
    }

    /// The properties that `$filter` may name, where Graph restricts them.
    pub(crate) fn filterable(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Recommendations => Some(&[
                "status",
                "category",
                "priority",
                "recommendationType",
                "featureAreas",
            ]),
            Self::Organization => Some(&["tenantId"]),
            _ => None,
        }
    }

    /// The properties of Graph's metadata, which `$select` and `$filter` may name even
    /// where a captured response lacks them.
    pub(crate) fn properties(self) -> &'static [&'static str] {
        match self {
            Self::Scores => SCORE_PROPERTIES,
            Self::Profiles => PROFILE_PROPERTIES,
            Self::Recommendations => RECOMMENDATION_PROPERTIES,
            Self::IdentityScores => &["tenantScore", "tenantMaxScore", "createDateTime"],
            Self::Customers => &["id", "tenantId", "displayName"],
            Self::Relationships => RELATIONSHIP_PROPERTIES,
            Self::Organization => MEMBER_PROPERTIES,
        }
    }
}

const SCORE_PROPERTIES: &[&str] = &[
    "id",
    "activeUserCount",
    "averageComparativeScores",
    "azureTenantId",
    "controlScores",
    "createdDateTime",
    "currentScore",
    "enabledServices",
    "licensedUserCount",
    "maxScore",
    "vendorInformation",
];

const PROFILE_PROPERTIES: &[&str] = &[
    "id",
    "actionType",
    "actionUrl",
    "azureTenantId",
    "complianceInformation",
    "controlCategory",
    "controlStateUpdates",
    "deprecated",
    "implementationCost",
    "lastModifiedDateTime",
    "maxScore",
    "rank",
    "remediation",
    "remediationImpact",
    "service",
    "threats",
    "tier",
    "title",
    "userImpact",
    "vendorInformation",
];

const RECOMMENDATION_PROPERTIES: &[&str] = &[
    "id",
    "actionSteps",
    "benefits",
    "category",
    "createdDateTime",
    "currentScore",
    "displayName",
    "featureAreas",
    "impactStartDateTime",
    "impactType",
    "insights",
    "lastCheckedDateTime",
    "lastModifiedBy",
    "lastModifiedDateTime",
    "maxScore",
    "postponeUntilDateTime",
    "priority",
    "recommendationType",
    "releaseType",
    "remediationImpact",
    "requiredLicenses",
    "status",
    "statusModifiedDateTime",
];

const MEMBER_PROPERTIES: &[&str] = &[
    "tenantId",
    "addedByTenantId",
    "addedDateTime",
    "displayName",
    "joinedDateTime",
    "role",
    "state",
    "transitionDetails",
];

const RELATIONSHIP_PROPERTIES: &[&str] = &[
    "id",
    "accessDetails",
    "activatedDateTime",
    "autoExtendDuration",
    "createdDateTime",
    "customer",
    "displayName",
    "duration",
    "endDateTime",
    "lastModifiedDateTime",
    "status",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Option<(List, Option<String>)> {
        Resource::at(path).map(|resource| (resource.list, resource.id))
    }

    #[test]
    fn a_path_names_a_list_or_an_element() {
        let recommendations = "/beta/directory/recommendations";
        for list in List::ALL {
            assert_eq!(at(list.path()), Some((list, None)));
        }
        for suffix in ["/t_oneAdmin", "('t_oneAdmin')", "//t_oneAdmin"] {
            let expected = (List::Recommendations, Some("t_oneAdmin".to_owned()));
            assert_eq!(at(&format!("{recommendations}{suffix}")), Some(expected));
        }
        for suffix in [
            "/tenantSecureScores/1",
            "/tenantSecureScores('1')",
            "/a/b",
            "(a)",
        ] {
            assert_eq!(at(&format!("{recommendations}{suffix}")), None, "{suffix}");
        }
        assert_eq!(at("/v1.0/directory/recommendations"), None);
    }
}
