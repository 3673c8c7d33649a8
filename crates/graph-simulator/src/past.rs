//! What happened in the named tenants before the simulator started.

use std::time::Duration;

use jiff::Timestamp;

use super::dice::roll;
use super::history::Update;

/// One change: days before the newest one, state, who, why.
type Past = (u64, &'static str, &'static str, &'static str);

/// The changes of one control of one tenant.
struct Story {
    tenant: &'static str,
    control: &'static str,
    changes: &'static [Past],
}

/// Out of order and with repeated states on purpose: Graph promises no order,
/// and tools that write a state again leave a second entry of it.
///
/// None touches the two risk policies, the two second-factor controls and the
/// legacy sign-in block, so that a first acceptance of those is news.
static STORIES: &[Story] = &[
    Story {
        tenant: "contoso",
        control: "IntegratedApps",
        changes: &[
            (
                9,
                "Ignored",
                "alex.wilber@contoso.example",
                "Sales needs user consent until the CRM is approved, SEC-1234",
            ),
            (
                40,
                "Planned",
                "alex.wilber@contoso.example",
                "Planned for the autumn change window",
            ),
            (
                2,
                "Ignored",
                "svc-compliance@contoso.example",
                "Sales needs user consent until the CRM is approved, SEC-1234",
            ),
        ],
    },
    Story {
        tenant: "contoso",
        control: "aad_admin_consent_workflow",
        changes: &[
            (
                61,
                "Ignored",
                "diego.siciliani@contoso.example",
                "No reviewers named yet",
            ),
            (
                54,
                "Default",
                "alex.wilber@contoso.example",
                "Reviewers named, acceptance withdrawn",
            ),
        ],
    },
    Story {
        tenant: "contoso",
        control: "AATP_HoneyToken",
        changes: &[(
            33,
            "ThirdParty",
            "alex.wilber@contoso.example",
            "Decoys are run by the outside SOC",
        )],
    },
    Story {
        tenant: "fabrikam",
        control: "SelfServicePasswordReset",
        changes: &[
            (
                0,
                "Ignored",
                "priya.raman@fabrikam.example",
                "Shop floor staff have no second contact",
            ),
            (
                75,
                "Reviewed",
                "priya.raman@fabrikam.example",
                "The help desk checks identity in person",
            ),
        ],
    },
    Story {
        tenant: "fabrikam",
        control: "mdo_autoforwardingmode",
        changes: &[
            (
                28,
                "Default",
                "tomas.lind@fabrikam.example",
                "Supplier moved to a shared mailbox",
            ),
            (
                47,
                "Ignored",
                "tomas.lind@fabrikam.example",
                "Supplier still needs forwarding",
            ),
            (
                45,
                "Ignored",
                "tomas.lind@fabrikam.example",
                "Supplier still needs forwarding",
            ),
        ],
    },
    Story {
        tenant: "adatum",
        control: "AATP_PrintSpooler",
        changes: &[
            (
                20,
                "Reviewed",
                "jonas.weber@adatum.example",
                "Printing runs on hosts outside the domain",
            ),
            (
                52,
                "Ignored",
                "jonas.weber@adatum.example",
                "Branch offices print through the controller",
            ),
        ],
    },
    Story {
        tenant: "adatum",
        control: "meeting_autoadmitusers_v1",
        changes: &[(
            14,
            "Ignored",
            "lena.vogt@adatum.example",
            "Customer webinars start without a host",
        )],
    },
    Story {
        tenant: "litware",
        control: "PWAgePolicyNew",
        changes: &[
            (
                5,
                "Ignored",
                "mei.tanaka@litware.example",
                "Insurer demands expiry, renewal in spring",
            ),
            (
                6,
                "Planned",
                "mei.tanaka@litware.example",
                "To be settled with the insurer",
            ),
        ],
    },
    Story {
        tenant: "litware",
        control: "spo_idle_session_timeout",
        changes: &[(
            31,
            "ThirdParty",
            "mei.tanaka@litware.example",
            "The kiosk software ends sessions",
        )],
    },
    Story {
        tenant: "northwind",
        control: "aad_third_party_apps",
        changes: &[
            (
                66,
                "Ignored",
                "olu.adeyemi@northwind.example",
                "Warehouse pilot registers its own scanner app",
            ),
            (58, "Default", "olu.adeyemi@northwind.example", "Pilot over"),
            (
                60,
                "Ignored",
                "olu.adeyemi@northwind.example",
                "Warehouse pilot registers its own scanner app",
            ),
        ],
    },
    Story {
        tenant: "northwind",
        control: "RoleOverlap",
        changes: &[(
            11,
            "Reviewed",
            "sara.holm@northwind.example",
            "Roles are granted for hours only, by request",
        )],
    },
];

/// What tenants without a name have accepted, where they have accepted anything.
static COMMON: &[(&str, Past)] = &[
    (
        "aad_linkedin_connection_disables",
        (8, "Ignored", "admin@tenant.example", "Recruiting uses it"),
    ),
    (
        "spo_idle_session_timeout",
        (
            19,
            "Ignored",
            "admin@tenant.example",
            "Workshop screens stay signed in",
        ),
    ),
    (
        "RoleOverlap",
        (
            3,
            "Ignored",
            "admin@tenant.example",
            "One administrator for everything",
        ),
    ),
    (
        "meeting_autoadmitusers_v1",
        (
            44,
            "Ignored",
            "admin@tenant.example",
            "Customers join by link",
        ),
    ),
    (
        "OneAdmin",
        (
            27,
            "ThirdParty",
            "admin@tenant.example",
            "The partner holds the second account",
        ),
    ),
];

/// The changes made to a control of a tenant, if there are any.
pub(super) fn changes(tenant: &str, control: &str, newest: Timestamp) -> Vec<Update> {
    let mut stories = STORIES.iter();
    let story = stories.find(|story| story.tenant == tenant && story.control == control);
    let changes = story.map_or(&[] as &[Past], |story| story.changes);
    changes.iter().map(|past| update(past, newest)).collect()
}

/// The same for a tenant without a name: in one of three, one common control.
pub(super) fn common_changes(seed: u64, control: &str, newest: Timestamp) -> Vec<Update> {
    let chosen = roll(seed, "past", 0) as usize % (COMMON.len() * 3);
    let past = COMMON.get(chosen).filter(|(id, _)| *id == control);
    past.map(|(_, past)| update(past, newest))
        .into_iter()
        .collect()
}

fn update((days, state, by, comment): &Past, newest: Timestamp) -> Update {
    // Nobody works at the same second every day.
    let odd = Duration::from_nanos(days * 5_171_234_567_800);
    let age = Duration::from_secs(days * 86_400) + odd;
    Update {
        state: (*state).to_owned(),
        by: Some((*by).to_owned()),
        comment: Some((*comment).to_owned()),
        at: newest.saturating_sub(age).unwrap_or(newest),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{catalogue, character::CHARACTERS};
    use super::*;

    #[test]
    fn every_ready_made_change_is_of_a_known_control_and_tenant() {
        for story in STORIES {
            assert!(
                catalogue::position(story.control).is_some(),
                "{}",
                story.control
            );
            assert!(
                CHARACTERS.iter().any(|c| c.name == story.tenant),
                "{}",
                story.tenant
            );
        }
    }

    #[test]
    fn some_tenants_without_a_name_have_accepted_something_and_most_have_not() {
        let newest = Timestamp::UNIX_EPOCH;
        let touched = |seed| {
            COMMON
                .iter()
                .any(|(id, _)| !common_changes(seed, id, newest).is_empty())
        };
        let count = (0..300).filter(|seed| touched(*seed)).count();
        assert!((50..150).contains(&count), "{count}");
        assert!(
            COMMON
                .iter()
                .all(|(id, _)| catalogue::position(id).is_some())
        );
    }

    #[test]
    fn the_newest_change_of_all_is_as_old_as_was_asked() {
        let newest = Timestamp::from_second(1_700_000_000).unwrap();
        let all = STORIES
            .iter()
            .flat_map(|s| changes(s.tenant, s.control, newest));
        assert_eq!(all.map(|u| u.at).max(), Some(newest));
    }

    #[test]
    fn the_controls_of_the_demonstration_are_untouched() {
        for id in [
            "UserRiskPolicy",
            "SigninRiskPolicy",
            "AdminMFAV2",
            "MFARegistrationV2",
            "BlockLegacyAuthentication",
        ] {
            assert!(STORIES.iter().all(|story| story.control != id));
        }
    }
}
