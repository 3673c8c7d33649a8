//! Every accepted risk, in force or withdrawn since.

use super::PageError;
use super::cells::{acceptance_cells, approval_cells, place_name, status_cell, urgency};
use super::context::ViewContext;
use super::decision_offer::decision_offer;
use super::form::{bool_value, filter_form, select_field, text_field};
use super::layout::{layout, wide};
use super::paging::PageNumber;
use super::sort::{self, Column, Sort, SortKey, heading, integer, text};
use super::status::unknown_lists_note;
use crate::acceptances::{Acceptance, Filter, Kind, Kinds, acceptances};
use crate::http_types::query::{FILTER_PARAMETERS, parse_filter};
use crate::http_types::{QueryError, similar_tenants};
use crate::text::count;
use maud::{Markup, html};
use secure_score_model::{Category, Place, Timestamp};

/// The most aliases that a browser offers to complete the tenant's name.
const MAX_COMPLETIONS: usize = 500;

type Key = fn(&Acceptance<'_>, Timestamp) -> Option<SortKey>;

const COLUMNS: &[Column<Key>] = &[
    Column::new("control", "Control", "", false, |it, _| text(it.title)),
    Column::new("tenant", "Tenant", "", false, |it, _| {
        Some(SortKey::Text(it.tenant.identity.alias.to_string()))
    }),
    Column::new("where", "Where", "", false, |it, _| {
        integer(it.place() as i64)
    }),
    Column::new("category", "Category", "", false, |it, _| {
        integer(it.category as i64)
    }),
    Column::new("accepted", "Accepted", "", true, |it, _| {
        integer(it.accepted.at.map(Timestamp::nanos))
    }),
    Column::unsorted(PERSONS),
    Column::unsorted("Status"),
    Column::new("expires", "Approval", "", false, |it, now| {
        integer(it.approval(now).decision()?.expires.nanos())
    }),
    Column::new("points", "Points lost", "number", true, |it, _| {
        sort::points(
            it.points_claimed
                .or(it.points_lost.filter(|_| it.is_in_force())),
        )
    }),
];

/// The label of a column that is left out where persons are hidden.
const PERSONS: &str = "By whom and why";

/// The query of the page.
pub(super) struct AcceptanceQuery {
    pub(super) filter: Filter,
    sort: Option<Sort<Key>>,
    page: PageNumber,
}

impl AcceptanceQuery {
    /// Without a kind, the page shows both.
    pub(super) fn parse(context: &ViewContext<'_>) -> Result<Self, QueryError> {
        let query = &context.query;
        let parse_sort = |word| Sort::parse(word, COLUMNS);
        let known = [&FILTER_PARAMETERS[..], &["sort", "page"]].concat();
        query.allow_only(&known)?;
        let mut filter = parse_filter(&query.parameters, context.now)?;
        if query.get("kind").is_none() {
            filter.kinds = Kinds::All;
        }
        Ok(Self {
            filter,
            sort: query.get("sort").map(parse_sort).transpose()?,
            page: PageNumber::parse(query.get("page"))?,
        })
    }
}

/// The page.
pub(super) fn view(context: &ViewContext<'_>) -> Result<Markup, PageError> {
    let query = AcceptanceQuery::parse(context)?;
    let mut found = acceptances(context.tenants, &query.filter, context.now);
    found.sort_by_cached_key(|it| urgency(it, context));
    if let Some(sort) = &query.sort {
        sort.sort(&mut found, |key, it| key(it, context.now));
    }
    let content = html! {
        p.lead { "Who accepted which risk on which tenant, in Secure Score or in Entra, when and why, and whether it is approved; and which measures are claimed to be solved by other means, for which Microsoft gives all points unverified." }
        (context.privacy_note())
        (unknown_lists_note(context.tenants))
        (form(&query.filter, context))
        @if found.is_empty() {
            (no_rows(&query.filter, context))
        } @else {
            (table(&found, &query, context))
        }
    };
    Ok(layout(context, "Accepted risks", content))
}

fn form(filter: &Filter, context: &ViewContext<'_>) -> Markup {
    let query = &context.query;
    let completions = context.tenants.states.iter().take(MAX_COMPLETIONS);
    let categories = Category::ALL.map(|it| (it.as_str(), it.as_str()));
    let category = filter.category.map(Category::as_str);
    let approvals = [("true", "approved"), ("false", "not approved")];
    let statuses = [("true", "in force"), ("false", "withdrawn")];
    let places = Place::ALL.map(|it| (it.as_str(), place_name(it)));
    let kinds = [
        (Kinds::Acceptances.as_str(), "accepted risks"),
        (Kinds::Claims.as_str(), "claims"),
    ];
    let kind = Some(filter.kinds.as_str()).filter(|_| filter.kinds != Kinds::All);
    let fields = html! {
        (text_field("Tenant", "tenant", "text", query, Some("tenants")))
        datalist #tenants { @for state in completions { option value=(state.identity.alias) {} } }
        (text_field("Control or recommendation", "control", "text", query, None))
        (select_field("Where", "where", "both", places, filter.place.map(Place::as_str)))
        (select_field("Kind", "kind", "both", kinds, kind))
        (select_field("Category", "category", "all", categories, category))
        (text_field("Accepted since (day, or 7d)", "since", "text", query, None))
        (select_field("Approval", "approved", "any", approvals, bool_value(filter.approved)))
        (select_field("Status", "in_force", "any", statuses, bool_value(filter.in_force)))
    };
    let filtered = *filter != unfiltered();
    filter_form(query, "Filter accepted risks", "Filter", filtered, fields)
}

/// All that the page shows.
fn unfiltered() -> Filter {
    Filter {
        kinds: Kinds::All,
        ..Filter::default()
    }
}

fn table(found: &[Acceptance<'_>], query: &AcceptanceQuery, context: &ViewContext<'_>) -> Markup {
    let (accepted, claimed): (Vec<_>, Vec<_>) =
        found.iter().partition(|it| it.kind == Kind::Acceptance);
    let in_force = accepted.iter().filter(|it| it.is_in_force()).count();
    let page = query.page.of(found);
    let (sort, hidden) = (query.sort.as_ref(), context.persons().are_hidden());
    let columns = COLUMNS
        .iter()
        .filter(|column| !hidden || column.label != PERSONS);
    let order = match sort {
        None => ": in force first, then Identity, then not approved",
        Some(_) => "",
    };
    let table = html! {
        table.register.cards {
            caption {
                (count(accepted.len(), "acceptance")) ", " (in_force) " in force and "
                (accepted.len() - in_force) " withdrawn"
                @if !claimed.is_empty() { ", and " (count(claimed.len(), "claim")) }
                (order) (page.range())
            }
            thead {
                tr { @for column in columns { (heading(&context.query, sort, column)) } }
            }
            tbody {
                @for it in page.rows {
                    tr {
                        (acceptance_cells(it, context))
                        (status_cell(it, context))
                        (approval_cells(it, &decision_offer(it, context), context))
                    }
                }
            }
        }
    };
    let data = context.href("/api/v1/acceptances");
    let mut data = context.query.link_to(&data, &FILTER_PARAMETERS);
    if context.query.get("kind").is_none() {
        data.push_str(if data.contains('?') { "&" } else { "?" });
        data.push_str("kind=all");
    }
    html! {
        (wide("Accepted risks", table))
        (page.links("accepted risks", &context.query))
        @if context.api_enabled {
            p.soft { "For programs: " a href=(data) { "the same as JSON" } "." }
        }
    }
}

/// Why the table is empty.
fn no_rows(filter: &Filter, context: &ViewContext<'_>) -> Markup {
    if *filter == unfiltered() {
        return html! {
            p.empty { "No known control or recommendation has, or ever had, its risk accepted." }
        };
    }
    let tenant = filter.tenant.as_deref();
    let unknown = tenant.filter(|name| context.tenants.find(name).is_none());
    html! {
        p.empty { "No accepted risk fits this filter." }
        @if let Some(name) = unknown {
            @let similar = similar_tenants(name, context.tenants);
            p {
                "No tenant has this name."
                @if !similar.is_empty() { " Similar names: " (similar.join(", ")) "." }
            }
        }
    }
}
