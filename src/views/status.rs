//! The status page: what needs a decision, what is broken, the tenants, and the
//! customers of partners that are not watched.

use super::PageError;
use super::broken::broken;
use super::context::ViewContext;
use super::customer_table::customer_sections;
use super::layout::{layout, shortened};
use super::tenant_table::{Judged, TenantQuery, TenantRow, tenant_table};
use super::time::{date, duration};
use super::trouble::{is_failing, lacks_consent};
use super::undecided::undecided;
use crate::acceptances::{
    Acceptance, DecisionFinding, Filter, Kind, Kinds, acceptances, audit_decisions,
};
use crate::http_types::QueryError;
use crate::store::{TenantState, Tenants};
use crate::text::{count, noun};
use maud::{Markup, html};
use std::sync::Arc;

/// The most problems of approved decisions listed; `check` lists all.
const MAX_FINDINGS: usize = 50;

/// The page.
pub(super) fn view(context: &ViewContext<'_>) -> Result<Markup, PageError> {
    let query = TenantQuery::parse(context)?;
    let judged = in_force(Kinds::All, context);
    let open = judged.iter().filter(|(_, is_approved)| !is_approved);
    let open: Vec<&Acceptance<'_>> = open.map(|(it, _)| it).collect();
    let rows = tenant_rows(&judged, context);
    let running = duration(context.now.since(context.started));
    let content = html! {
        p.soft {
            "As of " (date(context.now)) ", running for " (running) "."
            @if are_simulated(context.tenants) { " These tenants are simulated: no person and no setting in them is real." }
        }
        (tiles(&judged, &rows, context))
        (undecided(&open, &unknown_lists_note(context.tenants), context))
        (broken(context))
        section aria-labelledby="tenants" {
            h2 #tenants { "Tenants" }
            (tenant_table(rows, &query, context))
        }
        (customer_sections(context))
        (decisions(context))
    };
    Ok(layout(context, "Microsoft Secure Score", content))
}

/// The tenants that the query of the page selects.
pub(super) fn selected_tenants(context: &ViewContext<'_>) -> Result<Arc<Tenants>, QueryError> {
    let query = TenantQuery::parse(context)?;
    let accepted = in_force(Kinds::Acceptances, context);
    let rows = tenant_rows(&accepted, context).into_iter();
    let selected = rows.filter(|row| query.selects(row));
    Ok(Arc::new(Tenants {
        generation: context.tenants.generation,
        states: selected.map(|row| Arc::clone(row.state)).collect(),
    }))
}

/// What is declared now, each with whether a decision approves it.
fn in_force<'a>(kinds: Kinds, context: &ViewContext<'a>) -> Vec<Judged<'a>> {
    let filter = Filter {
        in_force: Some(true),
        kinds,
        ..Filter::default()
    };
    let found = acceptances(context.tenants, &filter, context.now).into_iter();
    let judged = found.map(|it| {
        let is_approved = it.approval(context.now).is_approved();
        (it, is_approved)
    });
    judged.collect()
}

fn tenant_rows<'a>(judged: &[Judged<'a>], context: &ViewContext<'a>) -> Vec<TenantRow<'a>> {
    let accepted = judged.iter().filter(|(it, _)| it.kind == Kind::Acceptance);
    TenantRow::all(context, accepted)
}

fn are_simulated(tenants: &Tenants) -> bool {
    let mut clouds = tenants.states.iter().map(|state| state.identity.cloud);
    !tenants.states.is_empty() && clouds.all(|cloud| cloud == "simulator")
}

/// The numbers for a first glance, each a link to what it counts.
fn tiles(judged: &[Judged<'_>], rows: &[TenantRow<'_>], context: &ViewContext<'_>) -> Markup {
    let open = judged.iter().filter(|(_, is_approved)| !is_approved);
    let undecided = open.clone().filter(|(it, _)| it.is_watched).count();
    let claims = open
        .clone()
        .filter(|(it, _)| it.kind == Kind::Claim)
        .count();
    let unapproved = open.filter(|(it, _)| it.kind == Kind::Acceptance).count();
    let failing = rows.iter().filter(|row| is_failing(row.state)).count();
    let without_consent = rows.iter().filter(|row| lacks_consent(row.state)).count();
    // As of a partner's customers: without consent nothing is read.
    let watched = rows.len() - without_consent;
    let missed = rows.iter().filter(|row| row.is_below_target()).count();
    let accepted = judged.iter().filter(|(it, _)| it.kind == Kind::Acceptance);
    let accepted = accepted.count();
    html! {
        ul.tiles {
            li { (tile(undecided, "need a decision now", "/#undecided", undecided > 0, context)) }
            li { (tile(failing, "refresh failing", "/?show=failing#tenants", failing > 0, context)) }
            @if without_consent > 0 {
                li { (tile(without_consent, "without consent", "/?show=no_consent#tenants", true, context)) }
            }
            li { (tile(missed, "below target", "/?show=below_target#tenants", missed > 0, context)) }
            li { (tile(unapproved, &format!("{} not approved", noun(unapproved, "accepted risk")), "/?show=unapproved#tenants", unapproved > 0, context)) }
            li { (tile(claims, &format!("{} not approved", noun(claims, "claim")), "/acceptances?kind=claim&approved=false&in_force=true", claims > 0, context)) }
            li { (tile(accepted, &format!("{} accepted now", noun(accepted, "risk")), "/acceptances?in_force=true&kind=acceptance", false, context)) }
            li { (tile(watched, &format!("{} watched", noun(watched, "tenant")), "/#tenants", false, context)) }
        }
    }
}

fn tile(number: usize, words: &str, path: &str, is_bad: bool, context: &ViewContext<'_>) -> Markup {
    html! {
        a href=(context.page(path)) {
            strong class=(if is_bad { "bad" } else { "plain" }) { (number) } " " span { (words) }
        }
    }
}

/// The most tenants without consent named in a note.
const MAX_NAMED: usize = 5;

/// A warning that the list is incomplete: an empty one would look like good news.
pub(super) fn unknown_lists_note(tenants: &Tenants) -> Markup {
    let all = count(tenants.states.len(), "tenant");
    let (refused, read): (Vec<_>, Vec<_>) = tenants
        .states
        .iter()
        .partition(|state| lacks_consent(state));
    let lacks_catalogue = |state: &&Arc<TenantState>| state.lacks_catalogue();
    let unknown = read.iter().copied().filter(lacks_catalogue).count();
    let lacking = read.iter().filter(|it| it.lacks_recommendations());
    let recommendations = lacking.count();
    let refused: Vec<_> = refused.into_iter().filter(lacks_catalogue).collect();
    html! {
        @if !refused.is_empty() { (consent_note(&refused, &all)) }
        @if unknown > 0 {
            p.note.bad {
                "The catalogue of controls of " (unknown) " of " (all)
                " is not known now: risks accepted there are missing here."
            }
        }
        @if recommendations > 0 {
            p.note.bad {
                "The recommendations of Entra of " (recommendations) " of " (all)
                " are not known now: those set aside there are missing here."
            }
        }
    }
}

/// Which tenants are not read since they have not consented.
fn consent_note(refused: &[&Arc<TenantState>], all: &str) -> Markup {
    let names = refused.iter().take(MAX_NAMED);
    let names: Vec<&str> = names.map(|it| &*it.identity.alias).collect();
    html! {
        p.note {
            (refused.len()) " of " (all) " gave no consent to the application, so nothing of them is known: "
            (names.join(", "))
            @if let Some(more) = refused.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) { " and " (more) " more" }
            "."
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
