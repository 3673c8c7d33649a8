//! One element of `secureScoreControlProfiles`.

use serde_json::{Value, json};

use super::catalogue::Entry;
use super::history::{self, Update};
use super::measure::number;

/// Renders a control as Graph writes it.
pub(super) fn render(
    entry: &Entry,
    index: usize,
    entra_id: &str,
    changes: &[Update],
    bare_numbers: bool,
) -> Value {
    json!({
        "id": entry.id,
        "azureTenantId": entra_id,
        "actionType": "Config",
        "actionUrl": format!("https://learn.example/secure-score/{}", entry.id),
        "complianceInformation": [],
        "controlCategory": entry.category,
        "controlStateUpdates": history::to_json(changes),
        "deprecated": entry.id == "PWAge",
        "implementationCost": entry.cost,
        "lastModifiedDateTime": null,
        "maxScore": number(u64::from(entry.points) * 10_000, bare_numbers),
        "rank": 1 + index % 128,
        "remediation": format!("<p>1. Open the settings of the service.<br />2. {}.<br />3. Save.</p>", entry.title),
        "remediationImpact": "People may notice the change; tell them beforehand.",
        "service": entry.service,
        "threats": threats(entry, index),
        "tier": entry.tier,
        "title": entry.title,
        "userImpact": entry.user_impact,
        "vendorInformation": vendor(),
    })
}

/// Who computed it, the same in both lists.
pub(super) fn vendor() -> Value {
    json!({"provider": "SecureScore", "providerVersion": null, "subProvider": null, "vendor": "Microsoft"})
}

/// In two spellings, as real catalogues have them.
fn threats(entry: &Entry, index: usize) -> Vec<&'static str> {
    match (entry.category, index % 2) {
        ("Identity", 0) => vec!["Account Breach", "Password Cracking"],
        ("Identity", _) => vec!["Account breach", "Password cracking"],
        ("Data", _) => vec!["Data Exfiltration", "Data Spillage"],
        (_, 0) => vec!["Phishing/Whaling", "Spoofing"],
        _ => vec!["Malicious Insider"],
    }
}
