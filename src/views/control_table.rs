//! A tenant's controls, by default those with the most points to gain first.

use super::cells::{approval, control_cell, history, self_approval, state_name, title};
use super::context::ViewContext;
use super::form::{filter_form, select_field};
use super::layout::{shortened, wide};
use super::numbers::{count, points};
use super::paging::PageNumber;
use super::sort::{self, Column, Sort, SortKey, heading, integer};
use super::time::{age, day};
use crate::acceptances::control_changes;
use crate::acceptances::record::implementation_status;
use crate::http_types::QueryError;
use crate::http_types::query::{allow_only, parse_category};
use crate::serde_time::Day;
use crate::store::TenantState;
use crate::text::web_url;
use maud::{Markup, html};
use secure_score_model::{Category, Control, ControlState, Level, Points};

type Key = fn(&Control) -> Option<SortKey>;

const COLUMNS: &[Column<Key>] = &[
    Column::new("control", "Control", "", false, |it| sort::text(title(it))),
    Column::new("category", "Category", "", false, |it| {
        integer(it.category as i64)
    }),
    Column::new("state", "State", "", false, |it| {
        integer(it.state().map(|it| it as i64))
    }),
    Column::new("points", "Points", "number", true, |it| {
        sort::points(score(it))
    }),
    Column::new("gain", "To gain", "number", true, |it| {
        sort::points(it.points_to_gain())
    }),
    Column::unsorted("Implementation"),
    Column::new("impact", "User impact", "", false, |it| {
        integer(rank(it.entry.as_ref()?.user_impact))
    }),
    Column::new("cost", "Cost", "", false, |it| {
        integer(rank(it.entry.as_ref()?.implementation_cost))
    }),
    Column::unsorted("Where to fix it"),
];

const DEFAULT_SORT: &str = "-gain";

/// A longer address is not linked: a page with hundreds of them would not load.
const MAX_LINK_LENGTH: usize = 2_000;

const fn rank(level: Level) -> Option<i64> {
    match level {
        Level::Low => Some(1),
        Level::Moderate => Some(2),
        Level::High => Some(3),
        Level::Unknown => None,
    }
}

/// The query of a tenant's page.
pub(super) struct ControlQuery {
    category: Option<Category>,
    state: Option<ControlState>,
    sort: Sort<Key>,
    page: PageNumber,
}

impl ControlQuery {
    pub(super) fn parse(context: &ViewContext<'_>) -> Result<Self, QueryError> {
        let query = &context.query;
        allow_only(&query.parameters, &["category", "state", "sort", "page"])?;
        Ok(Self {
            category: query.get("category").map(parse_category).transpose()?,
            state: query.get("state").map(parse_state).transpose()?,
            sort: Sort::parse(query.get("sort").unwrap_or(DEFAULT_SORT), COLUMNS)?,
            page: PageNumber::parse(query.get("page"))?,
        })
    }

    fn selects(&self, control: &Control) -> bool {
        self.category.is_none_or(|it| control.category == it)
            && self.state.is_none_or(|it| control.state() == Some(it))
    }
}

fn parse_state(word: &str) -> Result<ControlState, QueryError> {
    let mut states = ControlState::ALL.into_iter();
    states.find(|it| it.as_str() == word).ok_or_else(|| {
        let known = ControlState::ALL.map(ControlState::as_str).join(", ");
        let remedy = format!("use one of {known}");
        QueryError::new(format!("unknown state {word:?}"), remedy)
    })
}

/// The filter and the table.
pub(super) fn control_table(
    state: &TenantState,
    query: &ControlQuery,
    context: &ViewContext<'_>,
) -> Markup {
    let controls = &state.snapshot.controls;
    if controls.is_empty() {
        return html! { p.empty { "No control of this tenant is known now." } };
    }
    let mut found: Vec<&Control> = controls.iter().filter(|it| query.selects(it)).collect();
    query.sort.sort(&mut found, |key, control| key(control));
    html! {
        (form(query, context))
        @if found.is_empty() { p.empty { "No control fits this filter." } }
        @else { (table(&found, query, context)) }
    }
}

fn score(control: &Control) -> Option<Points> {
    control.score.as_ref().map(|score| score.score)
}

fn form(query: &ControlQuery, context: &ViewContext<'_>) -> Markup {
    let categories = Category::ALL.map(|it| (it.as_str(), it.as_str()));
    let states = ControlState::ALL.map(|it| (it.as_str(), state_name(it.as_str())));
    let (category, state) = (query.category, query.state);
    let fields = html! {
        (select_field("Category", "category", "all", categories, category.map(Category::as_str)))
        (select_field("State", "state", "all", states, state.map(ControlState::as_str)))
    };
    let filtered = category.is_some() || state.is_some();
    filter_form(
        &context.query,
        "Filter controls",
        "Filter",
        filtered,
        fields,
    )
}

fn table(found: &[&Control], query: &ControlQuery, context: &ViewContext<'_>) -> Markup {
    let page = query.page.of(found);
    let total: Points = found.iter().filter_map(|it| it.points_to_gain()).sum();
    let table = html! {
        table.controls {
            caption {
                (count(found.len(), "control")) " with " (points(total)) " points to gain" (page.range())
            }
            thead {
                tr {
                    @for column in COLUMNS { (heading(&context.query, Some(&query.sort), column)) }
                }
            }
            tbody { @for control in page.rows { (row(control, context)) } }
        }
    };
    html! {
        (wide("Controls", table))
        (page.links("controls", &context.query))
    }
}

fn row(control: &Control, context: &ViewContext<'_>) -> Markup {
    let entry = control.entry.as_deref();
    let level = |level: Option<Level>| level.map_or("unknown", Level::as_str);
    html! {
        tr {
            (control_cell(control))
            td { (control.category.as_str()) }
            (state_cell(control, context))
            (points_cells(control))
            td.words { (implementation(control)) }
            td { (level(entry.map(|entry| entry.user_impact))) }
            td { (level(entry.map(|entry| entry.implementation_cost))) }
            td.words { (fix_link(entry.and_then(|entry| entry.action_url.as_deref()))) }
        }
    }
}

fn state_cell(control: &Control, context: &ViewContext<'_>) -> Markup {
    let Some(entry) = control.entry.as_deref() else {
        return html! { td.words { "unknown: not in the catalogue" } };
    };
    let state = entry.history.state();
    let accepted = state == ControlState::RiskAccepted;
    let decision = control.approval(context.now);
    let judgement = control.judgement();
    let claim = judgement.present_approval(context.now);
    let claim = claim.filter(|_| control.is_claimed());
    html! {
        td.words {
            @if accepted { span.tag.bad { (state_name(state.as_str())) } } @else { (state_name(state.as_str())) }
            @if let Some(at) = entry.history.state_since() {
                p.soft { "since " (day(Day::beginning(at))) ", " (age(context.now, at)) }
            }
            @if let Some(claim) = claim {
                div { (approval(claim, true, context)) }
            } @else if accepted || decision.decision().is_some() {
                div { (approval(decision, accepted, context)) }
            }
            @if accepted || claim.is_some() { (self_approval(judgement.is_self_approved(context.now))) }
            (history(&control_changes(control), context))
        }
    }
}

fn points_cells(control: &Control) -> Markup {
    let shown = |value: Option<Points>| value.map_or_else(|| "unknown".to_owned(), points);
    html! {
        @if let Some(score) = score(control) {
            td.number { (points(score)) " of " (shown(control.max_score())) }
            td.number { (shown(control.points_to_gain())) }
        } @else {
            td.number { span.soft { "not scored" } }
            td.number { span.soft { "none" } }
        }
    }
}

/// Microsoft's sentence on the progress; its wording changes too often to parse.
fn implementation(control: &Control) -> Markup {
    match implementation_status(control) {
        Some(words) => html! { (shortened(words)) },
        None => html! { span.soft { "not reported" } },
    }
}

/// The link to the setting, with its host. It is the parsed address, so the host
/// that is shown is the host that is visited.
fn fix_link(address: Option<&str>) -> Markup {
    let short = address.filter(|address| address.len() <= MAX_LINK_LENGTH);
    let url = short.and_then(|address| web_url(address.trim()));
    match url.as_ref().and_then(|url| url.host_str().zip(Some(url))) {
        Some((host, link)) => html! {
            a href=(link) rel="noreferrer noopener" { "Fix it" } p.soft { (shortened(host)) }
        },
        None => html! { span.soft { "no link" } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(address: &str) -> String {
        fix_link(Some(address)).into_string()
    }

    #[test]
    fn a_link_leads_to_the_host_that_is_shown() {
        for (address, link, host) in [
            (
                "https://Entra.Microsoft.com/#view",
                "https://entra.microsoft.com/#view",
                "entra.microsoft.com",
            ),
            (
                "https://good.example\\@evil.example",
                "https://good.example/@evil.example",
                "good.example",
            ),
        ] {
            let found = linked(address);
            assert!(found.contains(&format!("href=\"{link}\"")), "{found}");
            assert!(found.contains(&format!(">{host}<")), "{found}");
        }
    }

    #[test]
    fn other_addresses_are_not_linked() {
        let long = format!("https://x.example/{}", "a".repeat(2_000));
        for hostile in [
            "javascript:alert(1)",
            " java\nscript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "//evil.example",
            "/relative",
            "https://microsoft.com@evil.example/",
            "https://",
            "",
            "nonsense",
            &long,
        ] {
            assert!(!linked(hostile).contains("href"), "{hostile:?}");
        }
    }
}
