//! One control in every tenant.

use super::PageError;
use super::cells::{changed_at, person_and_comment, place_name, state_name};
use super::context::ViewContext;
use super::control_address::{control_href, decoded};
use super::control_facts::facts;
use super::control_tenants::{self, ControlTenants, TenantsQuery, tenants_table};
use super::description::description;
use super::layout::{layout, shortened, unknown_page};
use super::page_query::encoded;
use super::standing::{legend, standing_mark};
use super::status::unknown_lists_note;
use crate::acceptances::{Standing, StateChange, Subject, control_changes, status_changes};
use crate::http_types::similar_names;
use crate::store::TenantState;
use maud::{Markup, html};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most changes listed of all tenants; each row has those of its tenant.
const MAX_CHANGES: usize = 30;

/// The page.
pub(super) fn view(part: &str, context: &ViewContext<'_>) -> Result<Markup, PageError> {
    let (shown, found) = subjects(part, context)?;
    let query = TenantsQuery::parse(context)?;
    let tenants = ControlTenants::new(&found, context.now);
    let content = html! {
        p.soft.names {
            code { (shortened(shown.name())) }
            @if found.iter().any(Subject::is_watched) { " " span.tag { "watched" } }
            @if shown.control.and_then(|it| it.entry.as_deref()).is_some_and(|it| it.deprecated) { " " span.tag { "deprecated" } }
        }
        (unknown_lists_note(context.tenants))
        (counts(&tenants, context))
        (facts(&shown, &found))
        (description(&found))
        section aria-labelledby="tenants" {
            h2 #tenants { "In every tenant" }
            (context.privacy_note())
            (legend())
            (tenants_table(tenants, &query, context))
            p { a href=(register(&shown, context)) { "Acceptances and claims of it in the register" } }
        }
        (changes(&found, context))
    };
    Ok(layout(context, &shortened(shown.title()), content))
}

/// The control in every tenant that has it, then the tenants of which that is not known.
/// Before them the one whose names are shown: the first that a catalogue lists.
fn subjects<'a>(
    part: &str,
    context: &ViewContext<'a>,
) -> Result<(Subject<'a>, Vec<Subject<'a>>), PageError> {
    let name = decoded(part);
    let states = context.tenants.states.iter();
    let of_tenant = |it: &'a Arc<TenantState>| Subject::find(it, &name).or(Subject::unknown(it));
    let mut found: Vec<_> = states.filter_map(of_tenant).collect();
    found.sort_by_key(|it| !it.is_known());
    let is_listed = |it: &&Subject<'_>| it.control.is_some_and(|it| it.entry.is_some());
    let shown = found.iter().find(is_listed).or(found.first()).copied();
    match shown.filter(Subject::is_known) {
        Some(shown) => Ok((shown, found)),
        None => Err(PageError::UnknownControl(name)),
    }
}

/// Its tenants as CSV.
pub(super) fn tenants_csv(part: &str, context: &ViewContext<'_>) -> Result<Vec<u8>, PageError> {
    let (shown, found) = subjects(part, context)?;
    let query = TenantsQuery::parse(context)?;
    let tenants = ControlTenants::new(&found, context.now);
    control_tenants::tenants_csv(tenants, shown, &query, context)
}

fn register(shown: &Subject<'_>, context: &ViewContext<'_>) -> String {
    let query = encoded([("control", shown.name())]);
    context.page(&format!("/acceptances?{query}"))
}

/// How many tenants are in each standing, each as a link to those.
fn counts(tenants: &ControlTenants<'_>, context: &ViewContext<'_>) -> Markup {
    html! {
        p.counts {
            @for standing in Standing::ALL {
                @let number = tenants.count(standing);
                @if number > 0 {
                    @let these = format!("{}?state={}#tenants", context.query.path(), standing.as_str());
                    a href=(context.query.keeping_refresh(&these)) {
                        (number) " " (standing_mark(standing))
                    }
                    " "
                }
            }
        }
    }
}

/// The newest changes of all tenants.
fn changes(found: &[Subject<'_>], context: &ViewContext<'_>) -> Markup {
    let mut changes: Vec<_> = found.iter().flat_map(changes_of).collect();
    if changes.is_empty() {
        return html! {};
    }
    changes.sort_by_key(|(_, change)| Reverse(change.at));
    html! {
        section aria-labelledby="history" {
            h2 #history { "Last changes" }
            ol.changes {
                @for (alias, change) in changes.iter().take(MAX_CHANGES) { (change_item(alias, *change, context)) }
            }
            @if let Some(more) = changes.len().checked_sub(MAX_CHANGES).filter(|it| *it > 0) {
                p.soft { "… and " (more) " before, in the rows above." }
            }
        }
    }
}

fn changes_of<'a>(subject: &Subject<'a>) -> Vec<(&'a str, StateChange<'a>)> {
    let controls = subject.control.map(control_changes).unwrap_or_default();
    let statuses = subject.recommendation.map(status_changes);
    let all = controls.into_iter().chain(statuses.unwrap_or_default());
    all.map(|change| (&*subject.tenant.identity.alias, change))
        .collect()
}

fn change_item(alias: &str, change: StateChange<'_>, context: &ViewContext<'_>) -> Markup {
    html! {
        li {
            (context.tenant(alias)) ": " strong { (state_name(change.state)) }
            " in " (place_name(change.place)) ", " (changed_at(change, context.now))
            @if !context.persons().are_hidden() { (person_and_comment(change, context.persons())) }
        }
    }
}

/// The page for a name that no visible tenant has.
pub(super) fn unknown(name: &str, context: &ViewContext<'_>) -> Markup {
    let snapshots = || context.tenants.states.iter().map(|it| &it.snapshot);
    let controls = snapshots().flat_map(|it| &it.controls).map(|it| &*it.id);
    let advice = snapshots().flat_map(|it| &it.recommendations);
    let names: BTreeSet<&str> = controls.chain(advice.map(|it| &*it.entry.name)).collect();
    let link = |name: &str| html! { a href=(control_href(name, context)) { (shortened(name)) } };
    let similar: Vec<_> = similar_names(name, names).into_iter().map(link).collect();
    let missing = ("No tenant has a control or recommendation", name);
    let all = ("/controls", "Watched controls");
    unknown_page(context, "Control not found", missing, &similar, all)
}
