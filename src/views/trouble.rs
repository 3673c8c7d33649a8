//! What keeps a tenant from being refreshed. Missing consent is no failure of a refresh: a
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

fn troubles(state: &TenantState) -> impl Iterator<Item = &Trouble> {
    let lists = state.health.lists();
    lists.filter_map(|(_, health)| health.trouble.as_ref())
}

/// Why a refresh failed, and the remedy.
pub(super) fn trouble_words(trouble: &Trouble) -> Markup {
    html! {
        strong.bad { (trouble.reason.as_str()) } ": " (shortened(&trouble.message))
        @if let Some(hint) = &trouble.hint { br; "Hint: " (shortened(hint)) }
    }
}
