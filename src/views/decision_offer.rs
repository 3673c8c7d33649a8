//! The entry that would approve a row, ready for a file of decisions.

use super::context::ViewContext;
use crate::acceptances::Acceptance;
use crate::decision_file::NewDecision;
use crate::serde_time::Day;
use maud::{Markup, html};
use secure_score_model::{Approval, Place};
use std::time::Duration;

/// How long a proposed decision holds.
const VALIDITY: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Stands for what only people know.
const REFERENCE: &str = "TICKET";

/// The most entries offered for several rows; the register has one for each row.
const MAX_OFFERED: usize = 5;

/// The entry, in a closed disclosure, where no valid decision covers the row.
pub(super) fn decision_offer(it: &Acceptance<'_>, context: &ViewContext<'_>) -> Markup {
    decision_offers(&[it], context)
}

/// The same for several rows: an entry and a command for each that no valid decision
/// covers.
pub(super) fn decision_offers(rows: &[&Acceptance<'_>], context: &ViewContext<'_>) -> Markup {
    let offered = rows.iter().filter_map(|row| offered(row, context));
    let entries: Vec<NewDecision> = offered.collect();
    if entries.is_empty() {
        return html! {};
    }
    let is_one = entries.len() == 1;
    let shown = entries.get(..MAX_OFFERED).unwrap_or(&entries);
    let text: Vec<String> = shown.iter().map(NewDecision::entry).collect();
    html! {
        details {
            summary { @if is_one { "Decision for it" } @else { "Decisions for them" } }
            p.soft {
                @if is_one { "An entry" } @else { "Entries" }
                " of " code { "decisions" } " or of a file of " code { "decision_files" }
                "; set reference and approver:"
            }
            pre { code { (text.join("\n")) } }
            @for entry in shown { p.soft { "Or: " code { (command(entry)) } } }
            @if let Some(more) = entries.len().checked_sub(shown.len()).filter(|it| *it > 0) {
                p.soft { "… and " (more) " more in the register." }
            }
        }
    }
}

fn offered(it: &Acceptance<'_>, context: &ViewContext<'_>) -> Option<NewDecision> {
    let is_approved = matches!(it.approval(context.now), Approval::Approved(_));
    let entry = proposed(it, context).filter(NewDecision::has_valid_subject);
    entry.filter(|_| !is_approved)
}

fn proposed(it: &Acceptance<'_>, context: &ViewContext<'_>) -> Option<NewDecision> {
    let is_recommendation = it.place() == Place::Entra;
    let subject = match it.recommendation.filter(|_| is_recommendation) {
        Some(name) => name,
        None => it.control,
    };
    Some(NewDecision {
        tenant: it.tenant.identity.alias.to_string(),
        subject: subject.to_owned(),
        is_recommendation,
        states: vec![it.decision_state()?],
        reference: REFERENCE.to_owned(),
        keys: vec![("approver", "PERSON".to_owned())],
        expires: Day::beginning(context.now.plus(VALIDITY)).to_string(),
    })
}

/// The command that writes the same.
fn command(new: &NewDecision) -> String {
    let states = new.states.iter().map(|it| it.as_str());
    let states = states.collect::<Vec<_>>().join(",");
    let place = if new.is_recommendation {
        " --recommendation"
    } else {
        ""
    };
    format!(
        "secure-score-exporter approve {} {}{place} --states {states} --reference {} --approver PERSON --expires {}",
        new.tenant, new.subject, new.reference, new.expires
    )
}
