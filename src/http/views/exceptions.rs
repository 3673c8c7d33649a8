//! What is odd about the approved exceptions.

use super::layout::shortened;
use crate::acceptances::{ExceptionFinding, audit_exceptions};
use crate::store::Tenants;
use maud::{Markup, html};
use secure_score_model::Timestamp;

/// Lines of the list; whoever has more runs `check`.
const SHOWN: usize = 50;

/// The findings as a section of its own, or nothing where there are none.
pub(super) fn exceptions(tenants: &Tenants, now: Timestamp) -> Markup {
    let snapshots = tenants.states.iter().map(|state| {
        let alias = &*state.identity.alias;
        (alias, &*state.snapshot)
    });
    let findings = audit_exceptions(snapshots, true, now);
    if findings.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="exceptions" {
            h2 #exceptions { "Approved exceptions" }
            ul { @for finding in findings.iter().take(SHOWN) { (line(finding)) } }
            @if let Some(more) = findings.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                p { "… and " (more) " more; " code { "secure-score-exporter check" } " tells them all." }
            }
        }
    }
}

fn line(finding: &ExceptionFinding) -> Markup {
    html! {
        li {
            (shortened(&finding.to_string()))
            @if let Some(tenant) = &finding.tenant { " on " (tenant) }
            ". " span.soft { "Hint: " (finding.issue.remedy()) "." }
        }
    }
}
