//! The table of tenants, those in trouble first.

use super::layout::{shortened, wide};
use super::moment::ago;
use crate::model::{Api, Points, RefreshHealth, Timestamp};
use crate::store::{TenantState, Tenants};
use maud::{Markup, html};

/// Rows of the table. Whoever has more tenants looks at a dashboard; here
/// those in trouble must be seen, and they stand first.
const SHOWN: usize = 200;

pub(super) fn tenants_table(tenants: &Tenants, now: Timestamp) -> Markup {
    if tenants.states.is_empty() {
        return html! { p { "No tenant is configured here." } };
    }
    let ranked = ranked(tenants);
    let table = html! {
        table {
            caption { (summary(&ranked)) }
            thead {
                tr {
                    th scope="col" { "Tenant" }
                    th.number scope="col" { "Score" }
                    th.number scope="col" { "Target" }
                    th scope="col" { "Report" }
                    th scope="col" { "Controls read" }
                    th scope="col" { "Score read" }
                    th scope="col" { "Trouble" }
                }
            }
            tbody { @for state in ranked.iter().take(SHOWN) { (row(state, now)) } }
        }
    };
    html! {
        (wide("Tenants", table))
        (rest(ranked.get(SHOWN..).unwrap_or_default()))
    }
}

fn rest(hidden: &[&TenantState]) -> Markup {
    html! { @if !hidden.is_empty() { p { "… and more: " (summary(hidden)) "." } } }
}

/// In trouble, then waiting for the first refresh, then the rest, each by alias.
fn ranked(tenants: &Tenants) -> Vec<&TenantState> {
    let mut ranked: Vec<&TenantState> = tenants.states.iter().map(AsRef::as_ref).collect();
    ranked.sort_by_key(|state| (!is_troubled(state), state.health.attempted()));
    ranked
}

fn is_troubled(state: &TenantState) -> bool {
    Api::ALL
        .into_iter()
        .any(|api| state.health.of(api).trouble.is_some())
}

fn summary(tenants: &[&TenantState]) -> String {
    let troubled = tenants.iter().filter(|state| is_troubled(state)).count();
    let all = match tenants.len() {
        1 => "1 tenant".to_owned(),
        many => format!("{many} tenants"),
    };
    match troubled {
        0 => format!("{all}, none in trouble"),
        some => format!("{all}, {some} in trouble"),
    }
}

fn row(state: &TenantState, now: Timestamp) -> Markup {
    let report = state.snapshot.report.as_deref();
    let as_of = report.and_then(|report| report.as_of);
    html! {
        tr {
            th scope="row" {
                (state.identity.alias)
                @if state.identity.display_name != state.identity.alias {
                    " " span.soft { (shortened(&state.identity.display_name)) }
                }
            }
            td.number { (score(state)) }
            td.number { (target(state)) }
            td { @if let Some(at) = as_of { (ago(now, at)) } @else { "none" } }
            td { (last_read(state.health.of(Api::Profiles), now)) }
            td { (last_read(state.health.of(Api::Scores), now)) }
            td.words { (troubles(state)) }
        }
    }
}

fn score(state: &TenantState) -> Markup {
    let report = state.snapshot.report.as_deref();
    let Some(score) = report.and_then(|report| report.current_score) else {
        return html! { "unknown" };
    };
    html! {
        (points(score))
        @if let Some(max) = report.and_then(|report| report.max_score) { " of " (points(max)) }
        @if let Some(share) = share(state) { " (" (percent(share)) ")" }
    }
}

fn target(state: &TenantState) -> Markup {
    let Some(target) = state.identity.target else {
        return html! { span.soft { "none" } };
    };
    html! {
        (percent(target))
        @match share(state) {
            Some(share) if share >= target => { " " span.good { "met" } }
            Some(_) => { " " span.bad { "missed" } }
            None => {}
        }
    }
}

/// The score as a share of the maximum, where there is one to share.
fn share(state: &TenantState) -> Option<f64> {
    let report = state.snapshot.report.as_deref()?;
    let max = report.max_score?.get();
    (max > 0.0).then_some(report.current_score?.get() / max)
}

fn last_read(health: &RefreshHealth, now: Timestamp) -> Markup {
    match (health.last_success, health.attempted()) {
        (Some(at), _) => ago(now, at),
        (None, true) => html! { span.bad { "never" } },
        (None, false) => html! { "not yet" },
    }
}

/// What the lists fail with; once when both fail the same way.
/// What keeps a tenant from being watched: failing refreshes, and lines of the
/// watch list that watch nothing here.
fn troubles(state: &TenantState) -> Markup {
    let unmatched: Vec<&str> = state
        .snapshot
        .unmatched_watches
        .iter()
        .map(AsRef::as_ref)
        .collect();
    let mut troubles: Vec<_> = Api::ALL
        .into_iter()
        .filter_map(|api| state.health.of(api).trouble.as_ref())
        .collect();
    troubles.dedup_by_key(|trouble| trouble.reason);
    html! {
        @if troubles.is_empty() && unmatched.is_empty() { span.soft { "none" } }
        @if !unmatched.is_empty() {
            p {
                strong.bad { "watch list" } ": no control fits " (shortened(&unmatched.join(", ")))
                br; "Hint: correct the spelling in risk_accepted.watch, or see whether Microsoft renamed or withdrew it"
            }
        }
        @for trouble in troubles {
            p {
                strong.bad { (trouble.reason.as_str()) } ": " (shortened(&trouble.message))
                @if let Some(hint) = &trouble.hint { br; "Hint: " (shortened(hint)) }
            }
        }
    }
}

/// Points as people write them: no zeros after the point that say nothing.
pub(super) fn points(points: Points) -> String {
    let text = format!("{:.2}", points.get());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share in whole per cent, rounded down: 79.6 is not the 80 one aims for.
fn percent(share: f64) -> String {
    // The tiny addend mends 0.29 × 100 = 28.999….
    format!("{} %", (share * 100.0 + 1e-9).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_carry_no_idle_zeros() {
        for (value, text) in [
            (10.0, "10"),
            (7.83, "7.83"),
            (0.5, "0.5"),
            (0.0, "0"),
            (100.0, "100"),
        ] {
            assert_eq!(points(Points::new(value).unwrap()), text);
        }
    }

    #[test]
    fn a_share_just_below_the_target_does_not_look_like_it() {
        assert_eq!(percent(0.7999), "79 %");
        assert_eq!(percent(0.29), "29 %");
        assert_eq!(percent(1.0), "100 %");
    }
}
