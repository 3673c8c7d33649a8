//! The recommendations of generated tenants.

/// What a recommendation applies to, which decides its impacted resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The tenant. Graph omits the resources, expanded or not.
    Tenant,
    /// Users.
    Users,
    /// Applications.
    Applications,
}

/// One recommendation.
#[derive(Debug)]
pub(crate) struct RecommendationEntry {
    /// The `recommendationType`, which for the Identity Secure Score is the id of a
    /// control of Secure Score in another case.
    pub(crate) kind: &'static str,
    /// The part of the id behind the tenant's GUID, where it is not the type.
    name: Option<&'static str>,
    pub(crate) category: &'static str,
    pub(crate) priority: &'static str,
    pub(crate) scope: Scope,
    pub(crate) feature_area: &'static str,
    pub(crate) licence: &'static str,
    pub(crate) title: &'static str,
}

impl RecommendationEntry {
    /// The id in a tenant.
    pub(crate) fn id(&self, entra_id: &str) -> String {
        format!("{entra_id}_{}", self.name())
    }

    fn name(&self) -> &'static str {
        self.name.unwrap_or(self.kind)
    }
}

use Scope::{Applications, Tenant, Users};

const SCORE: &str = "identitySecureScore";
const PRACTICE: &str = "identityBestPractice";
const MDI: &str = "mdiSecureScore";
const FREE: &str = "microsoftEntraIdFree";
const P1: &str = "microsoftEntraIdP1";
const P2: &str = "microsoftEntraIdP2";
const WORKLOAD: &str = "microsoftEntraWorkloadId";

/// All recommendations, in the order of the list. Types, categories and licences are
/// Graph's; the titles are our own, and some end in a blank, as real ones do.
#[rustfmt::skip]
pub(crate) const ENTRIES: &[RecommendationEntry] = &[
    entry("userRiskPolicy", SCORE, "high", Users, "conditionalAccess", P2, "Challenge users whose account may be compromised "),
    entry("signinRiskPolicy", SCORE, "high", Users, "conditionalAccess", P2, "Challenge sign-ins that look risky "),
    entry("adminMFAV2", SCORE, "high", Users, "conditionalAccess", FREE, "Require a second factor from everyone with an administrative role"),
    entry("mfaRegistrationV2", SCORE, "high", Users, "users", FREE, "Require a second factor from every user"),
    entry("blockLegacyAuthentication", SCORE, "high", Users, "conditionalAccess", P1, "Block sign-in over legacy protocols"),
    entry("integratedApps", SCORE, "medium", Tenant, "applications", FREE, "Do not let users consent to apps on their own "),
    entry("insiderRiskPolicy", SCORE, "medium", Tenant, "conditionalAccess", P2, "Bind access to insider risk"),
    entry("oneAdmin", SCORE, "low", Users, "users", FREE, "Name more than one global administrator"),
    entry("roleOverlap", SCORE, "low", Users, "users", FREE, "Hand out the smallest administrative role that does the job"),
    entry("selfServicePasswordReset", SCORE, "low", Users, "users", P1, "Let all users reset their own password "),
    entry("pwagePolicyNew", SCORE, "medium", Tenant, "users", FREE, "Let passwords live until there is a reason to change them"),
    entry("passwordHashSync", SCORE, "medium", Tenant, "users", FREE, "Synchronise password hashes in hybrid directories"),
    RecommendationEntry {
        name: Some("Microsoft.Identity.IAM.Insights.TurnOffPerUserMFA"),
        ..entry("turnOffPerUserMFA", PRACTICE, "medium", Users, "users", P1, "Replace per-user second factors by Conditional Access")
    },
    RecommendationEntry {
        name: Some("Microsoft.Identity.IAM.Insights.ApplicationCredentialExpiry"),
        ..entry("applicationCredentialExpiry", PRACTICE, "high", Applications, "applications", WORKLOAD, "Renew application credentials that expire soon")
    },
    RecommendationEntry {
        name: Some("Microsoft.Identity.IAM.Insights.StaleApps"),
        ..entry("staleApps", PRACTICE, "medium", Applications, "applications", WORKLOAD, "Remove applications that are not used ")
    },
    RecommendationEntry {
        name: Some("Microsoft.Identity.IAM.Insights.TenantMFA"),
        ..entry("tenantMFA", PRACTICE, "high", Tenant, "users", FREE, "Turn on security defaults")
    },
    entry("mdiUnmonitoredADCS", MDI, "medium", Tenant, "governance", "aatp", "Put a sensor on every certificate server"),
];

const fn entry(
    kind: &'static str,
    category: &'static str,
    priority: &'static str,
    scope: Scope,
    feature_area: &'static str,
    licence: &'static str,
    title: &'static str,
) -> RecommendationEntry {
    RecommendationEntry {
        kind,
        name: None,
        category,
        priority,
        scope,
        feature_area,
        licence,
        title,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn twelve_recommendations_are_controls_of_secure_score() {
        let catalogue = Catalogue::load();
        let scored = ENTRIES.iter().filter(|entry| entry.category == SCORE);
        let joined = scored.filter(|entry| catalogue.position(entry.kind).is_some());
        assert_eq!(joined.count(), 12);
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = ENTRIES.iter().map(RecommendationEntry::name).collect();
        assert_eq!(names.len(), ENTRIES.len());
    }

    #[test]
    fn every_priority_and_category_occurs_and_some_titles_end_in_a_blank() {
        let priorities: BTreeSet<&str> = ENTRIES.iter().map(|entry| entry.priority).collect();
        assert_eq!(priorities.len(), 3);
        let categories: BTreeSet<&str> = ENTRIES.iter().map(|entry| entry.category).collect();
        assert_eq!(categories.len(), 3);
        let padded = ENTRIES.iter().filter(|entry| entry.title.ends_with(' '));
        assert!((1..ENTRIES.len()).contains(&padded.count()));
    }
}
