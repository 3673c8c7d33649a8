//! What messages offer and how they name times.

use super::rules::{Rule, alerts};
use super::text::without_queries;

/// The pages offer the same command (`decision_offer`).
#[test]
fn the_offered_command_names_who_approves_and_the_declared_state() {
    let end = "--reference TICKET --approver PERSON --expires YYYY-MM-DD";
    let offers: Vec<Rule> = alerts()
        .into_iter()
        .filter(|it| it.annotations.contains_key("approve"))
        .collect();
    assert!(offers.len() > 5, "only {} offers", offers.len());
    for alert in offers {
        let name = alert.name();
        let command = without_queries(&alert.annotations["approve"]);
        assert!(command.ends_with(end), "{name}: {command}");
        let is_claim = name.contains("Mitigation") || name.contains("Claim");
        let is_recommendation = name.contains("Recommendation");
        // Without an answer of the query all states that the alert is about.
        let states = match (is_claim, is_recommendation) {
            (true, _) => Some(" --states third_party,alternate_mitigation "),
            (false, true) => Some(" --states risk_accepted,dismissed,postponed "),
            (false, false) => None,
        };
        match states {
            Some(states) => assert!(command.contains(states), "{name}: {command}"),
            None => assert!(!command.contains("--states"), "{name}: {command}"),
        }
        let page = &alert.annotations["page_url"];
        assert!(page.contains("&control={{"), "{name}: {page}");
    }
}

/// A duration changes with each evaluation, and has seconds.
#[test]
fn texts_have_dates_instead_of_durations() {
    for alert in alerts() {
        for (key, text) in &alert.annotations {
            assert!(
                !text.contains("humanizeDuration"),
                "{}: {key}",
                alert.name()
            );
        }
    }
}
