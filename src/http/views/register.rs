//! The register: every risk somebody accepted, in force or withdrawn since.

use super::acceptance::{acceptance_cells, closing_cells, points_lost, standing_cell, urgency};
use super::address::Address;
use super::choice::{choice, flag, typed};
use super::figures::count;
use super::layout::{Here, layout, wide};
use super::order::{Column, Headings, Order};
use super::persons::persons_note;
use super::reader::Reader;
use super::status::unread_note;
use crate::acceptances::{Acceptance, Filter, acceptances};
use crate::http::asked::AskedRegister;
use crate::http::near::near;
use crate::http::query::PARAMETERS;
use crate::store::Tenants;
use maud::{Markup, html};
use secure_score_model::Category;
use std::cmp::Ordering;

/// Names a browser is given to complete what is typed.
const OFFERED: usize = 500;

/// What the register can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum By {
    Control,
    Tenant,
    Category,
    Accepted,
    Expires,
    Points,
}

impl Column for By {
    const ALL: &'static [Self] = &[
        Self::Tenant,
        Self::Control,
        Self::Category,
        Self::Accepted,
        Self::Points,
        Self::Expires,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Tenant => "tenant",
            Self::Category => "category",
            Self::Accepted => "accepted",
            Self::Expires => "expires",
            Self::Points => "points",
        }
    }

    fn begins_with_the_most(self) -> bool {
        matches!(self, Self::Accepted | Self::Points)
    }
}

/// The whole page.
pub(in crate::http) fn register(
    tenants: &Tenants,
    asked: &AskedRegister,
    address: &Address,
    reader: &Reader<'_>,
) -> Markup {
    let mut found = acceptances(tenants, &asked.filter, reader.now);
    found.sort_by_cached_key(|it| urgency(it, reader));
    if let Some(order) = asked.order {
        found.sort_by(|a, b| compare(order, a, b, reader));
    }
    let content = html! {
        p.lead { "Who accepted which risk, when and why, on every tenant, and whether anybody approved it." }
        (persons_note(&reader.options.persons))
        (unread_note(tenants))
        (form(tenants, &asked.filter, address))
        @if found.is_empty() {
            (nothing(tenants, &asked.filter))
        } @else {
            (table(&found, asked, address, reader))
        }
    };
    layout(reader, Here::Acceptances, "Accepted risks", content)
}

fn compare(
    order: Order<By>,
    a: &Acceptance<'_>,
    b: &Acceptance<'_>,
    reader: &Reader<'_>,
) -> Ordering {
    let title = |it: &Acceptance<'_>| it.entry.title.to_lowercase();
    let expires = |it: &Acceptance<'_>| {
        let verdict = it.approval(reader.now);
        verdict.exception().map(|exception| exception.expires)
    };
    match order.column {
        By::Control => order.compare(Some(title(a)), Some(title(b))),
        By::Tenant => order.compare(
            Some(&a.tenant.identity.alias),
            Some(&b.tenant.identity.alias),
        ),
        By::Category => order.compare(Some(a.control.category), Some(b.control.category)),
        By::Accepted => order.compare(a.accepted.at, b.accepted.at),
        By::Expires => order.compare(expires(a), expires(b)),
        By::Points => order.compare(points_lost(a), points_lost(b)),
    }
}

fn form(tenants: &Tenants, filter: &Filter, address: &Address) -> Markup {
    let offered = tenants.states.iter().take(OFFERED);
    html! {
        form.filter method="get" action=(address.path()) role="search" aria-label="Filter accepted risks" {
            (typed("Tenant", "tenant", "text", address, Some("tenants")))
            datalist #tenants { @for state in offered { option value=(state.identity.alias) {} } }
            (typed("Control id", "control", "text", address, None))
            (choice("Category", "category", "all", Category::ALL.map(|it| (it.as_str(), it.as_str())), filter.category.map(Category::as_str)))
            (typed("Accepted since", "since", "date", address, None))
            (choice("Approval", "approved", "any", [("true", "approved"), ("false", "not approved")], flag(filter.approved)))
            (choice("Standing", "in_force", "any", [("true", "in force"), ("false", "withdrawn")], flag(filter.in_force)))
            @if let Some(sort) = address.asked("sort") { input type="hidden" name="sort" value=(sort); }
            div.buttons {
                button type="submit" { "Filter" }
                @if *filter != Filter::default() { " " a href=(address.path()) { "Show all" } }
            }
        }
    }
}

fn table(
    found: &[Acceptance<'_>],
    asked: &AskedRegister,
    address: &Address,
    reader: &Reader<'_>,
) -> Markup {
    let in_force = found.iter().filter(|it| it.is_in_force()).count();
    let shown = asked.page.of(found);
    let headings = Headings {
        address,
        order: asked.order,
    };
    let order = match asked.order {
        None => ": in force first, then Identity, then what nobody approved",
        Some(_) => "",
    };
    let table = html! {
        table.register {
            caption {
                (count(found.len(), "acceptance")) ", " (in_force) " in force and "
                (found.len() - in_force) " withdrawn" (order) (shown.range())
            }
            thead {
                tr {
                    (headings.sorting(By::Control, "Control", ""))
                    (headings.sorting(By::Tenant, "Tenant", ""))
                    (headings.sorting(By::Category, "Category", ""))
                    (headings.sorting(By::Accepted, "Accepted", ""))
                    @if !reader.persons().are_hidden() { th scope="col" { "By whom and why" } }
                    th scope="col" { "Standing" }
                    (headings.sorting(By::Expires, "Approval", ""))
                    (headings.sorting(By::Points, "Points lost", "number"))
                }
            }
            tbody {
                @for it in shown.rows {
                    tr {
                        (acceptance_cells(it, reader))
                        (standing_cell(it, reader))
                        (closing_cells(it, reader))
                    }
                }
            }
        }
    };
    let data = address.at(&reader.href("/api/v1/acceptances"), &PARAMETERS);
    html! {
        (wide("Accepted risks", table))
        (shown.links("accepted risks", address))
        @if !reader.options.closed.api {
            p.soft { "For programs: " a href=(data) { "the same as JSON" } ", or as CSV with " code { "Accept: text/csv" } "." }
        }
    }
}

/// Why the table is empty: there is nothing, or nothing that was asked for.
fn nothing(tenants: &Tenants, filter: &Filter) -> Markup {
    if *filter == Filter::default() {
        return html! {
            p.empty { "No control that we know of has, or ever had, its risk accepted." }
        };
    }
    let unknown = filter
        .tenant
        .as_deref()
        .filter(|name| tenants.find(name).is_none());
    html! {
        p.empty { "No accepted risk fits this filter." }
        @if let Some(name) = unknown {
            @let offered = near(name, tenants);
            p {
                "No tenant has this name."
                @if !offered.is_empty() { " Near to it: " (offered.join(", ")) "." }
            }
        }
    }
}
