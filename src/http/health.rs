//! Liveness and readiness.

use crate::http_types::Response;
use crate::http_types::response::text;
use crate::store::{TenantState, Tenants};
use crate::text::{count, named};
use hyper::StatusCode;
use secure_score_model::Api;

/// The most tenants that an answer names.
const MAX_NAMED: usize = 5;

/// The process lives. Graph has no influence: a restart would not repair
/// Microsoft and would lose the data.
pub(super) fn healthy() -> Response {
    text(StatusCode::OK, "healthy\n")
}

/// Ready when each list of each tenant was attempted or loaded from the state
/// directory. Before that a scrape would look as if tenants had been removed.
pub(super) fn ready(tenants: &Tenants) -> Response {
    let missing: Vec<&str> = tenants
        .states
        .iter()
        .filter(|state| !is_known(state))
        .map(|state| &*state.identity.alias)
        .collect();
    match missing.len() {
        0 => text(StatusCode::OK, "ready\n"),
        _ => text(
            StatusCode::SERVICE_UNAVAILABLE,
            not_ready(&missing, tenants.states.len()),
        ),
    }
}

/// The same for a client that sees no tenant: it names and counts none.
pub(super) fn ready_without_names(tenants: &Tenants) -> Response {
    match tenants.states.iter().all(|state| is_known(state)) {
        true => text(StatusCode::OK, "ready\n"),
        false => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: not every tenant was attempted yet\n",
        ),
    }
}

fn is_known(state: &TenantState) -> bool {
    let snapshot = &state.snapshot;
    let is_loaded = |api| match api {
        Api::Profiles => snapshot.catalogue_anomalies.is_some(),
        Api::Scores => snapshot.report.is_some(),
        Api::Recommendations => snapshot.recommendation_anomalies.is_some(),
        Api::IdentityScores => snapshot.identity_score.is_some(),
    };
    state.health.lists().all(|(api, health)| {
        // A list with a time for its next refresh was attempted by an earlier
        // process, or Microsoft asked to wait. A new tenant has no report, and
        // a failing one no data: neither may hold up a rolling update.
        health.attempted() || health.next_refresh.is_some() || is_loaded(api)
    })
}

fn not_ready(missing: &[&str], all: usize) -> String {
    format!(
        "not ready: {} of {} not attempted yet: {}\n",
        missing.len(),
        count(all, "tenant"),
        named(missing.iter(), MAX_NAMED)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_a_few_tenants() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(
            not_ready(&names, 9),
            "not ready: 7 of 9 tenants not attempted yet: a, b, c, d, e and 2 more\n"
        );
        assert_eq!(
            not_ready(&["a"], 1),
            "not ready: 1 of 1 tenant not attempted yet: a\n"
        );
    }
}
