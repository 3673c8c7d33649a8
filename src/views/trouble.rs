//! What is wrong with a tenant: what keeps it from being refreshed, and lines of the watch
//! list that match nothing. Missing consent is no failure of a refresh: a
//! customer of a partner may never give it.

use super::layout::shortened;
use crate::store::TenantState;
use maud::{Markup, html};
use secure_score_model::{Reason, Trouble};

/// Whether the last refresh of a list failed, consent given.
pub(super) fn is_failing(state: &TenantState) -> bool {
    troubles(state).any(|it| it.reason != Reason::Consent)
}

/// Whether the tenant has not consented to the application.
pub(super) fn lacks_consent(state: &TenantState) -> bool {
    troubles(state).any(|it| it.reason == Reason::Consent)
}

/// Either of the two.
pub(super) fn has_trouble(state: &TenantState) -> bool {
    troubles(state).next().is_some()
}

/// Why the last refresh of each list failed.
pub(super) fn troubles(state: &TenantState) -> impl Iterator<Item = &Trouble> {
    let lists = state.health.lists();
    lists.filter_map(|(_, health)| health.trouble.as_ref())
}

/// Whether [`notes`] has anything to show.
pub(super) fn has_notes(state: &TenantState) -> bool {
    has_trouble(state) || !state.snapshot.unmatched_watches.is_empty()
}

/// Why a refresh failed, and the remedy.
pub(super) fn trouble_words(trouble: &Trouble) -> Markup {
    html! {
        strong.bad { (trouble.reason.as_str()) } ": " (shortened(&trouble.message))
        @if let Some(hint) = &trouble.hint { br; "Hint: " (shortened(hint)) }
    }
}

/// Failing refreshes, once where several fail for the same reason, and entries of
/// the watch list that match no control and no recommendation of this tenant.
pub(super) fn notes(state: &TenantState) -> Markup {
    let mut troubles: Vec<_> = troubles(state).collect();
    troubles.dedup_by_key(|trouble| trouble.reason);
    html! {
        (watch_list_words(state))
        @for trouble in troubles { p { (trouble_words(trouble)) } }
    }
}

/// The entries of the watch list that match nothing, and the remedy.
pub(super) fn watch_list_words(state: &TenantState) -> Markup {
    let unmatched = state.snapshot.unmatched_watches.join(", ");
    let (what, hint) = match state.snapshot.recommendation_anomalies {
        Some(_) => ("control and no recommendation fits", ""),
        None => (
            "control fits",
            "; it may name a recommendation of Entra, which are not read here",
        ),
    };
    html! {
        @if !unmatched.is_empty() {
            p {
                strong.bad { "watch list" } ": no " (what) " " (shortened(&unmatched))
                br; "Hint: correct the spelling in risk_accepted.watch, or see whether Microsoft renamed or withdrew it" (hint)
            }
        }
    }
}
