//! A tenant's controls, by default those with the most points to gain first.

use super::cells::{
    approval, control_cell, disagreement, history, self_approval, state_name, title,
};
use super::context::ViewContext;
use super::form::{Find, bool_value, filter_form, select_field, text_field};
use super::layout::{shortened, wide};
use super::numbers::points;
use super::page_query::PageQuery;
use super::paging::PageNumber;
use super::sort::{self, Column, Sort, SortKey, heading, integer};
use super::time::{age, day};
use crate::acceptances::control_changes;
use crate::acceptances::record::implementation_status;
use crate::http_types::QueryError;
use crate::http_types::query::{parse_category, parse_flag};
use crate::serde_time::Day;
use crate::store::TenantState;
use crate::text::{count, web_url};
use maud::{Markup, html};
use secure_score_model::{
    Category, Control, ControlState, Level, Points, Recommendation, Timestamp,
};
use std::cmp::Reverse;

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

/// Where the table begins on the page.
const ANCHOR: &str = "#controls";

/// The most controls shown of those that are watched, accepted or claimed.
const MAX_NOTABLE: usize = 50;

/// The query of a tenant's page.
pub(super) struct ControlQuery {
    /// By title and id.
    find: Find,
    category: Option<Category>,
    state: Option<ControlState>,
    watched: Option<bool>,
    sort: Sort<Key>,
    page: PageNumber,
}

impl ControlQuery {
    pub(super) fn parse(context: &ViewContext<'_>) -> Result<Self, QueryError> {
        let query = &context.query;
        let known = ["find", "category", "state", "watched", "sort", "page"];
        query.allow_only(&known)?;
        let watched = query.get("watched").map(|it| parse_flag("watched", it));
        Ok(Self {
            find: Find::of(query),
            watched: watched.transpose()?,
            category: query.get("category").map(parse_category).transpose()?,
            state: query.get("state").map(parse_state).transpose()?,
            sort: Sort::parse(query.get("sort").unwrap_or(DEFAULT_SORT), COLUMNS)?,
            page: PageNumber::parse(query.get("page"))?,
        })
    }

    fn selects(&self, control: &Control) -> bool {
        self.find.finds(&[title(control), &*control.id])
            && self.category.is_none_or(|it| control.category == it)
            && self.state.is_none_or(|it| control.state() == Some(it))
            && self.watched.is_none_or(|it| control.watched == it)
    }

    fn filters(&self) -> bool {
        self.find.is_set()
            || self.category.is_some()
            || self.state.is_some()
            || self.watched.is_some()
    }

    /// The controls that it selects, in its order.
    pub(super) fn found<'c>(&self, controls: &'c [Control]) -> Vec<&'c Control> {
        let mut found: Vec<&Control> = controls.iter().filter(|it| self.selects(it)).collect();
        self.sort.sort(&mut found, |key, control| key(control));
        found
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
    let found = query.found(controls);
    let address = context.query.at(ANCHOR);
    html! {
        (form(query, &address))
        @if found.is_empty() { p.empty { "No control fits this filter." } }
        @else { (table(&found, state, query, &address, context)) }
    }
}

/// The controls that are watched, accepted in either place or claimed, those without a
/// decision first.
pub(super) fn notable_table(state: &TenantState, context: &ViewContext<'_>) -> Markup {
    let controls = state.snapshot.controls.iter();
    let is_accepted = |it: &Control| is_accepted(it) || set_aside(it, state).is_some();
    let mut found: Vec<&Control> = controls
        .filter(|it| it.watched || is_accepted(it) || it.is_claimed())
        .collect();
    if found.is_empty() {
        return html! { p.empty { "No known control is watched, accepted or claimed." } };
    }
    found.sort_by_cached_key(|it| urgency(it, set_aside(it, state), context.now));
    let number = |has: &dyn Fn(&Control) -> bool| found.iter().filter(|it| has(it)).count();
    let table = html! {
        table.controls.cards {
            caption {
                (number(&|it| it.watched)) " watched, " (number(&is_accepted)) " accepted, "
                (number(&Control::is_claimed)) " claimed; those that need a decision first"
            }
            thead { tr { @for column in COLUMNS { (column.plain_heading()) } } }
            tbody { @for control in found.iter().take(MAX_NOTABLE) { (row(control, state, context)) } }
        }
    };
    html! {
        (wide("Watched, accepted and claimed controls", table))
        @if let Some(more) = found.len().checked_sub(MAX_NOTABLE).filter(|more| *more > 0) {
            p { "… and " (more) " more among all controls below." }
        }
    }
}

fn is_accepted(control: &Control) -> bool {
    control.state() == Some(ControlState::RiskAccepted)
}

/// The recommendation of Entra that is the same, where it is set aside.
fn set_aside<'a>(control: &Control, state: &'a TenantState) -> Option<&'a Recommendation> {
    let mut all = state.snapshot.recommendations.iter();
    all.find(|it| it.is_set_aside() && it.control.as_deref() == Some(&*control.id))
}

/// Accepted in either place or claimed, without a decision, then accepted, then claimed,
/// then open with the most points to gain.
fn urgency(
    control: &Control,
    set_aside: Option<&Recommendation>,
    now: Timestamp,
) -> impl Ord + use<> {
    let (accepted, claimed) = (is_accepted(control), control.is_claimed());
    let judgement = control.judgement();
    let claim = judgement.present_approval(now).filter(|_| claimed);
    let is_approved = match claim {
        Some(claim) => claim.is_approved(),
        None => !accepted || control.approval(now).is_approved(),
    };
    let is_approved = is_approved && set_aside.is_none_or(|it| it.approval(now).is_approved());
    let accepted = accepted || set_aside.is_some();
    let gain = control.points_to_gain().map(|it| (it.get() * 100.0) as i64);
    (is_approved, !accepted, !claimed, Reverse(gain))
}

/// The points of a control, where it is scored.
pub(super) fn score(control: &Control) -> Option<Points> {
    control.score.as_ref().map(|score| score.score)
}

fn form(query: &ControlQuery, address: &PageQuery) -> Markup {
    let categories = Category::ALL.map(|it| (it.as_str(), it.as_str()));
    let states = ControlState::ALL.map(|it| (it.as_str(), state_name(it.as_str())));
    let (category, state) = (query.category, query.state);
    let watched = [("true", "watched"), ("false", "not watched")];
    let fields = html! {
        (text_field("Control", "find", "search", address, None))
        (select_field("Category", "category", "all", categories, category.map(Category::as_str)))
        (select_field("State", "state", "all", states, state.map(ControlState::as_str)))
        (select_field("Watched", "watched", "all", watched, bool_value(query.watched)))
    };
    let filtered = query.filters();
    filter_form(address, "Filter controls", "Filter", filtered, fields)
}

fn table(
    found: &[&Control],
    state: &TenantState,
    query: &ControlQuery,
    address: &PageQuery,
    context: &ViewContext<'_>,
) -> Markup {
    let page = query.page.of(found);
    let total: Points = found.iter().filter_map(|it| it.points_to_gain()).sum();
    let table = html! {
        table.controls.cards {
            caption {
                (count(found.len(), "control")) " with " (count(points(total), "point")) " to gain" (page.range())
            }
            thead {
                tr {
                    @for column in COLUMNS { (heading(address, Some(&query.sort), column)) }
                }
            }
            tbody { @for control in page.rows { (row(control, state, context)) } }
        }
    };
    html! {
        (wide("Controls", table))
        (page.links("controls", address))
    }
}

fn row(control: &Control, state: &TenantState, context: &ViewContext<'_>) -> Markup {
    let entry = control.entry.as_deref();
    let level = |level: Option<Level>| level.map_or("unknown", Level::as_str);
    html! {
        tr {
            (control_cell(control, context))
            td data-label="Category" { (control.category.as_str()) }
            (state_cell(control, set_aside(control, state), context))
            (points_cells(control))
            td.words data-label="Implementation" { (implementation(control)) }
            td data-label="User impact" { (level(entry.map(|entry| entry.user_impact))) }
            td data-label="Cost" { (level(entry.map(|entry| entry.implementation_cost))) }
            td.words.fix data-label="Where to fix it" { (fix_link(entry.and_then(|entry| entry.action_url.as_deref()))) }
        }
    }
}

fn state_cell(
    control: &Control,
    set_aside: Option<&Recommendation>,
    context: &ViewContext<'_>,
) -> Markup {
    let Some(entry) = control.entry.as_deref() else {
        return html! { td.words data-label="State" { "unknown: not in the catalogue" } };
    };
    let state = entry.history.state();
    let accepted = is_accepted(control);
    let decision = control.approval(context.now);
    let judgement = control.judgement();
    let claim = judgement.present_approval(context.now);
    let claim = claim.filter(|_| control.is_claimed());
    html! {
        td.words data-label="State" {
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
            @if let Some(it) = set_aside { (in_entra(it, context)) }
            (history(&control_changes(control), context))
        }
    }
}

/// What is set aside in Entra, with its approval.
fn in_entra(it: &Recommendation, context: &ViewContext<'_>) -> Markup {
    html! {
        p {
            span.tag.bad { (state_name(it.entry.status.as_str())) } " in Entra"
            (disagreement(it.disagrees()))
        }
        div { (approval(it.approval(context.now), true, context)) }
    }
}

fn points_cells(control: &Control) -> Markup {
    let shown = |value: Option<Points>| value.map_or_else(|| "unknown".to_owned(), points);
    html! {
        @if let Some(score) = score(control) {
            td.number data-label="Points" { (points(score)) " of " (shown(control.max_score())) }
            td.number data-label="To gain" { (shown(control.points_to_gain())) }
        } @else {
            td.number data-label="Points" { span.soft { "not scored" } }
            td.number data-label="To gain" { span.soft { "none" } }
        }
    }
}

/// Microsoft's sentence on the progress; its wording changes too often to parse.
pub(super) fn implementation(control: &Control) -> Markup {
    match implementation_status(control) {
        Some(words) => html! { (shortened(words)) },
        None => html! { span.soft { "not reported" } },
    }
}

/// The link to the setting, with its host. It is the parsed address, so the host
/// that is shown is the host that is visited.
pub(super) fn fix_link(address: Option<&str>) -> Markup {
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
