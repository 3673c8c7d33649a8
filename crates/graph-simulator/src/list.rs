//! Graph's lists: where they are, who may read them, what a query may name.

use crate::filter::unquote;
use crate::query::decode_segment;
use crate::recorded_request::Api;
use crate::token::{RECOMMENDATIONS_ROLES, SECURE_SCORE_ROLES};

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
    const ALL: [Self; 4] = [
        Self::Scores,
        Self::Profiles,
        Self::Recommendations,
        Self::IdentityScores,
    ];

    fn at(segments: &[&str]) -> Option<Self> {
        let is_at = |list: &Self| {
            let path = list.path().split('/').skip(1);
            path.eq(segments.iter().copied())
        };
        Self::ALL.into_iter().find(is_at)
    }

    /// An element of the list. A day's Identity Secure Score has no id.
    fn element(self, id: String) -> Option<Resource> {
        (self != Self::IdentityScores).then_some(Resource {
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
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Scores => "/v1.0/security/secureScores",
            Self::Profiles => "/v1.0/security/secureScoreControlProfiles",
            Self::Recommendations => "/beta/directory/recommendations",
            Self::IdentityScores => "/beta/directory/recommendations/tenantSecureScores",
        }
    }

    /// The path of the list's metadata.
    pub(crate) fn context(self) -> &'static str {
        match self {
            Self::Scores => "/v1.0/$metadata#security/secureScores",
            Self::Profiles => "/v1.0/$metadata#security/secureScoreControlProfiles",
            Self::Recommendations => "/beta/$metadata#directory/recommendations",
            Self::IdentityScores => "/beta/$metadata#Collection(microsoft.graph.tenantSecureScore)",
        }
    }

    /// The permissions of which a token needs one.
    pub(crate) fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Scores | Self::Profiles => &SECURE_SCORE_ROLES,
            Self::Recommendations | Self::IdentityScores => &RECOMMENDATIONS_ROLES,
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
        }
    }

    /// The same for an element.
    pub(crate) fn element_options(self) -> &'static [&'static str] {
        match self {
            Self::Recommendations => &["$select", "$expand"],
            Self::Scores | Self::Profiles | Self::IdentityScores => &["$select"],
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
            Self::Scores | Self::Profiles | Self::IdentityScores => None,
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
