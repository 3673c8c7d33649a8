//! The organisations behind the generated tenants.

use crate::catalogue::CatalogueEntry;
use crate::rng::draw;

/// The properties that decide a tenant's catalogue and scores.
#[derive(Debug)]
pub(crate) struct TenantProfile {
    pub(crate) name: &'static str,
    pub(crate) display_name: &'static str,
    /// The values of `enabledServices`.
    pub(crate) licences: &'static [&'static str],
    /// Connected cloud apps, by service name.
    pub(crate) apps: &'static [&'static str],
    pub(crate) users: u64,
    pub(crate) licensed_users: u64,
    pub(crate) devices: u64,
    /// The percentage of controls that are complete.
    pub(crate) maturity: u64,
    /// The percentage of licensed controls that are scored.
    pub(crate) scored: u64,
    /// The percentage of device and app controls missing from the catalogue.
    pub(crate) missing: u64,
    /// Whether whole numbers are written without a fraction.
    pub(crate) integers: bool,
    /// Whether the industry is known, which adds a comparison.
    pub(crate) has_industry: bool,
}

/// The tenants with fixed names. Further tenants reuse these in turn.
#[rustfmt::skip]
pub(crate) const TENANT_PROFILES: &[TenantProfile] = &[
    TenantProfile {
        name: "contoso", display_name: "Contoso Ltd",
        licences: &[
            "HasEOP", "HasEXOP2", "HasSPOP2", "HasAADP1", "HasAADP2", "HasMDOP2", "HasMDEP2",
            "HasAATP", "HasMCAS", "HasAIPP2", "HasM365E5",
        ],
        apps: &["MDA_SF", "MDA_SNOW", "MDA_GitHub", "MDA_Google"],
        users: 4213, licensed_users: 4180, devices: 3871,
        maturity: 58, scored: 50, missing: 0, integers: false, has_industry: true,
    },
    TenantProfile {
        name: "fabrikam", display_name: "Fabrikam Manufacturing",
        licences: &[
            "HasEOP", "HasEXOP2", "HasSPOP1", "HasAADP1", "HasMDOP1", "HasMDOP2", "HasAIPP1",
        ],
        apps: &[],
        users: 860, licensed_users: 0, devices: 740,
        maturity: 41, scored: 74, missing: 6, integers: true, has_industry: false,
    },
    TenantProfile {
        name: "adatum", display_name: "Adatum Corporation",
        licences: &[
            "HasEOP", "HasEXOP2", "HasSPOP2", "HasAADP1", "HasAADP2", "HasMDOP2", "HasAATP",
            "HasMCAS", "HasAIPP2",
        ],
        apps: &["MDA_Atlassian", "MDA_Zoom"],
        users: 1975, licensed_users: 1950, devices: 1800,
        maturity: 73, scored: 66, missing: 9, integers: false, has_industry: false,
    },
    TenantProfile {
        name: "litware", display_name: "Litware",
        licences: &[
            "HasEOP", "HasSPOP1", "HasAADFree", "HasMDOP1", "HasMDOP2", "HasOCAS", "HasCLB",
        ],
        apps: &[],
        users: 48, licensed_users: 0, devices: 52,
        maturity: 30, scored: 72, missing: 12, integers: true, has_industry: false,
    },
    TenantProfile {
        name: "northwind", display_name: "Northwind Traders",
        licences: &[
            "HasEOP", "HasEXOP2", "HasSPOP2", "HasAADP1", "HasAADP2", "HasMDOP2", "HasMDEP2",
            "HasMCAS", "HasAIPP1",
        ],
        apps: &["MDA_Okta", "MDA_GitHub", "MDA_Zendesk"],
        users: 312, licensed_users: 305, devices: 290,
        maturity: 64, scored: 62, missing: 3, integers: false, has_industry: true,
    },
];

/// The name of the tenant with a number, from 0.
pub(crate) fn tenant_name(number: usize) -> String {
    match TENANT_PROFILES.get(number) {
        Some(profile) => profile.name.to_owned(),
        None => format!("tenant-{:04}", number + 1),
    }
}

impl TenantProfile {
    /// Whether the tenant's catalogue contains a control.
    pub(crate) fn lists(&self, seed: u64, index: usize, entry: &CatalogueEntry) -> bool {
        let is_optional = entry.service == "MDATP" || entry.service.starts_with("MDA_");
        !is_optional || draw(seed, "catalogue", index as u64) % 100 >= self.missing
    }

    /// Whether the tenant's reports contain a control.
    pub(crate) fn scores(&self, seed: u64, index: usize, entry: &CatalogueEntry) -> bool {
        self.is_licensed_for(entry)
            && (is_always_scored(entry.id)
                || draw(seed, "scored", index as u64) % 100 < self.scored)
    }

    fn is_licensed_for(&self, entry: &CatalogueEntry) -> bool {
        let has = |licence| self.licences.contains(&licence);
        match entry.service {
            "AzureAD" if is_risk_policy(entry.id) => has("HasAADP2"),
            "EXO" => has("HasEXOP2"),
            "MDO" => has("HasMDOP2"),
            "MIP" => has("HasAIPP1") || has("HasAIPP2"),
            "MDATP" => has("HasMDEP2"),
            "Azure ATP" => has("HasAATP"),
            "MCAS" | "AppG" => has("HasMCAS"),
            "Intune" => has("HasM365E5"),
            app if app.starts_with("MDA_") => self.apps.contains(&app),
            _ => true,
        }
    }
}

/// The controls that dashboards and alerts usually watch: every tenant that is
/// licensed for them has them scored.
fn is_always_scored(id: &str) -> bool {
    matches!(
        id,
        "AdminMFAV2" | "MFARegistrationV2" | "BlockLegacyAuthentication" | "IntegratedApps"
    ) || is_risk_policy(id)
}

/// The two controls that need the most expensive licence and are rarely complete.
pub(crate) fn is_risk_policy(id: &str) -> bool {
    matches!(id, "UserRiskPolicy" | "SigninRiskPolicy")
}
