//! Every accepted risk, in force or withdrawn since.

use super::PageError;
use super::acceptance_cells::{
    acceptance_cells, approval_cells, points_lost, status_cell, title, urgency,
};
use super::context::ViewContext;
use super::form::{bool_value, filter_form, select_field, text_field};
use super::layout::{layout, wide};
use super::numbers::count;
use super::paging::PageNumber;
use super::privacy_note::privacy_note;
use super::sort::{Column, Sort, heading};
use super::status::unknown_catalogues_note;
use crate::acceptances::{Acceptance, Filter, acceptances};
use crate::http_types::query::{FILTER_PARAMETERS, parse_filter};
use crate::http_types::{QueryError, similar_tenants};
use maud::{Markup, html};
use secure_score_model::Category;
use std::cmp::Ordering;

/// The most aliases that a browser offers to complete the tenant's name.
const MAX_COMPLETIONS: usize = 500;

/// What the acceptances can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Tenant,
    Control,
    Category,
    Accepted,
    Points,
    Expires,
}

impl Column for By {
    const ALL: &'static [(Self, &'static str, bool)] = &[
        (Self::Tenant, "tenant", false),
        (Self::Control, "control", false),
        (Self::Category, "category", false),
        (Self::Accepted, "accepted", true),
        (Self::Points, "points", true),
        (Self::Expires, "expires", false),
    ];
}

#[derive(Debug)]
struct AcceptanceQuery {
    filter: Filter,
    sort: Option<Sort<By>>,
    page: PageNumber,
}

impl AcceptanceQuery {
    fn parse(context: &ViewContext<'_>) -> Result<Self, QueryError> {
        let query = &context.query;
        query.allow_only(&[&FILTER_PARAMETERS[..], &["sort", "page"]].concat())?;
        let (filter, _) = parse_filter(Some(&query.query()), context.now)?;
        Ok(Self {
            filter,
            sort: query.sort()?,
            page: query.page()?,
        })
    }
}

/// The page.
pub(super) fn view(context: &ViewContext<'_>) -> Result<Markup, PageError> {
    let query = AcceptanceQuery::parse(context)?;
    let mut found = acceptances(context.tenants, &query.filter, context.now);
    found.sort_by_cached_key(|it| urgency(it, context));
    if let Some(sort) = query.sort {
        found.sort_by(|a, b| compare(sort, a, b, context));
    }
    let content = html! {
        p.lead { "Who accepted which risk on which tenant, when and why, and whether it is approved." }
        (privacy_note(context))
        (unknown_catalogues_note(context.tenants))
        (form(&query.filter, context))
        @if found.is_empty() {
            (no_rows(&query.filter, context))
        } @else {
            (table(&found, &query, context))
        }
    };
    Ok(layout(context, "Accepted risks", content))
}

fn compare(
    sort: Sort<By>,
    a: &Acceptance<'_>,
    b: &Acceptance<'_>,
    context: &ViewContext<'_>,
) -> Ordering {
    let title = |it: &Acceptance<'_>| title(it.control).to_lowercase();
    let expires = |it: &Acceptance<'_>| {
        let approval = it.approval(context.now);
        approval.exception().map(|exception| exception.expires)
    };
    match sort.column {
        By::Control => sort.compare(Some(title(a)), Some(title(b))),
        By::Tenant => sort.compare(
            Some(&a.tenant.identity.alias),
            Some(&b.tenant.identity.alias),
        ),
        By::Category => sort.compare(Some(a.control.category), Some(b.control.category)),
        By::Accepted => sort.compare(a.accepted.at, b.accepted.at),
        By::Expires => sort.compare(expires(a), expires(b)),
        By::Points => sort.compare(points_lost(a), points_lost(b)),
    }
}

fn form(filter: &Filter, context: &ViewContext<'_>) -> Markup {
    let query = &context.query;
    let completions = context.tenants.states.iter().take(MAX_COMPLETIONS);
    let categories = Category::ALL.map(|it| (it.as_str(), it.as_str()));
    let category = filter.category.map(Category::as_str);
    let approvals = [("true", "approved"), ("false", "not approved")];
    let statuses = [("true", "in force"), ("false", "withdrawn")];
    let fields = html! {
        (text_field("Tenant", "tenant", "text", query, Some("tenants")))
        datalist #tenants { @for state in completions { option value=(state.identity.alias) {} } }
        (text_field("Control id", "control", "text", query, None))
        (select_field("Category", "category", "all", categories, category))
        (text_field("Accepted since", "since", "date", query, None))
        (select_field("Approval", "approved", "any", approvals, bool_value(filter.approved)))
        (select_field("Status", "in_force", "any", statuses, bool_value(filter.in_force)))
    };
    let filtered = *filter != Filter::default();
    filter_form(query, "Filter accepted risks", "Filter", filtered, fields)
}

fn table(found: &[Acceptance<'_>], query: &AcceptanceQuery, context: &ViewContext<'_>) -> Markup {
    let in_force = found.iter().filter(|it| it.is_in_force()).count();
    let page = query.page.of(found);
    let sorting = |column, label, class| heading(&context.query, query.sort, column, label, class);
    let order = match query.sort {
        None => ": in force first, then Identity, then not approved",
        Some(_) => "",
    };
    let table = html! {
        table.register {
            caption {
                (count(found.len(), "acceptance")) ", " (in_force) " in force and "
                (found.len() - in_force) " withdrawn" (order) (page.range())
            }
            thead {
                tr {
                    (sorting(By::Control, "Control", ""))
                    (sorting(By::Tenant, "Tenant", ""))
                    (sorting(By::Category, "Category", ""))
                    (sorting(By::Accepted, "Accepted", ""))
                    @if !context.persons().are_hidden() { th scope="col" { "By whom and why" } }
                    th scope="col" { "Status" }
                    (sorting(By::Expires, "Approval", ""))
                    (sorting(By::Points, "Points lost", "number"))
                }
            }
            tbody {
                @for it in page.rows {
                    tr {
                        (acceptance_cells(it, context))
                        (status_cell(it, context))
                        (approval_cells(it, context))
                    }
                }
            }
        }
    };
    let data = context.href("/api/v1/acceptances");
    let data = context.query.link_to(&data, &FILTER_PARAMETERS);
    html! {
        (wide("Accepted risks", table))
        (page.links("accepted risks", &context.query))
        @if context.api_enabled {
            p.soft { "For programs: " a href=(data) { "the same as JSON" } ", or as CSV with " code { "Accept: text/csv" } "." }
        }
    }
}

/// Why the table is empty.
fn no_rows(filter: &Filter, context: &ViewContext<'_>) -> Markup {
    if *filter == Filter::default() {
        return html! {
            p.empty { "No known control has, or ever had, its risk accepted." }
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
