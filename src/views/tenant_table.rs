//! The table of tenants, those in trouble first.

use super::context::ViewContext;
use super::form::{filter_form, text_field};
use super::layout::{shortened, wide};
use super::numbers::{count, score, target, trend, trend_note};
use super::paging::PageNumber;
use super::score_chart::sparkline;
use super::time::age;
use crate::http_types::QueryError;
use crate::http_types::query::allow_only;
use crate::store::TenantState;
use maud::{Markup, html};
use secure_score_model::{Api, ControlState, RefreshHealth, Trouble};

/// With more tenants than this the page has a search form.
const SEARCH_FROM: usize = 20;

const COLUMNS: [&str; 8] = [
    "Tenant",
    "Score",
    "Target",
    "Trend",
    "Risks accepted",
    "Report of",
    "Controls read",
    "Score read",
];

/// The query of the status page.
#[derive(Debug)]
pub(super) struct TenantQuery {
    /// Part of a name, in lower case.
    find: Option<String>,
    page: PageNumber,
}

impl TenantQuery {
    pub(super) fn parse(context: &ViewContext<'_>) -> Result<Self, QueryError> {
        let query = &context.query;
        allow_only(&query.parameters, &["find", "page"])?;
        Ok(Self {
            find: query.get("find").map(str::to_lowercase),
            page: PageNumber::parse(query.get("page"))?,
        })
    }

    fn finds(&self, state: &TenantState) -> bool {
        let names = [&state.identity.alias, &state.identity.display_name];
        let find = self.find.as_deref();
        find.is_none_or(|part| names.iter().any(|name| name.to_lowercase().contains(part)))
    }
}

pub(super) fn tenant_table(query: &TenantQuery, context: &ViewContext<'_>) -> Markup {
    let states = &context.tenants.states;
    if states.is_empty() {
        return html! { p.empty { "No tenant is configured here." } };
    }
    let found = states.iter().map(AsRef::as_ref);
    let mut found: Vec<&TenantState> = found.filter(|state| query.finds(state)).collect();
    // In trouble, then waiting for the first refresh, then the rest, by alias.
    found.sort_by_key(|state| (!is_troubled(state), state.health.attempted()));
    let page = query.page.of(&found);
    let filtered = query.find.is_some();
    let field = text_field("Tenant's name", "find", "search", &context.query, None);
    html! {
        @if states.len() > SEARCH_FROM || filtered {
            (filter_form(&context.query, "Find tenants", "Find", filtered, field))
        }
        @if found.is_empty() { p.empty { "No tenant has these words in its name." } }
        @else {
            (wide("Tenants", table(page.rows, &format!("{}{}", summary(&found), page.range()), context)))
            (page.links("tenants", &context.query))
            (trend_note(page.rows.iter().copied()))
        }
    }
}

fn table(states: &[&TenantState], caption: &str, context: &ViewContext<'_>) -> Markup {
    html! {
        table {
            caption { (caption) }
            thead {
                tr {
                    @for column in COLUMNS {
                        @let class = (column == "Risks accepted").then_some("number");
                        th class=[class] scope="col" { (column) }
                    }
                }
            }
            tbody { @for state in states { (row(state, context)) } }
        }
    }
}

/// Whether the last refresh of a list failed.
pub(super) fn is_troubled(state: &TenantState) -> bool {
    let mut lists = state.health.lists();
    lists.any(|(_, health)| health.trouble.is_some())
}

/// Whether [`notes`] has anything to show.
pub(super) fn has_notes(state: &TenantState) -> bool {
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

fn row(state: &TenantState, context: &ViewContext<'_>) -> Markup {
    let report = state.snapshot.report.as_deref();
    let as_of = report.and_then(|report| report.as_of);
    html! {
        tr {
            th scope="row" {
                (context.tenant(&state.identity.alias))
                @if is_troubled(state) { " " span.tag.bad { "in trouble" } }
                @if state.identity.display_name != state.identity.alias {
                    p.soft { (shortened(&state.identity.display_name)) }
                }
            }
            td.score { (score(state)) }
            td.figure { (target(state)) }
            td.trend { (trend(&state.snapshot)) (sparkline(&state.snapshot)) }
            td.number { (accepted(state, context)) }
            td { @if let Some(at) = as_of { (age(context.now, at)) } @else { "none" } }
            td { (last_refresh(state.health.of(Api::Profiles), context)) }
            td { (last_refresh(state.health.of(Api::Scores), context)) }
        }
        @if has_notes(state) {
            tr.more { td colspan=(COLUMNS.len()) { (notes(state)) } }
        }
    }
}

/// The number of risks accepted now in either place, as a link to them, and of
/// controls and recommendations of which that is not known.
fn accepted(state: &TenantState, context: &ViewContext<'_>) -> Markup {
    if state.snapshot.catalogue_anomalies.is_none() {
        return html! { "unknown" };
    }
    let snapshot = &state.snapshot;
    let controls = snapshot.controls.iter();
    let accepted = controls.filter(|it| it.state() == Some(ControlState::RiskAccepted));
    let recommendations = snapshot.recommendations.iter();
    let set_aside = recommendations.filter(|it| it.is_set_aside()).count();
    let path = format!("/acceptances?tenant={}&in_force=true", state.identity.alias);
    let unknown = snapshot.unknown_states() + snapshot.unknown_statuses();
    html! {
        @match accepted.count() + set_aside {
            0 => "0",
            some => a href=(context.href(&path)) { (some) },
        }
        @if set_aside > 0 { p.soft { (set_aside) " in Entra" } }
        @if unknown > 0 { p.soft { (unknown) " unknown" } }
    }
}

/// When the last refresh of a list succeeded.
pub(super) fn last_refresh(health: &RefreshHealth, context: &ViewContext<'_>) -> Markup {
    match (health.last_success, health.attempted()) {
        (Some(at), _) => age(context.now, at),
        (None, true) => html! { span.bad { "never" } },
        (None, false) => html! { "not yet" },
    }
}

/// Failing refreshes, once where several fail for the same reason, and entries of
/// the watch list that match no control and no recommendation of this tenant.
pub(super) fn notes(state: &TenantState) -> Markup {
    let unmatched = state.snapshot.unmatched_watches.join(", ");
    let (what, hint) = match state.snapshot.recommendation_anomalies {
        Some(_) => ("control and no recommendation fits", ""),
        None => (
            "control fits",
            "; it may name a recommendation of Entra, which are not read here",
        ),
    };
    let lists = state.health.lists();
    let mut troubles: Vec<_> = lists.filter_map(|(_, it)| it.trouble.as_ref()).collect();
    troubles.dedup_by_key(|trouble| trouble.reason);
    html! {
        @if !unmatched.is_empty() {
            p {
                strong.bad { "watch list" } ": no " (what) " " (shortened(&unmatched))
                br; "Hint: correct the spelling in risk_accepted.watch, or see whether Microsoft renamed or withdrew it" (hint)
            }
        }
        @for trouble in troubles { p { (trouble_words(trouble)) } }
    }
}

/// Why a refresh failed, and the remedy.
pub(super) fn trouble_words(trouble: &Trouble) -> Markup {
    html! {
        strong.bad { (trouble.reason.as_str()) } ": " (shortened(&trouble.message))
        @if let Some(hint) = &trouble.hint { br; "Hint: " (shortened(hint)) }
    }
}
