//! One tenant: how it fares, beside whom, and what it could gain.

use super::address::Address;
use super::controls::controls;
use super::figures::{percent, points, score, target};
use super::layout::{Here, layout, shortened, wide};
use super::moment::{ago, ahead};
use super::persons::persons_note;
use super::reader::Reader;
use super::tenants::{calls_for_words, last_read, troubles};
use super::trend::{self, trend};
use crate::http::asked::AskedControls;
use crate::store::TenantState;
use maud::{Markup, html};
use secure_score_model::{Api, Basis, Category, Comparison, Points, RefreshHealth};

/// The whole page.
pub(in crate::http) fn tenant(
    state: &TenantState,
    asked: &AskedControls,
    address: &Address,
    reader: &Reader<'_>,
) -> Markup {
    let identity = &state.identity;
    let title = match identity.display_name == identity.alias {
        true => identity.alias.to_string(),
        false => format!("{} ({})", shortened(&identity.display_name), identity.alias),
    };
    let content = html! {
        @if calls_for_words(state) { div.note { (troubles(state)) } }
        (standing(state, reader))
        section aria-labelledby="controls" {
            h2 #controls { "Controls" }
            (persons_note(&reader.options.persons))
            (controls(state, asked, address, reader))
        }
        section aria-labelledby="categories" {
            h2 #categories { "Beside comparable tenants" }
            (categories(state))
        }
        section aria-labelledby="refreshes" {
            h2 #refreshes { "Refreshes" }
            (refreshes(state, reader))
        }
    };
    layout(reader, Here::Elsewhere, &title, content)
}

/// The facts at the head of the page.
fn standing(state: &TenantState, reader: &Reader<'_>) -> Markup {
    let report = state.snapshot.report.as_deref();
    let as_of = report.and_then(|report| report.as_of);
    let users = report.and_then(|report| report.active_users.zip(report.licensed_users));
    html! {
        dl.facts {
            div { dt { "Score" } dd { (score(state)) } }
            div { dt { "Target" } dd { (target(state)) } }
            div { dt { "Trend" } dd { (trend(&state.snapshot)) } }
            div { dt { "Report of" } dd { @if let Some(at) = as_of { (ago(reader.now, at)) } @else { "none" } } }
            @if let Some((active, licensed)) = users {
                div { dt { "Users" } dd { (active) " active, " (licensed) " licensed" } }
            }
            div { dt { "Cloud" } dd { (state.identity.cloud) } }
            @if let Some(id) = &state.identity.entra_tenant_id {
                div { dt { "Entra tenant" } dd { code { (shortened(id)) } } }
            }
        }
        (trend::note(std::iter::once(state)))
    }
}

/// Each category beside what tenants like this one reach in it.
fn categories(state: &TenantState) -> Markup {
    let report = state.snapshot.report.as_deref();
    let Some(report) = report.filter(|report| !report.scores.is_empty()) else {
        return html! { p.empty { "There is no report to compare." } };
    };
    let totals = state.snapshot.category_totals();
    let table = html! {
        table {
            caption { "Points of scored controls; the averages are Microsoft's" }
            thead {
                tr {
                    th scope="col" { "Category" }
                    th.number scope="col" { "Points" }
                    th.number scope="col" { "Share" }
                    @for other in &report.comparisons { th.number scope="col" { (crowd(other.basis)) } }
                }
            }
            tbody {
                tr {
                    th scope="row" { "All" }
                    td.number { (of(report.current_score, report.max_score)) }
                    td.number { (share_of(report.current_score, report.max_score)) }
                    @for other in &report.comparisons {
                        td.number { @match other.ratio { Some(ratio) => (percent(ratio)), None => "unknown" } }
                    }
                }
                @for total in totals {
                    tr {
                        th scope="row" { (total.category.as_str()) }
                        td.number { (of(Some(total.score), total.max_score)) }
                        td.number { (share_of(Some(total.score), total.max_score)) }
                        @for other in &report.comparisons { td.number { (average(other, total.category)) } }
                    }
                }
            }
        }
    };
    wide("Categories", table)
}

const fn crowd(basis: Basis) -> &'static str {
    match basis {
        Basis::AllTenants => "All tenants",
        Basis::TotalSeats => "Tenants of this size",
        Basis::IndustryTypes => "Tenants of this industry",
    }
}

fn average(comparison: &Comparison, category: Category) -> Markup {
    let mut theirs = comparison.categories.iter();
    match theirs.find(|theirs| theirs.category == category) {
        Some(theirs) => html! {
            (share_of(theirs.score, theirs.max_score)) " "
            span.soft { (of(theirs.score, theirs.max_score)) }
        },
        None => html! { "unknown" },
    }
}

fn of(score: Option<Points>, max: Option<Points>) -> String {
    match (score, max) {
        (Some(score), Some(max)) => format!("{} of {}", points(score), points(max)),
        (Some(score), None) => points(score),
        (None, _) => "unknown".to_owned(),
    }
}

fn share_of(score: Option<Points>, max: Option<Points>) -> String {
    match (score, max.filter(|max| max.get() > 0.0)) {
        (Some(score), Some(max)) => percent(score.get() / max.get()),
        _ => String::new(),
    }
}

/// How the two lists are read.
fn refreshes(state: &TenantState, reader: &Reader<'_>) -> Markup {
    let table = html! {
        table {
            caption { "The two lists of Microsoft Graph that are read" }
            thead {
                tr {
                    th scope="col" { "List" }
                    th scope="col" { "Read last" }
                    th scope="col" { "Next" }
                    th.number scope="col" { "Refreshes" }
                    th.number scope="col" { "Failed" }
                    th scope="col" { "Trouble" }
                }
            }
            tbody {
                @for (api, name) in [(Api::Profiles, "Controls and their states"), (Api::Scores, "Score")] {
                    (refresh(name, state.health.of(api), reader))
                }
            }
        }
    };
    wide("Refreshes", table)
}

fn refresh(name: &str, health: &RefreshHealth, reader: &Reader<'_>) -> Markup {
    let failed: u64 = health.failures.values().sum();
    html! {
        tr {
            th scope="row" { (name) }
            td { (last_read(health, reader)) }
            td { @match health.next_refresh { Some(at) => (ahead(reader.now, at)), None => "not planned" } }
            td.number { (health.refreshes) }
            td.number { (failed) }
            td.words {
                @match &health.trouble {
                    None => span.soft { "none" },
                    Some(trouble) => { strong.bad { (trouble.reason.as_str()) } ": " (shortened(&trouble.message)) }
                }
            }
        }
    }
}
