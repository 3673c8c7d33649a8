//! Every tenant and every watched control: where each is met, open, accepted.

use super::PageError;
use super::context::ViewContext;
use super::control_address::control_href;
use super::form::{Find, filter_form, select_field, text_field};
use super::layout::{layout, shortened, wide};
use super::page_query::encoded;
use super::paging::{PageNumber, TablePage};
use super::sort::{Column, Sort, SortKey, heading, integer, text};
use super::standing::{legend, parse_standing, standing_choices, standing_count, standing_mark};
use super::standing_csv::standing_csv;
use super::status::unknown_lists_note;
use crate::acceptances::watched_matrix::{MatrixRow, WatchedControl, WatchedMatrix};
use crate::acceptances::{Standing, Subject};
use crate::http_types::QueryError;
use crate::text::count;
use maud::{Markup, html};

/// The most controls beside each other; a filter shows any one.
const MAX_COLUMNS: usize = 30;

type Key = fn(&MatrixRow<'_>) -> Option<SortKey>;

const COLUMNS: &[Column<Key>] = &[
    Column::new("tenant", "Tenant", "", false, |it| {
        text(&it.tenant.identity.alias)
    }),
    Column::new("to_decide", "To look at", "number", true, |it| {
        integer(i64::try_from(it.needing_attention()).ok())
    }),
];

/// The query of the page.
struct MatrixQuery {
    /// By a tenant's names.
    find: Find,
    control: Option<String>,
    state: Option<Standing>,
    sort: Option<Sort<Key>>,
    page: PageNumber,
}

impl MatrixQuery {
    fn parse(context: &ViewContext<'_>) -> Result<Self, QueryError> {
        let query = &context.query;
        let known = ["find", "control", "state", "sort", "page"];
        query.allow_only(&known)?;
        let parse_sort = |word| Sort::parse(word, COLUMNS);
        Ok(Self {
            find: Find::of(query),
            control: query.get("control").map(str::to_owned),
            state: query.get("state").map(parse_standing).transpose()?,
            sort: query.get("sort").map(parse_sort).transpose()?,
            page: PageNumber::parse(query.get("page"))?,
        })
    }

    const fn filters(&self) -> bool {
        self.find.is_set() || self.control.is_some() || self.state.is_some()
    }

    fn selects(&self, row: &MatrixRow<'_>) -> bool {
        let is_in_state = |it: Standing| row.standings.contains(&it);
        self.find.finds_tenant(&row.tenant.identity) && self.state.is_none_or(is_in_state)
    }
}

/// The page.
pub(super) fn view(context: &ViewContext<'_>) -> Result<Markup, PageError> {
    let query = MatrixQuery::parse(context)?;
    let all = WatchedMatrix::new(context.tenants, context.now);
    let content = html! {
        p.lead { "How far each tenant is with each control and recommendation on the watch list, in Secure Score and in Entra." }
        (unknown_lists_note(context.tenants))
        @if all.controls.is_empty() {
            p.empty { "No known control or recommendation is on the watch list." }
        } @else {
            (form(&query, &all, context))
            (legend())
            (matrix(all, &query, context))
        }
    };
    Ok(layout(context, "Watched controls", content))
}

/// Every watched control of each tenant as CSV, as far as the query selects it.
pub(super) fn matrix_csv(context: &ViewContext<'_>) -> Result<Vec<u8>, PageError> {
    let query = MatrixQuery::parse(context)?;
    let states = context.tenants.states.iter();
    let subjects = states
        .filter(|it| query.find.finds_tenant(&it.identity))
        .flat_map(|it| Subject::watched(it));
    let subjects = subjects.filter(|it| {
        let control = query.control.as_deref();
        control.is_none_or(|name| it.name().eq_ignore_ascii_case(name))
            && query
                .state
                .is_none_or(|state| it.standing(context.now) == state)
    });
    standing_csv(subjects, None, context)
}

fn form(query: &MatrixQuery, all: &WatchedMatrix<'_>, context: &ViewContext<'_>) -> Markup {
    let states = standing_choices();
    let fields = html! {
        label {
            span { "Control" }
            select name="control" {
                option value="" { "all" }
                @for control in &all.controls {
                    @let chosen = query.control.as_deref().is_some_and(|it| control.has_name(it));
                    option value=(control.name) selected[chosen] { (shortened(control.title)) }
                }
            }
        }
        (select_field("State", "state", "any", states, query.state.map(Standing::as_str)))
        (text_field("Tenant's name", "find", "search", &context.query, None))
    };
    filter_form(
        &context.query,
        "Filter watched controls",
        "Filter",
        query.filters(),
        fields,
    )
}

fn matrix(all: WatchedMatrix<'_>, query: &MatrixQuery, context: &ViewContext<'_>) -> Markup {
    let mut shown = match &query.control {
        Some(name) => all.only(name),
        None => all.first(MAX_COLUMNS),
    };
    if shown.controls.is_empty() {
        return html! { p.empty { "No control of this name is on the watch list." } };
    }
    shown.rows.retain(|row| query.selects(row));
    if let Some(sort) = &query.sort {
        sort.sort(&mut shown.rows, |key, row| key(row));
    }
    let page = query.page.of(&shown.rows);
    html! {
        @if shown.rows.is_empty() { p.empty { "No tenant fits this filter." } }
        @else {
            (wide("Watched controls of every tenant", table(&shown, &page, query, context)))
            (page.links("tenants", &context.query))
            @if shown.left_out > 0 {
                p { (count(shown.left_out, "more watched control")) ": choose one above." }
            }
        }
    }
}

fn table(
    shown: &WatchedMatrix<'_>,
    page: &TablePage<'_, MatrixRow<'_>>,
    query: &MatrixQuery,
    context: &ViewContext<'_>,
) -> Markup {
    let order = match query.sort {
        Some(_) => "",
        None => {
            ": first where most is accepted without a decision, then claimed, reverted, unknown"
        }
    };
    html! {
        table.matrix.cards {
            caption { (count(shown.rows.len(), "tenant")) (order) (page.range()) }
            thead {
                tr {
                    @for column in COLUMNS { (heading(&context.query, query.sort.as_ref(), column)) }
                    @for control in &shown.controls { (control_heading(control, context)) }
                }
            }
            tbody { @for row in page.rows { (tenant_row(row, shown, context)) } }
        }
    }
}

/// The title, and how many tenants there are in each standing, each as a link to
/// those.
fn control_heading(control: &WatchedControl<'_>, context: &ViewContext<'_>) -> Markup {
    html! {
        th.control scope="col" {
            a href=(control_href(control.name, context)) { (shortened(control.title)) }
            p.counts {
                @for (standing, number) in control.counts() {
                    @let query = encoded([("control", control.name), ("state", standing.as_str())]);
                    @let these = format!("{}?{query}", context.query.path());
                    a href=(context.query.keeping_refresh(&these)) { (standing_count(standing, number)) }
                    " "
                }
            }
        }
    }
}

fn tenant_row(row: &MatrixRow<'_>, shown: &WatchedMatrix<'_>, context: &ViewContext<'_>) -> Markup {
    let alias = &row.tenant.identity.alias;
    html! {
        tr {
            th scope="row" { (context.tenant(alias)) }
            td.number data-label="To look at" { (row.needing_attention()) }
            @for (control, standing) in shown.controls.iter().zip(&row.standings) {
                td data-label=(shortened(control.title)) { (cell(alias, control.name, *standing, context)) }
            }
        }
    }
}

/// The standing; what was declared as a link to who declared it, and why.
fn cell(alias: &str, control: &str, standing: Standing, context: &ViewContext<'_>) -> Markup {
    let is_declared = matches!(
        standing,
        Standing::Accepted | Standing::Claimed | Standing::Reverted | Standing::Approved
    );
    if !is_declared {
        return standing_mark(standing);
    }
    let query = encoded([("tenant", alias), ("control", control)]);
    let register = context.page(&format!("/acceptances?{query}"));
    html! { a href=(register) { (standing_mark(standing)) } }
}
