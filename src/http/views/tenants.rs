//! The table of tenants, those in trouble first.

use super::address::Address;
use super::choice::typed;
use super::figures::{count, score, target};
use super::layout::{shortened, wide};
use super::moment::ago;
use super::reader::Reader;
use super::trend::{self, trend};
use crate::http::asked::AskedStatus;
use crate::store::{TenantState, Tenants};
use maud::{Markup, html};
use secure_score_model::{Api, ControlState, RefreshHealth};

/// With more tenants than this one looks for one by its name.
const SURVEYABLE: usize = 20;

/// Columns of the table, all of which a trouble lies across.
const COLUMNS: usize = 8;

pub(super) fn tenants_table(
    tenants: &Tenants,
    asked: &AskedStatus,
    address: &Address,
    reader: &Reader<'_>,
) -> Markup {
    if tenants.states.is_empty() {
        return html! { p.empty { "No tenant is configured here." } };
    }
    let ranked = ranked(tenants, asked.find.as_deref());
    let shown = asked.page.of(&ranked);
    html! {
        @if tenants.states.len() > SURVEYABLE || asked.find.is_some() { (form(asked, address)) }
        @if ranked.is_empty() { p.empty { "No tenant has these words in its name." } }
        @else {
            (wide("Tenants", table(shown.rows, &format!("{}{}", summary(&ranked), shown.range()), reader)))
            (shown.links("tenants", address))
            (trend::note(shown.rows.iter().copied()))
        }
    }
}

fn form(asked: &AskedStatus, address: &Address) -> Markup {
    html! {
        form.filter method="get" action=(address.path()) role="search" aria-label="Find tenants" {
            (typed("Tenant's name", "find", "search", address, None))
            div.buttons {
                button type="submit" { "Find" }
                @if asked.find.is_some() { " " a href=(address.path()) { "Show all" } }
            }
        }
    }
}

fn table(states: &[&TenantState], caption: &str, reader: &Reader<'_>) -> Markup {
    html! {
        table {
            caption { (caption) }
            thead {
                tr {
                    th scope="col" { "Tenant" }
                    th scope="col" { "Score" }
                    th scope="col" { "Target" }
                    th scope="col" { "Trend" }
                    th.number scope="col" { "Risks accepted" }
                    th scope="col" { "Report of" }
                    th scope="col" { "Controls read" }
                    th scope="col" { "Score read" }
                }
            }
            tbody { @for state in states { (row(state, reader)) } }
        }
    }
}

/// In trouble, then waiting for the first refresh, then the rest, each by alias.
fn ranked<'a>(tenants: &'a Tenants, find: Option<&str>) -> Vec<&'a TenantState> {
    let found = |state: &&TenantState| {
        let names = [&state.identity.alias, &state.identity.display_name];
        find.is_none_or(|words| names.iter().any(|name| name.to_lowercase().contains(words)))
    };
    let states = tenants.states.iter().map(AsRef::as_ref);
    let mut ranked: Vec<&TenantState> = states.filter(found).collect();
    ranked.sort_by_key(|state| (!is_troubled(state), state.health.attempted()));
    ranked
}

/// Whether a refresh of a tenant failed last.
pub(super) fn is_troubled(state: &TenantState) -> bool {
    Api::ALL
        .into_iter()
        .any(|api| state.health.of(api).trouble.is_some())
}

/// Whether there is something to say of what keeps a tenant from being watched.
pub(super) fn calls_for_words(state: &TenantState) -> bool {
    is_troubled(state) || !state.snapshot.unmatched_watches.is_empty()
}

fn summary(tenants: &[&TenantState]) -> String {
    let troubled = tenants.iter().filter(|state| is_troubled(state)).count();
    let all = count(tenants.len(), "tenant");
    match troubled {
        0 => format!("{all}, none in trouble"),
        some => format!("{all}, {some} in trouble"),
    }
}

fn row(state: &TenantState, reader: &Reader<'_>) -> Markup {
    let report = state.snapshot.report.as_deref();
    let as_of = report.and_then(|report| report.as_of);
    let now = reader.now;
    html! {
        tr {
            th scope="row" {
                (reader.tenant(&state.identity.alias))
                @if is_troubled(state) { " " span.tag.bad { "in trouble" } }
                @if state.identity.display_name != state.identity.alias {
                    p.soft { (shortened(&state.identity.display_name)) }
                }
            }
            td.score { (score(state)) }
            td.figure { (target(state)) }
            td.trend { (trend(&state.snapshot)) }
            td.number { (accepted(state, reader)) }
            td { @if let Some(at) = as_of { (ago(now, at)) } @else { "none" } }
            td { (last_read(state.health.of(Api::Profiles), reader)) }
            td { (last_read(state.health.of(Api::Scores), reader)) }
        }
        @if calls_for_words(state) {
            tr.more { td colspan=(COLUMNS) { (troubles(state)) } }
        }
    }
}

/// How many risks are accepted now, with the way to them.
fn accepted(state: &TenantState, reader: &Reader<'_>) -> Markup {
    if state.snapshot.catalogue_anomalies.is_none() {
        return html! { "unknown" };
    }
    let controls = state.snapshot.controls.iter();
    let accepted = controls.filter(|it| it.state() == Some(ControlState::RiskAccepted));
    let path = format!("/acceptances?tenant={}&in_force=true", state.identity.alias);
    match accepted.count() {
        0 => html! { "0" },
        some => html! { a href=(reader.href(&path)) { (some) } },
    }
}

/// When a list was read last.
pub(super) fn last_read(health: &RefreshHealth, reader: &Reader<'_>) -> Markup {
    match (health.last_success, health.attempted()) {
        (Some(at), _) => ago(reader.now, at),
        (None, true) => html! { span.bad { "never" } },
        (None, false) => html! { "not yet" },
    }
}

/// What keeps a tenant from being watched: failing refreshes, told once when
/// both fail the same way, and lines of the watch list that watch nothing here.
pub(super) fn troubles(state: &TenantState) -> Markup {
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
