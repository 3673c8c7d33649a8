//! A tenant's controls, those first that would gain most.

use super::acceptance::control_cell;
use super::address::{Address, outward};
use super::approval::approval;
use super::changes::{history, in_words};
use super::choice::choice;
use super::figures::{count, points};
use super::layout::{shortened, wide};
use super::moment::{ago, day};
use super::order::{Column, Headings, Order};
use super::reader::Reader;
use crate::http::asked::AskedControls;
use crate::store::TenantState;
use maud::{Markup, html};
use secure_score_model::{Category, Control, ControlState, Level, Points};
use std::cmp::Ordering;

/// What the controls can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum ControlColumn {
    Gain,
    Control,
    Category,
    State,
    Points,
    Impact,
    Cost,
}

impl Column for ControlColumn {
    const ALL: &'static [Self] = &[
        Self::Gain,
        Self::Control,
        Self::Category,
        Self::State,
        Self::Points,
        Self::Impact,
        Self::Cost,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Gain => "gain",
            Self::Control => "control",
            Self::Category => "category",
            Self::State => "state",
            Self::Points => "points",
            Self::Impact => "impact",
            Self::Cost => "cost",
        }
    }

    fn begins_with_the_most(self) -> bool {
        matches!(self, Self::Gain | Self::Points)
    }
}

/// The order nobody asked for.
const MOST_TO_GAIN: Order<ControlColumn> = Order {
    column: ControlColumn::Gain,
    descending: true,
};

/// The filter and the table.
pub(super) fn controls(
    state: &TenantState,
    asked: &AskedControls,
    address: &Address,
    reader: &Reader<'_>,
) -> Markup {
    if state.snapshot.controls.is_empty() {
        return html! { p.empty { "No control of this tenant is known now." } };
    }
    let order = asked.order.unwrap_or(MOST_TO_GAIN);
    let fits = |control: &&Control| {
        asked.category.is_none_or(|it| control.category == it)
            && asked.state.is_none_or(|it| control.state() == Some(it))
    };
    let mut found: Vec<&Control> = state.snapshot.controls.iter().filter(fits).collect();
    found.sort_by(|a, b| compare(order, a, b));
    html! {
        (form(asked, address))
        @if found.is_empty() { p.empty { "No control fits this filter." } }
        @else { (table(&found, order, asked, address, reader)) }
    }
}

fn compare(order: Order<ControlColumn>, a: &Control, b: &Control) -> Ordering {
    let entry = |control: &Control, level: fn(&secure_score_model::CatalogueEntry) -> Level| {
        control
            .entry
            .as_deref()
            .and_then(|entry| rank(level(entry)))
    };
    match order.column {
        ControlColumn::Gain => order.compare(gain(a), gain(b)),
        ControlColumn::Control => order.compare(Some(title(a)), Some(title(b))),
        ControlColumn::Category => order.compare(Some(a.category), Some(b.category)),
        ControlColumn::State => order.compare(a.state(), b.state()),
        ControlColumn::Points => order.compare(earned(a), earned(b)),
        ControlColumn::Impact => {
            order.compare(entry(a, |e| e.user_impact), entry(b, |e| e.user_impact))
        }
        ControlColumn::Cost => order.compare(
            entry(a, |e| e.implementation_cost),
            entry(b, |e| e.implementation_cost),
        ),
    }
}

fn title(control: &Control) -> String {
    let entry = control.entry.as_deref();
    entry
        .map_or(&control.id, |entry| &entry.title)
        .to_lowercase()
}

fn earned(control: &Control) -> Option<Points> {
    control.score.as_ref().map(|score| score.score)
}

/// The points a scored control has yet to give.
fn gain(control: &Control) -> Option<Points> {
    let left = control.max_score()?.get() - earned(control)?.get();
    Points::new(left.max(0.0))
}

const fn rank(level: Level) -> Option<u8> {
    match level {
        Level::Low => Some(1),
        Level::Moderate => Some(2),
        Level::High => Some(3),
        Level::Unknown => None,
    }
}

fn form(asked: &AskedControls, address: &Address) -> Markup {
    let categories = Category::ALL.map(|it| (it.as_str(), it.as_str().to_owned()));
    let states = ControlState::ALL.map(|it| (it.as_str(), in_words(it)));
    let filtered = asked.category.is_some() || asked.state.is_some();
    html! {
        form.filter method="get" action=(address.path()) role="search" aria-label="Filter controls" {
            (choice("Category", "category", "all", categories.iter().map(|(v, w)| (*v, &**w)), asked.category.map(Category::as_str)))
            (choice("State", "state", "all", states.iter().map(|(v, w)| (*v, &**w)), asked.state.map(ControlState::as_str)))
            @if let Some(sort) = address.asked("sort") { input type="hidden" name="sort" value=(sort); }
            div.buttons {
                button type="submit" { "Filter" }
                @if filtered { " " a href=(address.path()) { "Show all" } }
            }
        }
    }
}

fn table(
    found: &[&Control],
    order: Order<ControlColumn>,
    asked: &AskedControls,
    address: &Address,
    reader: &Reader<'_>,
) -> Markup {
    use ControlColumn as By;
    let shown = asked.page.of(found);
    let headings = Headings {
        address,
        order: Some(order),
    };
    let total: Points = found.iter().filter_map(|control| gain(control)).sum();
    let table = html! {
        table.controls {
            caption {
                (count(found.len(), "control")) " with " (points(total)) " points to gain" (shown.range())
            }
            thead {
                tr {
                    (headings.sorting(By::Control, "Control", ""))
                    (headings.sorting(By::Category, "Category", ""))
                    (headings.sorting(By::State, "State", ""))
                    (headings.sorting(By::Points, "Points", "number"))
                    (headings.sorting(By::Gain, "To gain", "number"))
                    th scope="col" { "Implementation" }
                    (headings.sorting(By::Impact, "User impact", ""))
                    (headings.sorting(By::Cost, "Cost", ""))
                    th scope="col" { "Where to fix it" }
                }
            }
            tbody { @for control in shown.rows { (row(control, reader)) } }
        }
    };
    html! {
        (wide("Controls", table))
        (shown.links("controls", address))
    }
}

fn row(control: &Control, reader: &Reader<'_>) -> Markup {
    let entry = control.entry.as_deref();
    let level = |level: Option<Level>| level.map_or("unknown", Level::as_str);
    html! {
        tr {
            (control_cell(control))
            td { (control.category.as_str()) }
            (state_cell(control, reader))
            (points_cells(control))
            td.words { (implementation(control)) }
            td { (level(entry.map(|entry| entry.user_impact))) }
            td { (level(entry.map(|entry| entry.implementation_cost))) }
            td.words { (remedy(entry.and_then(|entry| entry.action_url.as_deref()))) }
        }
    }
}

fn state_cell(control: &Control, reader: &Reader<'_>) -> Markup {
    let Some(entry) = control.entry.as_deref() else {
        return html! { td.words { "unknown: not in the catalogue" } };
    };
    let state = entry.history.state();
    let accepted = state == ControlState::RiskAccepted;
    let verdict = control.approval(reader.now);
    html! {
        td.words {
            @if accepted { span.tag.bad { (in_words(state)) } } @else { (in_words(state)) }
            @if let Some(at) = entry.history.state_since() {
                p.soft { "since " (day(at)) ", " (ago(reader.now, at)) }
            }
            @if accepted || verdict.exception().is_some() { div { (approval(verdict, accepted, reader)) } }
            (history(&entry.history, reader))
        }
    }
}

fn points_cells(control: &Control) -> Markup {
    let Some(score) = earned(control) else {
        return html! {
            td.number { span.soft { "not scored" } }
            td.number { span.soft { "none" } }
        };
    };
    html! {
        td.number {
            (points(score)) " of "
            @match control.max_score() { Some(max) => (points(max)), None => "unknown" }
        }
        td.number { @match gain(control) { Some(gain) => (points(gain)), None => "unknown" } }
    }
}

/// Microsoft's sentence on how far it is; it changes too often to be read by
/// anything but a person.
fn implementation(control: &Control) -> Markup {
    let score = control.score.as_deref();
    let status = score.and_then(|score| score.implementation_status.as_deref());
    match status {
        Some(words) => html! { (shortened(words)) },
        None => html! { span.soft { "not told" } },
    }
}

/// The way to the setting, with the host it leads to.
fn remedy(address: Option<&str>) -> Markup {
    match address.and_then(outward) {
        Some((link, host)) => html! {
            a href=(link) rel="noreferrer noopener" { "Fix it" } p.soft { (shortened(&host)) }
        },
        None => html! { span.soft { "no link" } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::ControlScore;
    use std::sync::Arc;

    fn control(score: f64, percentage: f64) -> Control {
        Control {
            id: "A".into(),
            category: Category::Identity,
            entry: None,
            score: Some(Arc::new(ControlScore {
                id: "A".into(),
                category: Category::Identity,
                score: Points::new(score).unwrap(),
                percentage: Some(percentage),
                last_synced: None,
                implementation_status: None,
            })),
            selected: true,
            watched: false,
            exceptions: Vec::new(),
        }
    }

    #[test]
    fn what_is_left_is_to_gain_and_the_unknown_is_not_nothing() {
        assert_eq!(gain(&control(2.0, 20.0)), Points::new(8.0));
        assert_eq!(gain(&control(2.0, 100.0)), Points::new(0.0));
        assert_eq!(gain(&control(0.0, 0.0)), None);
    }

    #[test]
    fn a_link_that_is_none_is_said_so() {
        let shown = remedy(Some("javascript:alert(1)")).into_string();
        assert!(!shown.contains("href"), "{shown}");
    }
}
