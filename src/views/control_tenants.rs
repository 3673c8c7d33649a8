//! The tenants that have a control, each with its state there.

use super::PageError;
use super::cells::{
    approval, changed_at, disagreement, person_and_comment, place_history, self_approval,
    state_name,
};
use super::context::ViewContext;
use super::control_table::{implementation, score};
use super::form::{Find, filter_form, select_field, text_field};
use super::layout::wide;
use super::numbers::points_of;
use super::page_query::PageQuery;
use super::paging::PageNumber;
use super::sort::{self, Column, Sort, SortKey, heading, integer, text};
use super::standing::{parse_standing, standing_choices, standing_mark};
use super::standing_csv::standing_csv;
use crate::acceptances::{Standing, Subject, control_changes, status_changes};
use crate::http_types::QueryError;
use crate::text::count;
use maud::{Markup, html};
use secure_score_model::{Place, Points, Timestamp};
use std::cmp::Reverse;

type Key = fn(&ControlTenant<'_>) -> Option<SortKey>;

const COLUMNS: &[Column<Key>] = &[
    Column::new("tenant", "Tenant", "", false, |it| {
        text(&it.subject.tenant.identity.alias)
    }),
    Column::new("state", "State", "", false, |it| {
        integer(it.standing as i64)
    }),
    Column::new("since", "Since", "", true, |it| {
        integer(
            it.subject
                .change()
                .and_then(|it| it.at)
                .map(Timestamp::nanos),
        )
    }),
    Column::unsorted(PERSONS),
    Column::unsorted("Approval"),
    Column::new("points", "Points", "number", true, |it| {
        sort::points(it.score())
    }),
    Column::unsorted("Implementation"),
];

/// The label of a column that is left out where persons are hidden.
const PERSONS: &str = "By whom and why";

/// The query of the page.
pub(super) struct TenantsQuery {
    /// By a tenant's names.
    find: Find,
    state: Option<Standing>,
    sort: Option<Sort<Key>>,
    page: PageNumber,
}

impl TenantsQuery {
    pub(super) fn parse(context: &ViewContext<'_>) -> Result<Self, QueryError> {
        let query = &context.query;
        query.allow_only(&["find", "state", "sort", "page"])?;
        let parse_sort = |word| Sort::parse(word, COLUMNS);
        Ok(Self {
            find: Find::of(query),
            state: query.get("state").map(parse_standing).transpose()?,
            sort: query.get("sort").map(parse_sort).transpose()?,
            page: PageNumber::parse(query.get("page"))?,
        })
    }

    fn selects(&self, row: &ControlTenant<'_>) -> bool {
        self.find.finds_tenant(&row.subject.tenant.identity)
            && self.state.is_none_or(|it| row.standing == it)
    }
}

/// A tenant that has the control, or of which that is not known.
struct ControlTenant<'a> {
    subject: Subject<'a>,
    standing: Standing,
}

impl ControlTenant<'_> {
    fn score(&self) -> Option<Points> {
        score(self.subject.control?)
    }
}

/// Every tenant that has the control, or of which that is not known.
pub(super) struct ControlTenants<'a>(Vec<ControlTenant<'a>>);

impl<'a> ControlTenants<'a> {
    /// Those that need attention first, then the newest change.
    pub(super) fn new(found: &[Subject<'a>], now: Timestamp) -> Self {
        let rows = found.iter().map(|subject| ControlTenant {
            subject: *subject,
            standing: subject.standing(now),
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_cached_key(|it| {
            (
                it.standing,
                Reverse(it.subject.change().and_then(|it| it.at)),
            )
        });
        Self(rows)
    }

    /// How many tenants are in a standing.
    pub(super) fn count(&self, standing: Standing) -> usize {
        self.0.iter().filter(|it| it.standing == standing).count()
    }
}

/// The tenants that the query selects, in its order.
fn selected<'a>(tenants: ControlTenants<'a>, query: &TenantsQuery) -> Vec<ControlTenant<'a>> {
    let ControlTenants(mut rows) = tenants;
    rows.retain(|row| query.selects(row));
    if let Some(sort) = &query.sort {
        sort.sort(&mut rows, |key, row| key(row));
    }
    rows
}

/// The tenants that the query selects, as CSV; `shown` has the names of the control.
pub(super) fn tenants_csv<'a>(
    tenants: ControlTenants<'a>,
    shown: Subject<'a>,
    query: &TenantsQuery,
    context: &ViewContext<'_>,
) -> Result<Vec<u8>, PageError> {
    let rows = selected(tenants, query).into_iter();
    standing_csv(rows.map(|row| row.subject), Some(shown), context)
}

/// The filter and the table.
pub(super) fn tenants_table(
    tenants: ControlTenants<'_>,
    query: &TenantsQuery,
    context: &ViewContext<'_>,
) -> Markup {
    let here = context.query.at("#tenants");
    let rows = selected(tenants, query);
    let states = standing_choices();
    let fields = html! {
        (select_field("State", "state", "any", states, query.state.map(Standing::as_str)))
        (text_field("Tenant's name", "find", "search", &here, None))
    };
    let filtered = query.find.is_set() || query.state.is_some();
    html! {
        (filter_form(&here, "Filter tenants", "Filter", filtered, fields))
        @if rows.is_empty() { p.empty { "No tenant fits this filter." } }
        @else { (table(&rows, query, &here, context)) }
    }
}

fn table(
    rows: &[ControlTenant<'_>],
    query: &TenantsQuery,
    here: &PageQuery,
    context: &ViewContext<'_>,
) -> Markup {
    let page = query.page.of(rows);
    let hidden = context.persons().are_hidden();
    let columns = COLUMNS.iter().filter(|it| !hidden || it.label != PERSONS);
    let table = html! {
        table.register.cards {
            caption { (count(rows.len(), "tenant")) (page.range()) }
            thead { tr { @for column in columns { (heading(here, query.sort.as_ref(), column)) } } }
            tbody { @for row in page.rows { (tenant_row(row, context)) } }
        }
    };
    html! {
        (wide("Tenants with this control", table))
        (page.links("tenants", here))
    }
}

fn tenant_row(row: &ControlTenant<'_>, context: &ViewContext<'_>) -> Markup {
    let change = row.subject.change();
    html! {
        tr {
            th scope="row" { (context.tenant(&row.subject.tenant.identity.alias)) }
            (state_cell(row, context))
            td.when data-label="Since" {
                @match change { Some(change) => (changed_at(change, context.now)), None => span.soft { (if row.subject.is_known() { "never changed" } else { "unknown" }) } }
            }
            @if !context.persons().are_hidden() {
                td.words data-label="By whom and why" {
                    @if let Some(change) = change { (person_and_comment(change, context.persons())) }
                }
            }
            td.words data-label="Approval" { (approvals(row, context)) }
            td.number data-label="Points" { (points_cell(row)) }
            td.words data-label="Implementation" {
                @if let Some(control) = row.subject.control { (implementation(control)) }
            }
        }
    }
}

/// The standing, the state in both places and the history.
fn state_cell(row: &ControlTenant<'_>, context: &ViewContext<'_>) -> Markup {
    let Subject {
        control,
        recommendation,
        ..
    } = row.subject;
    let disagrees = recommendation.and_then(|it| it.disagrees());
    html! {
        td.words data-label="State" {
            (standing_mark(row.standing)) (disagreement(disagrees))
            @if !row.subject.is_known() { p.soft { "The catalogue of controls is not known." } }
            @if let Some(control) = control {
                p.soft { "Secure Score: " @match control.state() { Some(state) => (state_name(state.as_str())), None => "not in the catalogue" } }
            }
            @if let Some(it) = recommendation { p.soft { "Entra: " (state_name(it.entry.status.as_str())) } }
            @if let Some(control) = control { (place_history(Place::SecureScore, &control_changes(control), context)) }
            @if let Some(it) = recommendation { (place_history(Place::Entra, &status_changes(it), context)) }
        }
    }
}

/// The approval of what is declared, in each place.
fn approvals(row: &ControlTenant<'_>, context: &ViewContext<'_>) -> Markup {
    let Subject {
        control,
        recommendation,
        ..
    } = row.subject;
    let judgements = [
        control.map(|it| it.judgement()),
        recommendation.map(|it| it.judgement()),
    ];
    let declared = judgements.into_iter().flatten();
    let declared = declared.filter_map(|it| Some((it.present_approval(context.now)?, it)));
    let declared: Vec<_> = declared.collect();
    html! {
        @if declared.is_empty() { span.soft { "none" } }
        @for (found, judgement) in declared {
            div {
                (approval(found, row.standing != Standing::Open, context))
                (self_approval(judgement.is_self_approved(context.now)))
            }
        }
    }
}

fn points_cell(row: &ControlTenant<'_>) -> Markup {
    let max = row.subject.control.and_then(|it| it.max_score());
    html! {
        @match row.score() {
            Some(score) => (points_of(Some(score), max)),
            None if !row.subject.is_known() => span.soft { "unknown" },
            None => span.soft { "not scored" },
        }
    }
}
