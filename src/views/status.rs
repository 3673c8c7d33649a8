//! The status page: the tenants, the customers of partners that are not watched,
//! and the risks accepted now.

use super::PageError;
use super::cells::{acceptance_cells, approval_cells, urgency};
use super::context::ViewContext;
use super::customer_table::customer_sections;
use super::layout::{layout, shortened, wide};
use super::numbers::{count, share};
use super::tenant_table::{TenantQuery, is_troubled, tenant_table};
use super::time::{date, duration};
use crate::acceptances::{Acceptance, DecisionFinding, Filter, acceptances, audit_decisions};
use crate::store::Tenants;
use maud::{Markup, html};

/// Accepted risks listed here; their own page has them all.
const MAX_SHOWN: usize = 10;

/// The most problems of approved decisions listed; `check` lists all.
const MAX_FINDINGS: usize = 50;

/// The page.
pub(super) fn view(context: &ViewContext<'_>) -> Result<Markup, PageError> {
    let query = TenantQuery::parse(context)?;
    let filter = Filter {
        in_force: Some(true),
        ..Filter::default()
    };
    let mut accepted = acceptances(context.tenants, &filter, context.now);
    accepted.sort_by_cached_key(|it| urgency(it, context));
    let running = duration(context.now.since(context.started));
    let content = html! {
        p.soft {
            "As of " (date(context.now)) ", running for " (running) "."
            @if are_simulated(context.tenants) { " These tenants are simulated: no person and no setting in them is real." }
        }
        (unknown_lists_note(context.tenants))
        (tiles(&accepted, context))
        section aria-labelledby="tenants" {
            h2 #tenants { "Tenants" }
            (tenant_table(&query, context))
        }
        (customer_sections(context))
        section aria-labelledby="accepted" {
            h2 #accepted { "Accepted risks" }
            (context.privacy_note())
            (accepted_now(&accepted, context))
        }
        (decisions(context))
    };
    Ok(layout(context, "Microsoft Secure Score", content))
}

fn are_simulated(tenants: &Tenants) -> bool {
    let mut clouds = tenants.states.iter().map(|state| state.identity.cloud);
    !tenants.states.is_empty() && clouds.all(|cloud| cloud == "simulator")
}

/// The numbers for a first glance.
fn tiles(accepted: &[Acceptance<'_>], context: &ViewContext<'_>) -> Markup {
    let states = &context.tenants.states;
    let troubled = states.iter().filter(|state| is_troubled(state)).count();
    let missed = states.iter().filter(|state| {
        let goal = state.identity.target.zip(share(&state.snapshot));
        goal.is_some_and(|(target, share)| share < target)
    });
    let missed = missed.count();
    let unapproved = accepted
        .iter()
        .filter(|it| !it.approval(context.now).is_approved())
        .count();
    let all = context.href("/acceptances?in_force=true");
    let open = context.href("/acceptances?approved=false&in_force=true");
    html! {
        ul.tiles {
            li { (tile(states.len(), "tenants watched", false)) }
            li { (tile(troubled, "in trouble", troubled > 0)) }
            li { (tile(missed, "below their target", missed > 0)) }
            li { a href=(all) { (tile(accepted.len(), "risks accepted now", false)) } }
            li { a href=(open) { (tile(unapproved, "of them not approved", unapproved > 0)) } }
        }
    }
}

fn tile(number: usize, words: &str, is_bad: bool) -> Markup {
    html! {
        strong class=(if is_bad { "bad" } else { "plain" }) { (number) } " " span { (words) }
    }
}

/// The most urgent risks.
fn accepted_now(accepted: &[Acceptance<'_>], context: &ViewContext<'_>) -> Markup {
    let all = context.href("/acceptances");
    if accepted.is_empty() {
        return html! {
            p.empty { "No known control or recommendation has its risk accepted now." }
            p { a href=(all) { "Risks accepted in the past" } }
        };
    }
    let table = html! {
        table.register {
            caption { (count(accepted.len(), "risk")) " accepted now: Identity first, then not approved, then the newest" }
            thead {
                tr {
                    th scope="col" { "Control" }
                    th scope="col" { "Tenant" }
                    th scope="col" { "Where" }
                    th scope="col" { "Category" }
                    th scope="col" { "Accepted" }
                    @if !context.persons().are_hidden() { th scope="col" { "By whom and why" } }
                    th scope="col" { "Approval" }
                    th.number scope="col" { "Points lost" }
                }
            }
            tbody {
                @for it in accepted.iter().take(MAX_SHOWN) {
                    tr { (acceptance_cells(it, context)) (approval_cells(it, &html! {}, context)) }
                }
            }
        }
    };
    html! {
        (wide("Accepted risks", table))
        p {
            @if let Some(more) = accepted.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
                "… and " (more) " more. "
            }
            a href=(all) { "All accepted risks, with their history and those withdrawn" }
        }
    }
}

/// A warning that the list is incomplete: an empty one would look like good news.
pub(super) fn unknown_lists_note(tenants: &Tenants) -> Markup {
    let unknown = tenants
        .states
        .iter()
        .filter(|state| state.snapshot.catalogue_anomalies.is_none())
        .count();
    let states = tenants.states.iter();
    let recommendations = states.filter(|it| it.lacks_recommendations()).count();
    html! {
        @if unknown > 0 {
            p.note.bad {
                "The catalogue of controls of " (unknown) " of " (tenants.states.len())
                " tenants is not known now: risks accepted there are missing here."
            }
        }
        @if recommendations > 0 {
            p.note.bad {
                "The recommendations of Entra of " (recommendations) " of " (tenants.states.len())
                " tenants are not known now: those set aside there are missing here."
            }
        }
    }
}

/// The problems of the approved decisions, and which ones cannot be judged
/// here, as a section, or nothing where there are none.
fn decisions(context: &ViewContext<'_>) -> Markup {
    let snapshots = context.tenants.states.iter().map(|state| {
        let alias = &*state.identity.alias;
        (alias, &*state.snapshot)
    });
    let audited = audit_decisions(snapshots, !context.is_shard, context.now);
    let (findings, limit) = (&audited.findings, audited.limit());
    if findings.is_empty() && limit.is_none() {
        return html! {};
    }
    html! {
        section aria-labelledby="exceptions" {
            h2 #exceptions { "Approved exceptions" }
            ul { @for finding in findings.iter().take(MAX_FINDINGS) { (finding_item(finding)) } }
            @if let Some(more) = findings.len().checked_sub(MAX_FINDINGS).filter(|more| *more > 0) {
                p { "… and " (more) " more; " code { "secure-score-exporter check" } " lists all." }
            }
            @if let Some(limit) = limit {
                p.soft { (limit) ". " code { "secure-score-exporter check" } " reads every tenant." }
            }
        }
    }
}

fn finding_item(finding: &DecisionFinding) -> Markup {
    html! {
        li {
            (shortened(&finding.to_string()))
            @if let Some(tenant) = &finding.tenant { " on " (tenant) }
            ". " span.soft { "Hint: " (finding.remedy()) "." }
        }
    }
}
