//! The state changes in the tenants' histories at the start.

use std::time::Duration;

use jiff::Timestamp;

use crate::history::StateUpdate;
use crate::rng::draw;

/// A change: tenant, control, days before the newest change, state, person, comment.
type InitialChange = (
    &'static str,
    &'static str,
    u64,
    &'static str,
    &'static str,
    &'static str,
);

/// The changes of the tenants with fixed names.
///
/// They are out of order and repeat states, since Graph promises no order and
/// tools that write a state again leave a second entry. None touches the risk
/// policies, the second-factor controls and the block of legacy sign-in: the
/// first acceptance of those belongs to the scenario.
#[rustfmt::skip]
const CHANGES: &[InitialChange] = &[
    ("contoso", "IntegratedApps", 9, "Ignored", "alex.wilber@contoso.example", "Sales needs user consent until the CRM is approved, SEC-1234"),
    ("contoso", "IntegratedApps", 40, "Planned", "alex.wilber@contoso.example", "Planned for the autumn change window"),
    ("contoso", "IntegratedApps", 2, "Ignored", "svc-compliance@contoso.example", "Sales needs user consent until the CRM is approved, SEC-1234"),
    ("contoso", "aad_admin_consent_workflow", 61, "Ignored", "diego.siciliani@contoso.example", "No reviewers named yet"),
    ("contoso", "aad_admin_consent_workflow", 54, "Default", "alex.wilber@contoso.example", "Reviewers named, acceptance withdrawn"),
    ("contoso", "AATP_HoneyToken", 33, "ThirdParty", "alex.wilber@contoso.example", "Decoys are run by the outside SOC"),
    ("contoso", "exo_dmarc_all_domains", 12, "Planned", "alex.wilber@contoso.example", "With the new mail gateway"),
    ("contoso", "mdo_mailboxintelligenceprotection", 12, "Planned", "alex.wilber@contoso.example", "With the new mail gateway"),
    ("fabrikam", "SelfServicePasswordReset", 0, "Ignored", "priya.raman@fabrikam.example", "Shop floor staff have no second contact"),
    ("fabrikam", "SelfServicePasswordReset", 75, "Reviewed", "priya.raman@fabrikam.example", "The help desk checks identity in person"),
    ("fabrikam", "mdo_autoforwardingmode", 28, "Default", "tomas.lind@fabrikam.example", "Supplier moved to a shared mailbox"),
    ("fabrikam", "mdo_autoforwardingmode", 47, "Ignored", "tomas.lind@fabrikam.example", "Supplier still needs forwarding"),
    ("fabrikam", "mdo_autoforwardingmode", 45, "Ignored", "tomas.lind@fabrikam.example", "Supplier still needs forwarding"),
    ("adatum", "AATP_PrintSpooler", 20, "Reviewed", "jonas.weber@adatum.example", "Printing runs on hosts outside the domain"),
    ("adatum", "AATP_PrintSpooler", 52, "Ignored", "jonas.weber@adatum.example", "Branch offices print through the controller"),
    ("adatum", "meeting_autoadmitusers_v1", 14, "Ignored", "lena.vogt@adatum.example", "Customer webinars start without a host"),
    ("litware", "PWAgePolicyNew", 5, "Ignored", "mei.tanaka@litware.example", "Insurer demands expiry, renewal in spring"),
    ("litware", "PWAgePolicyNew", 6, "Planned", "mei.tanaka@litware.example", "To be settled with the insurer"),
    ("litware", "spo_idle_session_timeout", 31, "ThirdParty", "mei.tanaka@litware.example", "The kiosk software ends sessions"),
    ("northwind", "aad_third_party_apps", 66, "Ignored", "olu.adeyemi@northwind.example", "Warehouse pilot registers its own scanner app"),
    ("northwind", "aad_third_party_apps", 58, "Default", "olu.adeyemi@northwind.example", "Pilot over"),
    ("northwind", "aad_third_party_apps", 60, "Ignored", "olu.adeyemi@northwind.example", "Warehouse pilot registers its own scanner app"),
    ("northwind", "RoleOverlap", 11, "Reviewed", "sara.holm@northwind.example", "Roles are granted for hours only, by request"),
];

/// The administrator of the tenants without a fixed name.
const COMMON_ADMIN: &str = "admin@tenant.example";

/// One of these is the only change of one in three tenants without a fixed name.
#[rustfmt::skip]
const COMMON_CHANGES: &[InitialChange] = &[
    ("", "aad_linkedin_connection_disables", 8, "Ignored", COMMON_ADMIN, "Recruiting uses it"),
    ("", "spo_idle_session_timeout", 19, "Ignored", COMMON_ADMIN, "Workshop screens stay signed in"),
    ("", "RoleOverlap", 3, "Ignored", COMMON_ADMIN, "One administrator for everything"),
    ("", "meeting_autoadmitusers_v1", 44, "Ignored", COMMON_ADMIN, "Customers join by link"),
    ("", "OneAdmin", 27, "ThirdParty", COMMON_ADMIN, "The partner holds the second account"),
];

/// The changes of a control of a tenant with a fixed name.
pub(crate) fn changes(tenant: &str, control: &str, newest: Timestamp) -> Vec<StateUpdate> {
    let changes = CHANGES.iter();
    let changes = changes.filter(|change| change.0 == tenant && change.1 == control);
    changes.map(|change| update(change, newest)).collect()
}

/// The changes of a control of a tenant without a fixed name.
pub(crate) fn common_changes(seed: u64, control: &str, newest: Timestamp) -> Vec<StateUpdate> {
    let chosen = draw(seed, "past", 0) as usize % (COMMON_CHANGES.len() * 3);
    let change = COMMON_CHANGES.get(chosen);
    let change = change.filter(|change| change.1 == control);
    change
        .map(|change| update(change, newest))
        .into_iter()
        .collect()
}

fn update((_, _, days, state, by, comment): &InitialChange, newest: Timestamp) -> StateUpdate {
    // An offset per change: real changes have no common time of day.
    let offset = Duration::from_nanos(days * 5_171_234_567_800);
    let age = Duration::from_secs(days * 86_400) + offset;
    StateUpdate {
        state: (*state).to_owned(),
        by: Some((*by).to_owned()),
        comment: Some((*comment).to_owned()),
        at: newest.saturating_sub(age).unwrap_or(newest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::tenant_profile::TENANT_PROFILES;

    #[test]
    fn every_change_names_a_known_control_and_tenant() {
        let catalogue = Catalogue::load();
        for (tenant, control, ..) in CHANGES.iter().chain(COMMON_CHANGES) {
            assert!(catalogue.position(control).is_some(), "{control}");
            let mut names = TENANT_PROFILES.iter().map(|profile| profile.name);
            assert!(
                tenant.is_empty() || names.any(|name| name == *tenant),
                "{tenant}"
            );
        }
    }

    #[test]
    fn about_a_third_of_the_tenants_without_a_fixed_name_has_a_change() {
        let newest = Timestamp::UNIX_EPOCH;
        let has_change = |seed: &u64| {
            let mut changes = COMMON_CHANGES.iter();
            changes.any(|change| !common_changes(*seed, change.1, newest).is_empty())
        };
        let count = (0..300).filter(has_change).count();
        assert!((50..150).contains(&count), "{count}");
    }

    #[test]
    fn the_newest_change_has_the_requested_age() {
        let newest = Timestamp::from_second(1_700_000_000).unwrap();
        let all = CHANGES
            .iter()
            .flat_map(|change| changes(change.0, change.1, newest));
        assert_eq!(all.map(|update| update.at).max(), Some(newest));
    }

    #[test]
    fn the_controls_of_the_scenario_are_unchanged() {
        for id in [
            "UserRiskPolicy",
            "SigninRiskPolicy",
            "AdminMFAV2",
            "MFARegistrationV2",
            "BlockLegacyAuthentication",
        ] {
            assert!(CHANGES.iter().all(|change| change.1 != id));
        }
    }
}
