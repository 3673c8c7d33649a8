//! One element of `secureScoreControlProfiles`.

use serde_json::{Value, json};

use crate::catalogue::CatalogueEntry;
use crate::completion::number;
use crate::history::{self, StateUpdate};

/// The page of Microsoft's portal with the actions of Secure Score.
const ACTION_URL: &str = "https://security.microsoft.com/securescore?viewid=actions";

/// Graph's JSON of a control.
pub(crate) fn render(
    entry: &CatalogueEntry,
    index: usize,
    entra_id: &str,
    updates: &[StateUpdate],
    integers: bool,
) -> Value {
    json!({
        "id": entry.id,
        "azureTenantId": entra_id,
        "actionType": "Config",
        "actionUrl": ACTION_URL,
        "complianceInformation": [],
        "controlCategory": entry.category,
        "controlStateUpdates": history::to_json(updates),
        "deprecated": entry.id == "PWAge",
        "implementationCost": entry.cost,
        "lastModifiedDateTime": null,
        "maxScore": number(u64::from(entry.points) * 10_000, integers),
        "rank": 1 + index % 128,
        "remediation": remediation(entry),
        "remediationImpact": "People may notice the change; tell them beforehand. Those who depend on the old setting may need another way to do their work.",
        "service": entry.service,
        "threats": threats(entry, index),
        "tier": entry.tier,
        "title": entry.title,
        "userImpact": entry.user_impact,
        "vendorInformation": vendor(),
    })
}

/// As long as Microsoft's are on average, so that a page of 200 controls has some 280 kB.
fn remediation(entry: &CatalogueEntry) -> String {
    format!(
        "<p>Begin with a group of people who know of the test, and include everybody once it works.</p>\
        <p>1. Sign in to the admin center of the service as an administrator with the least privileged role that may change this setting.<br />\
        2. Open the settings of the service, and there the page about security.<br />\
        3. {}.<br />\
        4. Save, and sign in as a person of the group to see whether it has the wanted effect; it may take some hours, and a day where the organization has several regions.</p>",
        entry.title
    )
}

/// The `vendorInformation` of both lists.
pub(crate) fn vendor() -> Value {
    json!({"provider": "SecureScore", "providerVersion": null, "subProvider": null, "vendor": "Microsoft"})
}

/// In two spellings, as in real catalogues.
fn threats(entry: &CatalogueEntry, index: usize) -> &'static [&'static str] {
    match (entry.category, index % 2) {
        ("Identity", 0) => &["Account Breach", "Password Cracking"],
        ("Identity", _) => &["Account breach", "Password cracking"],
        ("Data", _) => &["Data Exfiltration", "Data Spillage"],
        (_, 0) => &["Phishing/Whaling", "Spoofing"],
        _ => &["Malicious Insider"],
    }
}
