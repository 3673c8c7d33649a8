//! What kind of organisation a tenant is.

use super::catalogue::Entry;
use super::dice::roll;

/// The traits that decide a tenant's catalogue, scores and numbers.
#[derive(Debug)]
pub(super) struct Character {
    pub(super) name: &'static str,
    pub(super) display_name: &'static str,
    /// Tokens of `enabledServices`.
    pub(super) licences: &'static [&'static str],
    /// Cloud apps connected for inspection, by service name.
    pub(super) apps: &'static [&'static str],
    pub(super) users: u64,
    pub(super) licensed_users: u64,
    pub(super) devices: u64,
    /// Of a hundred controls, how many are done.
    pub(super) maturity: u64,
    /// Of a hundred controls a licence covers, how many are scored.
    pub(super) breadth: u64,
    /// Of a hundred device and app controls, how many the catalogue lacks.
    pub(super) gaps: u64,
    /// Whether whole numbers come without a fraction.
    pub(super) bare_numbers: bool,
    /// Whether its industry is known, which adds a comparison.
    pub(super) industry: bool,
}

/// The tenants with names; further ones borrow these traits in turn.
pub(super) static CHARACTERS: [Character; 5] = [
    Character {
        name: "contoso",
        display_name: "Contoso Ltd",
        licences: &[
            "HasEOP",
            "HasEXOP2",
            "HasSPOP2",
            "HasAADP1",
            "HasAADP2",
            "HasMDOP2",
            "HasMDEP2",
            "HasAATP",
            "HasMCAS",
            "HasAIPP2",
            "HasM365E5",
        ],
        apps: &["MDA_SF", "MDA_SNOW", "MDA_GitHub", "MDA_Google"],
        users: 4213,
        licensed_users: 4180,
        devices: 3871,
        maturity: 58,
        breadth: 50,
        gaps: 0,
        bare_numbers: false,
        industry: true,
    },
    Character {
        name: "fabrikam",
        display_name: "Fabrikam Manufacturing",
        licences: &[
            "HasEOP", "HasEXOP2", "HasSPOP1", "HasAADP1", "HasMDOP1", "HasMDOP2", "HasAIPP1",
        ],
        apps: &[],
        users: 860,
        licensed_users: 0,
        devices: 740,
        maturity: 41,
        breadth: 74,
        gaps: 6,
        bare_numbers: true,
        industry: false,
    },
    Character {
        name: "adatum",
        display_name: "Adatum Corporation",
        licences: &[
            "HasEOP", "HasEXOP2", "HasSPOP2", "HasAADP1", "HasAADP2", "HasMDOP2", "HasAATP",
            "HasMCAS", "HasAIPP2",
        ],
        apps: &["MDA_Atlassian", "MDA_Zoom"],
        users: 1975,
        licensed_users: 1950,
        devices: 1800,
        maturity: 73,
        breadth: 66,
        gaps: 9,
        bare_numbers: false,
        industry: false,
    },
    Character {
        name: "litware",
        display_name: "Litware",
        licences: &[
            "HasEOP",
            "HasSPOP1",
            "HasAADFree",
            "HasMDOP1",
            "HasMDOP2",
            "HasOCAS",
            "HasCLB",
        ],
        apps: &[],
        users: 48,
        licensed_users: 0,
        devices: 52,
        maturity: 30,
        breadth: 72,
        gaps: 12,
        bare_numbers: true,
        industry: false,
    },
    Character {
        name: "northwind",
        display_name: "Northwind Traders",
        licences: &[
            "HasEOP", "HasEXOP2", "HasSPOP2", "HasAADP1", "HasAADP2", "HasMDOP2", "HasMDEP2",
            "HasMCAS", "HasAIPP1",
        ],
        apps: &["MDA_Okta", "MDA_GitHub", "MDA_Zendesk"],
        users: 312,
        licensed_users: 305,
        devices: 290,
        maturity: 64,
        breadth: 62,
        gaps: 3,
        bare_numbers: false,
        industry: true,
    },
];

impl Character {
    /// The traits of the tenant with this number, from 0.
    pub(super) fn of(number: usize) -> &'static Self {
        let [first, ..] = &CHARACTERS;
        CHARACTERS.get(number % CHARACTERS.len()).unwrap_or(first)
    }

    /// Whether the tenant's catalogue holds a control.
    pub(super) fn lists(&self, seed: u64, index: usize, entry: &Entry) -> bool {
        let optional = entry.service == "MDATP" || entry.service.starts_with("MDA_");
        !optional || roll(seed, "catalogue", index as u64) % 100 >= self.gaps
    }

    /// Whether a control brings points.
    pub(super) fn scores(&self, seed: u64, index: usize, entry: &Entry) -> bool {
        self.covers(entry)
            && (is_watched(entry.id) || roll(seed, "scored", index as u64) % 100 < self.breadth)
    }

    fn covers(&self, entry: &Entry) -> bool {
        match entry.service {
            "AzureAD" if is_risk_policy(entry.id) => self.holds("HasAADP2"),
            "EXO" => self.holds("HasEXOP2"),
            "MDO" => self.holds("HasMDOP2"),
            "MIP" => self.holds("HasAIPP1") || self.holds("HasAIPP2"),
            "MDATP" => self.holds("HasMDEP2"),
            "Azure ATP" => self.holds("HasAATP"),
            "MCAS" | "AppG" => self.holds("HasMCAS"),
            "Intune" => self.holds("HasM365E5"),
            app if app.starts_with("MDA_") => self.apps.contains(&app),
            _ => true,
        }
    }

    fn holds(&self, licence: &str) -> bool {
        self.licences.contains(&licence)
    }
}

/// The controls most dashboards and alerts look at first; no roll of the dice
/// takes them from a tenant that is licensed for them.
fn is_watched(id: &str) -> bool {
    matches!(
        id,
        "AdminMFAV2" | "MFARegistrationV2" | "BlockLegacyAuthentication" | "IntegratedApps"
    ) || is_risk_policy(id)
}

/// The two that need the dearest licence and are hardly ever complete.
pub(super) fn is_risk_policy(id: &str) -> bool {
    matches!(id, "UserRiskPolicy" | "SigninRiskPolicy")
}
