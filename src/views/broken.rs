//! What is broken, each with its remedy: refreshes that fail, and lines of the watch
//! list that match nothing.

use super::context::ViewContext;
use super::trouble::{trouble_words, troubles, watch_list_words};
use crate::acceptances::distinct;
use crate::store::TenantState;
use crate::text::count;
use maud::{Markup, html};
use secure_score_model::{Reason, Trouble};
use std::collections::BTreeMap;

/// The most problems listed. Tenants with the same reason and remedy are one.
const MAX_SHOWN: usize = 12;

/// The most tenants named for one problem.
const MAX_NAMED: usize = 5;

/// The section, or nothing where all is well.
pub(super) fn broken(context: &ViewContext<'_>) -> Markup {
    let failing = failing(context);
    let unmatched = unmatched(context);
    if failing.is_empty() && unmatched.is_empty() {
        return html! {};
    }
    let more_failing = failing.len().saturating_sub(MAX_SHOWN);
    let more_unmatched = unmatched.len().saturating_sub(MAX_SHOWN);
    html! {
        section aria-labelledby="broken" {
            h2 #broken { "Broken, and how to fix it" }
            ul.findings {
                @for (trouble, aliases) in failing.iter().take(MAX_SHOWN) {
                    li {
                        @match trouble.reason {
                            Reason::Consent => p.tenants { "No consent from " (tenants(aliases, "/?show=no_consent#tenants", context)) },
                            _ => p.tenants { "Refresh failing on " (tenants(aliases, "/?show=failing#tenants", context)) },
                        }
                        p { (trouble_words(trouble)) }
                    }
                }
                @for (state, aliases) in unmatched.iter().take(MAX_SHOWN) {
                    li {
                        p.tenants { "Watch list on " (tenants(aliases, "/#tenants", context)) }
                        (watch_list_words(state))
                    }
                }
            }
            @if more_failing > 0 {
                p { "… and " (more_failing) " more: " a href=(context.page("/?show=failing#tenants")) { "every tenant whose refresh fails" } }
            }
            @if more_unmatched > 0 {
                p { "… and " (count(more_unmatched, "more watch list")) " with lines that match nothing" }
            }
        }
    }
}

/// Failing refreshes of all tenants, those on most tenants first.
fn failing<'a>(context: &ViewContext<'a>) -> Vec<(&'a Trouble, Vec<&'a str>)> {
    let mut found: BTreeMap<_, (&Trouble, Vec<&str>)> = BTreeMap::new();
    for state in &context.tenants.states {
        for trouble in troubles(state) {
            let key = (trouble.reason.as_str(), trouble.hint.as_deref());
            let (_, aliases) = found.entry(key).or_insert((trouble, Vec::new()));
            aliases.push(&state.identity.alias);
        }
    }
    most_first(found.into_values())
}

/// Lines of the watch list that match nothing. They are one problem on all tenants
/// that lack the same.
fn unmatched<'a>(context: &ViewContext<'a>) -> Vec<(&'a TenantState, Vec<&'a str>)> {
    let mut found: BTreeMap<_, (&TenantState, Vec<&str>)> = BTreeMap::new();
    for state in &context.tenants.states {
        let snapshot = &state.snapshot;
        if !snapshot.unmatched_watches.is_empty() {
            let reads_entra = snapshot.recommendation_anomalies.is_some();
            let key = (&snapshot.unmatched_watches, reads_entra);
            let (_, aliases) = found.entry(key).or_insert((state, Vec::new()));
            aliases.push(&state.identity.alias);
        }
    }
    most_first(found.into_values())
}

fn most_first<'a, T>(found: impl Iterator<Item = (T, Vec<&'a str>)>) -> Vec<(T, Vec<&'a str>)> {
    let found = found.map(|(what, aliases)| (what, distinct(aliases.into_iter())));
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|(_, aliases)| std::cmp::Reverse(aliases.len()));
    found
}

/// Tenants by name, as far as there is space, with a link to the others: a path below
/// the prefix.
pub(super) fn tenants(aliases: &[&str], others: &str, context: &ViewContext<'_>) -> Markup {
    html! {
        @if aliases.len() > 1 { strong { (aliases.len()) " tenants" } ": " }
        @for (place, alias) in aliases.iter().take(MAX_NAMED).enumerate() {
            @if place > 0 { ", " }
            (context.tenant(alias))
        }
        @if let Some(more) = aliases.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
            " and " a href=(context.page(others)) { (more) " more" }
        }
    }
}
