//! A tenant's controls, by default those with the most points to gain first.

use super::acceptance_cells::{control_cell, title};
use super::approval::approval;
use super::context::ViewContext;
use super::external_link::external_link;
use super::form::{filter_form, select_field};
use super::history::{history, state_name};
use super::layout::{shortened, wide};
use super::numbers::{count, points};
use super::paging::PageNumber;
use super::sort::{self, Column, Sort, SortKey, heading, integer};
use super::time::{age, day};
use crate::http_types::QueryError;
use crate::store::TenantState;
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
        query.allow_only(&["category", "state", "sort", "page"])?;
        Ok(Self {
            category: query.category()?,
            state: query.state()?,
            sort: Sort::parse(query.get("sort").unwrap_or(DEFAULT_SORT), COLUMNS)?,
            page: PageNumber::from_query(query)?,
        })
    }

    fn selects(&self, control: &Control) -> bool {
        self.category.is_none_or(|it| control.category == it)
            && self.state.is_none_or(|it| control.state() == Some(it))
    }
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
    let states = ControlState::ALL.map(|it| (it.as_str(), state_name(it)));
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
    let exception = control.approval(context.now);
    html! {
        td.words {
            @if accepted { span.tag.bad { (state_name(state)) } } @else { (state_name(state)) }
            @if let Some(at) = entry.history.state_since() {
                p.soft { "since " (day(at)) ", " (age(context.now, at)) }
            }
            @if accepted || exception.exception().is_some() {
                div { (approval(exception, accepted, context)) }
            }
            (history(&entry.history, context))
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
    let score = control.score.as_deref();
    match score.and_then(|score| score.implementation_status.as_deref()) {
        Some(words) => html! { (shortened(words)) },
        None => html! { span.soft { "not reported" } },
    }
}

/// The link to the setting, with its host.
fn fix_link(address: Option<&str>) -> Markup {
    match address.and_then(external_link) {
        Some((link, host)) => html! {
            a href=(link) rel="noreferrer noopener" { "Fix it" } p.soft { (shortened(&host)) }
        },
        None => html! { span.soft { "no link" } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_not_linked() {
        let shown = fix_link(Some("javascript:alert(1)")).into_string();
        assert!(!shown.contains("href"), "{shown}");
    }
}
