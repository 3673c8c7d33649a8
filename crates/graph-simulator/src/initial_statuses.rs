//! The statuses that administrators set in Entra before the start.

use jiff::{SignedDuration, Timestamp};

use crate::rng::{draw, guid};
use crate::status_change::{RecommendationEdit, StatusChange};

/// A change: tenant, recommendation, days before the newest change, status, person, and
/// days from then to the end of a postponement. A person without a name is an object id.
type InitialStatus = (
    &'static str,
    &'static str,
    i64,
    &'static str,
    &'static str,
    Option<i64>,
);

/// The statuses of the tenants with fixed names.
///
/// northwind accepts the risk in Entra and not in Secure Score. The other tenants leave
/// the user risk policy to the scenario.
#[rustfmt::skip]
const STATUSES: &[InitialStatus] = &[
    ("contoso", "integratedApps", 8, "riskAccepted", "Alex Wilber", None),
    ("contoso", "passwordHashSync", 90, "alternateMitigation", "", None),
    ("contoso", "turnOffPerUserMFA", 20, "postponed", "Diego Siciliani", Some(28)),
    ("fabrikam", "oneAdmin", 30, "thirdParty", "Priya Raman", None),
    ("fabrikam", "staleApps", 12, "dismissed", "Tomas Lind", None),
    ("adatum", "pwagePolicyNew", 44, "planned", "Jonas Weber", None),
    ("adatum", "selfServicePasswordReset", 17, "completedByUser", "", None),
    ("litware", "roleOverlap", 6, "riskAccepted", "Mei Tanaka", None),
    ("northwind", "userRiskPolicy", 4, "riskAccepted", "", None),
    ("northwind", "tenantMFA", 2, "dismissed", "Sara Holm", None),
];

/// One of these is the only status that a person set in one of three tenants without a
/// fixed name.
#[rustfmt::skip]
const COMMON_STATUSES: &[InitialStatus] = &[
    ("", "roleOverlap", 9, "riskAccepted", "", None),
    ("", "staleApps", 21, "dismissed", "Duty Admin", None),
    ("", "selfServicePasswordReset", 35, "thirdParty", "Duty Admin", None),
];

/// Tenant, recommendation, and the rank of a resource that is dismissed on its own.
const DISMISSED_RESOURCES: &[(&str, &str, u64, &str)] = &[
    ("contoso", "signinRiskPolicy", 0, "Megan Bowen"),
    ("adatum", "signinRiskPolicy", 1, "Jonas Weber"),
];

/// The changes of a recommendation of a tenant with a fixed name.
pub(crate) fn edits(
    tenant: &str,
    seed: u64,
    recommendation: &str,
    newest: Timestamp,
) -> Vec<RecommendationEdit> {
    let statuses = STATUSES.iter();
    let statuses = statuses.filter(|status| status.0 == tenant && status.1 == recommendation);
    let resources = DISMISSED_RESOURCES.iter();
    let resources = resources.filter(|it| it.0 == tenant && it.1 == recommendation);
    let dismissed = resources.map(|(_, _, rank, by)| {
        let id = resource_id(seed, recommendation, *rank);
        let change = StatusChange::new("dismissed").by(by).at(newest);
        RecommendationEdit::ResourceStatus(id, change)
    });
    let changed = statuses.flat_map(|status| status_edits(status, seed, newest));
    changed.chain(dismissed).collect()
}

/// The changes of a recommendation of a tenant without a fixed name.
pub(crate) fn common_edits(
    seed: u64,
    recommendation: &str,
    newest: Timestamp,
) -> Vec<RecommendationEdit> {
    let chosen = draw(seed, "past status", 0) as usize % (COMMON_STATUSES.len() * 3);
    let status = COMMON_STATUSES.get(chosen);
    let status = status.filter(|status| status.1 == recommendation);
    status
        .into_iter()
        .flat_map(|status| status_edits(status, seed, newest))
        .collect()
}

/// The id of an impacted resource.
pub(crate) fn resource_id(seed: u64, recommendation: &str, rank: u64) -> String {
    guid(seed, recommendation, rank).to_string()
}

/// A change, and for one older than a week the check of the service that moved the
/// time of the last modification afterwards.
fn status_edits(
    (_, _, age, status, by, postponed): &InitialStatus,
    seed: u64,
    newest: Timestamp,
) -> Vec<RecommendationEdit> {
    let days = |days: i64| SignedDuration::from_hours(days * 24);
    let at = newest.saturating_sub(days(*age)).unwrap_or(newest);
    let later = |after: SignedDuration| at.saturating_add(after).unwrap_or(at);
    let person = match *by {
        "" => guid(seed, status, 0).to_string(),
        name => name.to_owned(),
    };
    let change = StatusChange {
        postpone_until: postponed.map(|after| later(days(after))),
        ..StatusChange::new(status).by(&person).at(at)
    };
    let check = (*age > 7).then(|| RecommendationEdit::Checked(later(days(*age - 1))));
    [RecommendationEdit::Status(change)]
        .into_iter()
        .chain(check)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommendation_catalogue::ENTRIES;
    use crate::tenant_profile::TENANT_PROFILES;

    #[test]
    fn every_status_names_a_known_recommendation_and_tenant() {
        let all = STATUSES.iter().chain(COMMON_STATUSES);
        let all = all.map(|status| (status.0, status.1));
        let resources = DISMISSED_RESOURCES.iter();
        for (tenant, name) in all.chain(resources.map(|it| (it.0, it.1))) {
            assert!(ENTRIES.iter().any(|entry| entry.kind == name), "{name}");
            let mut names = TENANT_PROFILES.iter().map(|profile| profile.name);
            assert!(tenant.is_empty() || names.any(|it| it == tenant));
        }
    }

    #[test]
    fn about_a_third_of_the_tenants_without_a_fixed_name_has_a_status() {
        let newest = Timestamp::UNIX_EPOCH;
        let has_status = |seed: &u64| {
            let mut statuses = COMMON_STATUSES.iter();
            statuses.any(|status| !common_edits(*seed, status.1, newest).is_empty())
        };
        let count = (0..300).filter(has_status).count();
        assert!((50..150).contains(&count), "{count}");
    }
}
