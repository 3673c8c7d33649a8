//! What happens in the thirty days.

use crate::{DAY, END, HOUR, START};
use secure_score_model::ControlState::{
    self, AlternateMitigation, Planned, RiskAccepted, ThirdParty, ToAddress, Unknown,
};
use secure_score_model::{Api, Reason, RecommendationStatus};

/// An organisation.
pub(crate) struct Organisation {
    pub(crate) name: &'static str,
    pub(crate) display_name: &'static str,
    pub(crate) entra_id: &'static str,
    pub(crate) cloud: &'static str,
    /// Of a hundred controls, how many it is scored on.
    pub(crate) breadth: u64,
    /// Of a hundred of those, how many are done.
    pub(crate) maturity: u64,
    /// The ratio it aims for.
    pub(crate) target: Option<f64>,
    pub(crate) users: u64,
    /// Days until its credential ends, where that is written down.
    pub(crate) credential_days: Option<i64>,
    /// Whether the exporter may read Entra's recommendations.
    pub(crate) grants_entra: bool,
}

#[rustfmt::skip]
pub(crate) static ORGANISATIONS: [Organisation; 5] = [
    Organisation { name: "contoso", display_name: "Contoso Ltd", entra_id: "6a1b8c5e-0d52-4d7c-9f43-1d2f6b8a0c01", cloud: "global", breadth: 26, maturity: 66, target: Some(0.8), users: 4213, credential_days: Some(11), grants_entra: true },
    Organisation { name: "fabrikam", display_name: "Fabrikam Manufacturing", entra_id: "6a1b8c5e-0d52-4d7c-9f43-1d2f6b8a0c02", cloud: "global", breadth: 18, maturity: 40, target: Some(0.8), users: 860, credential_days: Some(163), grants_entra: true },
    Organisation { name: "adatum", display_name: "Adatum Corporation", entra_id: "6a1b8c5e-0d52-4d7c-9f43-1d2f6b8a0c03", cloud: "global", breadth: 20, maturity: 78, target: Some(0.75), users: 1975, credential_days: None, grants_entra: true },
    Organisation { name: "litware", display_name: "Litware", entra_id: "6a1b8c5e-0d52-4d7c-9f43-1d2f6b8a0c04", cloud: "global", breadth: 12, maturity: 30, target: Some(0.5), users: 48, credential_days: Some(88), grants_entra: false },
    Organisation { name: "northwind", display_name: "Northwind Traders", entra_id: "6a1b8c5e-0d52-4d7c-9f43-1d2f6b8a0c05", cloud: "gcc-high", breadth: 16, maturity: 62, target: Some(0.8), users: 312, credential_days: Some(340), grants_entra: true },
];

/// The watch list: what an attacker tries first. Every tenant is scored on them.
pub(crate) const WATCHED: [&str; 5] = [
    "AdminMFAV2",
    "BlockLegacyAuthentication",
    "MFARegistrationV2",
    "SigninRiskPolicy",
    "UserRiskPolicy",
];

/// An administrator sets a state.
pub(crate) struct Change {
    pub(crate) tenant: &'static str,
    pub(crate) control: &'static str,
    /// Hours before the end.
    pub(crate) hours: i64,
    pub(crate) state: ControlState,
    pub(crate) by: &'static str,
    pub(crate) comment: &'static str,
}

impl Change {
    /// The time, at an irregular minute.
    pub(crate) const fn at(&self) -> i64 {
        END - self.hours * HOUR - 17 * 60
    }
}

const fn change(
    tenant: &'static str,
    control: &'static str,
    hours: i64,
    state: ControlState,
    by: &'static str,
    comment: &'static str,
) -> Change {
    Change {
        tenant,
        control,
        hours,
        state,
        by,
        comment,
    }
}

#[rustfmt::skip]
pub(crate) static CHANGES: &[Change] = &[
    change("contoso", "IntegratedApps", 40 * 24 + 3, Planned, "alex.wilber@contoso.example", "Planned for the autumn change window"),
    change("contoso", "IntegratedApps", 9 * 24 + 7, RiskAccepted, "alex.wilber@contoso.example", "Sales needs user consent until the CRM is approved, SEC-1234"),
    change("contoso", "aad_admin_consent_workflow", 24 * 24 + 5, RiskAccepted, "diego.siciliani@contoso.example", "No reviewers named yet"),
    change("contoso", "aad_admin_consent_workflow", 20 * 24 + 1, ToAddress, "alex.wilber@contoso.example", "Reviewers named, acceptance withdrawn"),
    change("contoso", "AATP_HoneyToken", 33 * 24, ThirdParty, "alex.wilber@contoso.example", "Decoys are run by the outside SOC"),
    change("contoso", "BlockLegacyAuthentication", 17, RiskAccepted, "diego.siciliani@contoso.example", "Scanners on floor 3 cannot sign in"),
    change("fabrikam", "SelfServicePasswordReset", 75 * 24, AlternateMitigation, "priya.raman@fabrikam.example", "The help desk checks identity in person"),
    change("fabrikam", "SelfServicePasswordReset", 5 * 24 + 6, RiskAccepted, "priya.raman@fabrikam.example", "Shop floor staff have no second contact"),
    change("fabrikam", "mdo_autoforwardingmode", 27 * 24 + 2, RiskAccepted, "tomas.lind@fabrikam.example", "Supplier still needs forwarding"),
    change("fabrikam", "mdo_autoforwardingmode", 18 * 24 + 9, ToAddress, "tomas.lind@fabrikam.example", "Supplier moved to a shared mailbox"),
    change("fabrikam", "AdminMFAV2", 3 * 24 + 8, RiskAccepted, "tomas.lind@fabrikam.example", "Plant account cannot use a phone"),
    change("adatum", "AATP_PrintSpooler", 52 * 24, RiskAccepted, "jonas.weber@adatum.example", "Branch offices print through the controller"),
    change("adatum", "AATP_PrintSpooler", 20 * 24 + 4, AlternateMitigation, "jonas.weber@adatum.example", "Printing runs on hosts outside the domain"),
    change("adatum", "meeting_autoadmitusers_v1", 14 * 24 + 6, RiskAccepted, "lena.vogt@adatum.example", "Customer webinars start without a host"),
    change("litware", "PWAgePolicyNew", 16 * 24, Planned, "mei.tanaka@litware.example", "To be settled with the insurer"),
    change("litware", "PWAgePolicyNew", 11 * 24 + 3, RiskAccepted, "mei.tanaka@litware.example", "Insurer demands expiry, renewal in spring"),
    change("litware", "spo_idle_session_timeout", 31 * 24, ThirdParty, "mei.tanaka@litware.example", "The kiosk software ends sessions"),
    change("litware", "MFARegistrationV2", 2 * 24 + 5, RiskAccepted, "mei.tanaka@litware.example", "Trainees without phones"),
    change("litware", "MFARegistrationV2", 2 * 24 - 3, ToAddress, "mei.tanaka@litware.example", "Keys ordered for trainees"),
    change("litware", "MFARegistrationV2", 30, Unknown, "mei.tanaka@litware.example", ""),
    change("northwind", "aad_third_party_apps", 26 * 24 + 8, RiskAccepted, "olu.adeyemi@northwind.example", "Warehouse pilot registers its own scanner app"),
    change("northwind", "aad_third_party_apps", 22 * 24 + 2, ToAddress, "olu.adeyemi@northwind.example", "Pilot over"),
    change("northwind", "aad_third_party_apps", 6 * 24 + 5, RiskAccepted, "olu.adeyemi@northwind.example", "Second pilot"),
    change("northwind", "RoleOverlap", 11 * 24, AlternateMitigation, "sara.holm@northwind.example", "Roles are granted for hours only, by request"),
    change("northwind", "OneAdmin", 44 * 24, RiskAccepted, "sara.holm@northwind.example", "Second administrator starts in spring"),
];

/// An administrator sets the status of a recommendation of Entra.
pub(crate) struct StatusSetting {
    pub(crate) tenant: &'static str,
    pub(crate) recommendation: &'static str,
    /// Hours before the end.
    pub(crate) hours: i64,
    pub(crate) status: RecommendationStatus,
    pub(crate) by: &'static str,
    /// Days from the end until which it is postponed.
    pub(crate) postponed_days: Option<i64>,
}

impl StatusSetting {
    /// The time, at an irregular minute.
    pub(crate) const fn at(&self) -> i64 {
        END - self.hours * HOUR - 23 * 60
    }
}

const fn set(
    tenant: &'static str,
    recommendation: &'static str,
    hours: i64,
    status: RecommendationStatus,
    by: &'static str,
) -> StatusSetting {
    StatusSetting {
        tenant,
        recommendation,
        hours,
        status,
        by,
        postponed_days: None,
    }
}

const fn postpone(
    tenant: &'static str,
    recommendation: &'static str,
    hours: i64,
    days: i64,
    by: &'static str,
) -> StatusSetting {
    StatusSetting {
        postponed_days: Some(days),
        ..set(
            tenant,
            recommendation,
            hours,
            RecommendationStatus::Postponed,
            by,
        )
    }
}

#[rustfmt::skip]
pub(crate) static STATUS_CHANGES: &[StatusSetting] = &[
    // Open in Secure Score: the two places disagree.
    set("contoso", "userRiskPolicy", 5 * 24 + 2, RecommendationStatus::RiskAccepted, "Diego Siciliani"),
    set("contoso", "staleApps", 12 * 24 + 6, RecommendationStatus::Dismissed, "Alex Wilber"),
    set("contoso", "integratedApps", 9 * 24 + 6, RecommendationStatus::RiskAccepted, "Alex Wilber"),
    // Accepted in Secure Score, open in Entra.
    set("contoso", "blockLegacyAuthentication", 28 * 24, RecommendationStatus::Active, "Alex Wilber"),
    set("fabrikam", "adminMFAV2", 3 * 24 + 7, RecommendationStatus::Dismissed, "Tomas Lind"),
    set("fabrikam", "selfServicePasswordReset", 26 * 24, RecommendationStatus::ThirdParty, "Priya Raman"),
    postpone("fabrikam", "applicationCredentialExpiry", 20 * 24 + 3, 4, "Tomas Lind"),
    set("adatum", "staleApps", 25 * 24 + 1, RecommendationStatus::Dismissed, "Jonas Weber"),
    set("adatum", "staleApps", 6 * 24 + 4, RecommendationStatus::Active, "Lena Vogt"),
    set("adatum", "staleApps", 2 * 24 + 2, RecommendationStatus::RiskAccepted, "Jonas Weber"),
    set("adatum", "oneAdmin", 17 * 24, RecommendationStatus::Planned, "Lena Vogt"),
    set("adatum", "tenantMFA", 14 * 24 + 9, RecommendationStatus::CompletedByUser, "Lena Vogt"),
    set("adatum", "signinRiskPolicy", 30, RecommendationStatus::Unknown, "Jonas Weber"),
    set("northwind", "mdiUnmonitoredADCS", 21 * 24 + 5, RecommendationStatus::AlternateMitigation, "Sara Holm"),
    set("northwind", "oneAdmin", 18 * 24 + 2, RecommendationStatus::RiskAccepted, "Sara Holm"),
    postpone("northwind", "roleOverlap", 7 * 24 + 5, 23, "Olu Adeyemi"),
];

/// Approved recommendations: tenant, recommendation, decision, days from the end to
/// its last day.
pub(crate) static RECOMMENDATION_APPROVALS: &[(&str, &str, &str, i64)] = &[
    ("contoso", "integratedApps", "SEC-1234", 129),
    ("adatum", "staleApps", "RISK-91", -1),
    ("northwind", "oneAdmin", "SEC-1188", 24),
    ("fabrikam", "selfServicePasswordReset", "SEC-1303", 60),
];

/// Single resources that are dismissed: tenant, recommendation, days before the
/// end, number.
pub(crate) static DISMISSED_RESOURCES: &[(&str, &str, i64, u64)] = &[
    ("contoso", "adminMFAV2", 4, 1),
    ("fabrikam", "mfaRegistrationV2", 9, 3),
];

/// Approved acceptances: tenant, control, decision, days from the
/// end to its last day.
pub(crate) static APPROVALS: &[(&str, &str, &str, i64)] = &[
    ("contoso", "IntegratedApps", "SEC-1234", 129),
    ("fabrikam", "SelfServicePasswordReset", "SEC-1301", 9),
    ("adatum", "meeting_autoadmitusers_v1", "RISK-77", 61),
    ("adatum", "AdminMFAV2", "RISK-80", 200),
    ("litware", "PWAgePolicyNew", "INS-2026-4", -2),
    ("northwind", "OneAdmin", "SEC-1188", 24),
    // A claim.
    ("contoso", "AATP_HoneyToken", "SEC-1290", 100),
];

/// From a day on a control has another share of its points: tenant, control,
/// days before the end, share.
pub(crate) static TURNS: &[(&str, &str, i64, f64)] = &[
    ("adatum", "BlockLegacyAuthentication", 40, 1.0),
    ("adatum", "BlockLegacyAuthentication", 6, 0.35),
    ("adatum", "SigninRiskPolicy", 40, 1.0),
    ("adatum", "SigninRiskPolicy", 6, 0.0),
    ("contoso", "AdminMFAV2", 40, 1.0),
    ("contoso", "AdminMFAV2", 12, 0.75),
    ("contoso", "AdminMFAV2", 8, 1.0),
    ("contoso", "BlockLegacyAuthentication", 40, 1.0),
    // Its risk was accepted shortly before the newest report.
    ("contoso", "BlockLegacyAuthentication", 1, 0.0),
    ("contoso", "MFARegistrationV2", 40, 1.0),
    ("contoso", "MFARegistrationV2", 5, 0.7),
    ("contoso", "SigninRiskPolicy", 40, 0.9),
    ("contoso", "SigninRiskPolicy", 10, 0.8),
    ("fabrikam", "AdminMFAV2", 40, 0.9),
    ("fabrikam", "UserRiskPolicy", 40, 0.0),
    ("litware", "MFARegistrationV2", 40, 0.3),
    ("litware", "MFARegistrationV2", 13, 0.85),
    ("litware", "AdminMFAV2", 40, 0.5),
    ("litware", "AdminMFAV2", 4, 1.0),
    ("northwind", "UserRiskPolicy", 40, 1.0),
    ("northwind", "UserRiskPolicy", 3, 0.4),
    ("northwind", "MFARegistrationV2", 40, 0.8),
];

/// Microsoft scores a control from a day on: control, days before the end.
pub(crate) static ADDED: &[(&str, i64)] = &[
    ("aad_phishing_MFA_strength", 11),
    ("aad_stale_guest_accounts", 19),
    ("aad_guest_invite_restricted", 19),
    ("aad_device_join_mfa", 19),
];

/// Microsoft scores a control until a day.
pub(crate) static WITHDRAWN: &[(&str, i64)] = &[("aad_password_protection", 15)];

/// Why the refresh of a list fails at a moment, if it does.
pub(crate) fn failure(tenant: &str, api: Api, now: i64) -> Option<Reason> {
    let before_end = END - now;
    let within = |from_hours: i64, to_hours: i64| {
        before_end <= from_hours * HOUR && before_end > to_hours * HOUR
    };
    match (tenant, api) {
        // Consent was revoked, and given again two days later.
        ("fabrikam", _) if within(15 * 24, 13 * 24) => Some(Reason::Permission),
        ("litware", Api::Profiles) if within(4 * 24 + 6, 4 * 24) => Some(Reason::Throttled),
        ("contoso", _) if within(21 * 24 + 2, 21 * 24) => Some(Reason::Server),
        ("northwind", Api::Scores) if before_end < 6 * HOUR => Some(Reason::Timeout),
        // The second permission was withdrawn.
        ("northwind", Api::Recommendations | Api::IdentityScores) if before_end < 3 * HOUR => {
            Some(Reason::Permission)
        }
        _ => None,
    }
}

/// Why the refresh of the partner's list fails at a moment, if it does.
pub(crate) fn partner_failure(now: i64) -> Option<Reason> {
    match (END - now) / HOUR {
        // Its permission was missing for a day.
        264..288 => Some(Reason::Permission),
        12..18 => Some(Reason::Server),
        _ => None,
    }
}

/// Whether the exporter does not run: four hours for a new machine.
pub(crate) const fn is_down(now: i64) -> bool {
    let down = START + 20 * DAY + 9 * HOUR;
    now >= down && now < down + 4 * HOUR
}
