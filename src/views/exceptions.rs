//! Problems of the approved exceptions.

use super::context::ViewContext;
use super::layout::shortened;
use crate::acceptances::{ExceptionFinding, audit_exceptions};
use maud::{Markup, html};

/// The most problems listed; `check` lists all.
const MAX_SHOWN: usize = 50;

/// The problems as a section of its own, or nothing where there are none.
pub(super) fn exceptions(context: &ViewContext<'_>) -> Markup {
    let snapshots = context.tenants.states.iter().map(|state| {
        let alias = &*state.identity.alias;
        (alias, &*state.snapshot)
    });
    let findings = audit_exceptions(snapshots, true, context.now);
    if findings.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="exceptions" {
            h2 #exceptions { "Approved exceptions" }
            ul { @for finding in findings.iter().take(MAX_SHOWN) { (item(finding)) } }
            @if let Some(more) = findings.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
                p { "… and " (more) " more; " code { "secure-score-exporter check" } " lists all." }
            }
        }
    }
}

fn item(finding: &ExceptionFinding) -> Markup {
    html! {
        li {
            (shortened(&finding.to_string()))
            @if let Some(tenant) = &finding.tenant { " on " (tenant) }
            ". " span.soft { "Hint: " (finding.issue.remedy()) "." }
        }
    }
}
