//! One tenant: its score, its controls and its refreshes.

use super::PageError;
use super::context::ViewContext;
use super::control_table::{ControlQuery, control_table, notable_table};
use super::layout::{layout, shortened, wide};
use super::numbers::{percent, points_of, score, target, trend, trend_note};
use super::recommendation_table::recommendation_table;
use super::score_chart::score_chart;
use super::tenant_table::last_refresh;
use super::time::{age, day, until};
use super::trouble::{has_notes, notes};
use crate::serde_time::Day;
use crate::store::TenantState;
use crate::text::count;
use maud::{Markup, html};
use secure_score_model::{
    Api, Basis, Category, Comparison, Points, Projection, RefreshHealth, TenantSnapshot,
};

/// The page.
pub(super) fn view(alias: &str, context: &ViewContext<'_>) -> Result<Markup, PageError> {
    let state = context.tenants.find(alias);
    let state = state.ok_or_else(|| PageError::UnknownTenant(alias.to_owned()))?;
    let query = ControlQuery::parse(context)?;
    let identity = &state.identity;
    let title = match identity.display_name == identity.alias {
        true => identity.alias.to_string(),
        false => format!("{} ({})", shortened(&identity.display_name), identity.alias),
    };
    let content = html! {
        @if has_notes(state) { div.note { (notes(state)) } }
        (contents(state))
        (facts(state, context))
        (score_chart(&state.snapshot, context.now))
        section aria-labelledby="notable" {
            h2 #notable { "Watched, accepted and claimed" }
            (context.privacy_note())
            (notable_table(state, context))
            (register_link(state, context))
        }
        section aria-labelledby="categories" {
            h2 #categories { "Categories, beside comparable tenants" }
            (categories(state))
        }
        (recommendations(state, context))
        section aria-labelledby="refreshes" {
            h2 #refreshes { "Refreshes" }
            (refreshes(state, context))
        }
        section aria-labelledby="controls" {
            h2 #controls { "All controls" }
            (control_table(state, &query, context))
        }
    };
    Ok(layout(context, &title, content))
}

/// Links to the parts of the page.
fn contents(state: &TenantState) -> Markup {
    let entra = state.snapshot.recommendation_anomalies.is_some();
    let parts = [
        ("#notable", "Watched, accepted and claimed", true),
        ("#categories", "Categories", true),
        ("#recommendations", "Recommendations of Entra", entra),
        ("#refreshes", "Refreshes", true),
        ("#controls", "All controls", true),
    ];
    html! {
        nav.contents aria-label="On this page" {
            ul {
                @for (part, words, is_there) in parts {
                    @if is_there { li { a href=(part) { (words) } } }
                }
            }
        }
    }
}

/// The register of this tenant alone.
fn register_link(state: &TenantState, context: &ViewContext<'_>) -> Markup {
    let path = format!("/acceptances?tenant={}", state.identity.alias);
    html! {
        p { a href=(context.page(&path)) { "Accepted risks and claims of this tenant, with those withdrawn" } }
    }
}

fn facts(state: &TenantState, context: &ViewContext<'_>) -> Markup {
    let report = state.snapshot.report.as_deref();
    let as_of = report.and_then(|report| report.as_of);
    let users = report.and_then(|report| report.active_users.zip(report.licensed_users));
    html! {
        dl.facts {
            div { dt { "Score" } dd { (score(state)) } }
            div { dt { "Target" } dd { (target(state)) } }
            div { dt { "Planned and achievable" } dd { (projection(&state.snapshot)) } }
            div { dt { "Trend" } dd { (trend(&state.snapshot)) } }
            div { dt { "Report of" } dd { @if let Some(at) = as_of { (age(context.now, at)) } @else { "none" } } }
            @if let Some((active, licensed)) = users {
                div { dt { "Users" } dd { (active) " active, " (licensed) " licensed" } }
            }
            (identity_score(state))
            (set_aside(state))
            div {
                dt { "Decisions" }
                dd { a href=(context.href(&format!("/tenants/{}/evidence", state.identity.alias))) { "Evidence of the last ninety days" } }
            }
            div { dt { "Cloud" } dd { (state.identity.cloud) } }
            @if let Some(id) = &state.identity.entra_tenant_id {
                div { dt { "Entra tenant" } dd { code { (shortened(id)) } } }
            }
        }
        (trend_note(std::iter::once(state)))
    }
}

/// The score now, with plans completed, and with accepted risks kept.
fn projection(snapshot: &TenantSnapshot) -> Markup {
    let report = snapshot.report.as_deref();
    let score = report.and_then(|report| report.current_score);
    let max = report.and_then(|report| report.max_score);
    let Projection {
        planned,
        achievable,
    } = snapshot.projection();
    let missing = match planned.and(achievable) {
        Some(_) => None,
        None if snapshot.catalogue_anomalies.is_none() => Some("the catalogue is not known"),
        None if snapshot.scored().next().is_none() => Some("there is no report with scores"),
        None => Some("states or points of controls are unknown or contradictory"),
    };
    html! {
        (level(score, max, "now")) ", " (level(planned, max, "planned")) ", "
        (level(achievable, max, "achievable"))
        @if let Some(reason) = missing { p.soft { (reason) } }
    }
}

/// Points as a share of the maximum, or themselves without one, with a word.
fn level(points: Option<Points>, max: Option<Points>, word: &str) -> String {
    match (points, share_of(points, max)) {
        (None, _) => format!("{word} unknown"),
        (Some(_), share) if share.is_empty() => {
            format!("{} {word}", count(points_of(points, None), "point"))
        }
        (Some(_), share) => format!("{share} {word}"),
    }
}

/// The Identity Secure Score as Entra shows it, beside Secure Score's sum. They
/// are computed apart and may differ.
fn identity_score(state: &TenantState) -> Markup {
    let Some(identity) = state.snapshot.identity_score.as_deref() else {
        return html! {};
    };
    let mut totals = state.snapshot.category_totals().into_iter();
    let sum = totals.find(|it| it.category == Category::Identity);
    html! {
        div {
            dt { "Identity Secure Score of Entra" }
            dd {
                (points_of(identity.score, identity.max_score))
                @if let Some(at) = identity.as_of { " " span.soft { "of " (day(Day::beginning(at))) } }
            }
        }
        div {
            dt { "Identity in Secure Score" }
            dd {
                @match sum {
                    Some(sum) => (points_of(Some(sum.score), sum.max_score)),
                    None => "unknown",
                }
            }
        }
    }
}

/// How many recommendations of Entra are set aside, as a link to them.
fn set_aside(state: &TenantState) -> Markup {
    let snapshot = &state.snapshot;
    if snapshot.recommendation_anomalies.is_none() {
        return html! {};
    }
    let all = snapshot.recommendations.iter();
    let set_aside = all.filter(|it| it.is_set_aside()).count();
    html! {
        div {
            dt { "Recommendations of Entra" }
            dd { a href="#recommendations" { (set_aside) " of " (snapshot.recommendations.len()) " set aside" } }
        }
    }
}

/// The recommendations of Entra, or nothing where they are not read.
fn recommendations(state: &TenantState, context: &ViewContext<'_>) -> Markup {
    if state.snapshot.recommendation_anomalies.is_none() {
        return html! {};
    }
    html! {
        section aria-labelledby="recommendations" {
            h2 #recommendations { "Recommendations of Entra" }
            (recommendation_table(&state.snapshot.recommendations, context))
        }
    }
}

/// Each category, with the averages of comparable tenants.
fn categories(state: &TenantState) -> Markup {
    let report = state.snapshot.report.as_deref();
    let Some(report) = report.filter(|report| !report.scores.is_empty()) else {
        return html! { p.empty { "There is no report to compare." } };
    };
    let totals = state.snapshot.category_totals();
    let table = html! {
        table.cards {
            caption { "Points of scored controls; the averages are Microsoft's" }
            thead {
                tr {
                    th scope="col" { "Category" }
                    th.number scope="col" { "Points" }
                    th.number scope="col" { "Share" }
                    th.number scope="col" { "Planned" }
                    th.number scope="col" { "Achievable" }
                    @for other in &report.comparisons { th.number scope="col" { (basis_name(other.basis)) } }
                }
            }
            tbody {
                tr {
                    th scope="row" { "All" }
                    td.number data-label="Points" { (points_of(report.current_score, report.max_score)) }
                    td.number data-label="Share" { (share_of(report.current_score, report.max_score)) }
                    (projected(state.snapshot.projection(), report.max_score))
                    @for other in &report.comparisons {
                        td.number data-label=(basis_name(other.basis)) { @match other.ratio { Some(ratio) => (percent(ratio)), None => "unknown" } }
                    }
                }
                @for total in &totals {
                    tr {
                        th scope="row" { (total.category.as_str()) }
                        td.number data-label="Points" { (points_of(Some(total.score), total.max_score)) }
                        td.number data-label="Share" { (share_of(Some(total.score), total.max_score)) }
                        (projected(state.snapshot.category_projection(total), total.max_score))
                        @for other in &report.comparisons { td.number data-label=(basis_name(other.basis)) { (average(other, total.category)) } }
                    }
                }
            }
        }
    };
    wide("Categories", table)
}

/// The cells of the planned and the achievable share.
fn projected(projection: Projection, max: Option<Points>) -> Markup {
    html! {
        @for (label, points) in [("Planned", projection.planned), ("Achievable", projection.achievable)] {
            td.number data-label=(label) { @match points { Some(_) => (share_of(points, max)), None => span.soft { "unknown" } } }
        }
    }
}

const fn basis_name(basis: Basis) -> &'static str {
    match basis {
        Basis::AllTenants => "All tenants",
        Basis::TotalSeats => "Tenants of this size",
        Basis::IndustryTypes => "Tenants of this industry",
    }
}

fn average(comparison: &Comparison, category: Category) -> Markup {
    let mut averages = comparison.categories.iter();
    match averages.find(|it| it.category == category) {
        Some(it) => html! {
            (share_of(it.score, it.max_score)) " "
            span.soft { (points_of(it.score, it.max_score)) }
        },
        None => html! { "unknown" },
    }
}

fn share_of(score: Option<Points>, max: Option<Points>) -> String {
    match (score, max.filter(|max| max.get() > 0.0)) {
        (Some(score), Some(max)) => percent(score.get() / max.get()),
        _ => String::new(),
    }
}

fn refreshes(state: &TenantState, context: &ViewContext<'_>) -> Markup {
    let table = html! {
        table.cards {
            caption { "The lists of Microsoft Graph" }
            thead {
                tr {
                    th scope="col" { "List" }
                    th scope="col" { "Last refresh" }
                    th scope="col" { "Next" }
                    th.number scope="col" { "Refreshes" }
                    th.number scope="col" { "Failed" }
                    th scope="col" { "Failure" }
                }
            }
            tbody {
                @for (api, health) in state.health.lists() {
                    (refresh(list_name(api), health, context))
                }
            }
        }
    };
    wide("Refreshes", table)
}

const fn list_name(api: Api) -> &'static str {
    match api {
        Api::Profiles => "Controls and their states",
        Api::Scores => "Score",
        Api::Recommendations => "Recommendations of Entra",
        Api::IdentityScores => "Identity Secure Score",
    }
}

fn refresh(name: &str, health: &RefreshHealth, context: &ViewContext<'_>) -> Markup {
    let failed: u64 = health.failures.values().sum();
    html! {
        tr {
            th scope="row" { (name) }
            td data-label="Last refresh" { (last_refresh(health, context)) }
            td data-label="Next" { @match health.next_refresh { Some(at) => (until(context.now, at)), None => "not planned" } }
            td.number data-label="Refreshes" { (health.refreshes) }
            td.number data-label="Failed" { (failed) }
            td.words data-label="Failure" {
                @match &health.trouble {
                    None => span.soft { "none" },
                    Some(trouble) => { strong.bad { (trouble.reason.as_str()) } ": " (shortened(&trouble.message)) }
                }
            }
        }
    }
}
