//! Whether we live, and whether we have something to say.

use super::reply::{Reply, text};
use crate::store::{TenantState, Tenants};
use hyper::StatusCode;

/// Enough to see a pattern; a thousand aliases would help nobody.
const NAMED: usize = 5;

/// The process lives. It says nothing about Graph: restarting us does not
/// repair Microsoft, it only loses what we know.
pub(super) fn healthy() -> Reply {
    text(StatusCode::OK, "healthy\n".to_owned())
}

/// Ready when each tenant was attempted once, or loaded from the state
/// directory; before that a scrape would look as if tenants had been removed.
pub(super) fn ready(tenants: &Tenants) -> Reply {
    let missing: Vec<&str> = tenants
        .states
        .iter()
        .filter(|state| !can_be_shown(state))
        .map(|state| &*state.identity.alias)
        .collect();
    match missing.len() {
        0 => text(StatusCode::OK, "ready\n".to_owned()),
        _ => text(
            StatusCode::SERVICE_UNAVAILABLE,
            not_ready(&missing, tenants.states.len()),
        ),
    }
}

fn can_be_shown(state: &TenantState) -> bool {
    let kept = &state.snapshot;
    state.health.attempted() || (kept.report.is_some() && kept.catalogue_anomalies.is_some())
}

fn not_ready(missing: &[&str], all: usize) -> String {
    let named = missing.iter().take(NAMED).copied().collect::<Vec<_>>();
    let more = match missing.len().saturating_sub(NAMED) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    format!(
        "not ready: {} of {all} tenants were not attempted yet: {}{more}\n",
        missing.len(),
        named.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_names_stand_for_many() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(
            not_ready(&names, 9),
            "not ready: 7 of 9 tenants were not attempted yet: a, b, c, d, e and 2 more\n"
        );
        assert_eq!(
            not_ready(&["a"], 2),
            "not ready: 1 of 2 tenants were not attempted yet: a\n"
        );
    }
}
