//! Evidence as one page to be printed.

use super::cells::{place_name, state_name};
use super::numbers::percent;
use super::score_chart::{Chart, Mark, figure};
use super::time::{date, day};
use crate::acceptances::record::ApprovalRecord;
use crate::evidence::{DeclaredRecord, DigestedEvidence, Evidence, OpenControl};
use crate::text::web_url;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use secure_score_model::{DecisionState, Place};

/// The style sheet, which stands in the page: a file needs no other one.
pub(crate) const STYLE: &str = concat!(include_str!("evidence.css"), include_str!("chart.css"));

/// In bytes. A row with a longer comment may continue on the next page.
const TALL_COMMENT: usize = 600;

/// The page: no script, nothing from elsewhere, in light colours.
pub(crate) fn page(evidence: &DigestedEvidence<'_>) -> Markup {
    let it = &evidence.evidence;
    let title = format!("Evidence of {}", it.display_name);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) ", " (it.since) " to " (it.until) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (title) }
                    p { "Microsoft Secure Score from " (day(it.since)) " to " (day(it.until)) ": what was decided about risks, by whom and why." }
                    (facts(it))
                    (score(it))
                    (declarations("Decided in these days", "Nothing was decided.", &it.decided))
                    (declarations("Withdrawn in these days", "Nothing was withdrawn.", &it.withdrawn))
                    (declarations("Decided before, and in force at the end", "Nothing was in force.", &it.standing))
                    (open(it))
                    (gaps(&it.gaps))
                }
                footer {
                    p {
                        "Made at " (date(it.generated_at.0)) " by Secure Score exporter " (it.exporter_version)
                        ". SHA-256 of the data: " code { (evidence.sha256) }
                        ". It shows whether the data were damaged, not who made them; the JSON of the same evidence has both."
                    }
                }
            }
        }
    }
}

fn facts(it: &Evidence<'_>) -> Markup {
    html! {
        dl {
            div { dt { "Tenant" } dd { (it.tenant) } }
            @if let Some(id) = it.entra_tenant_id { div { dt { "Entra tenant" } dd { code { (id) } } } }
            div { dt { "Decided" } dd { (it.decided.len()) } }
            div { dt { "Withdrawn" } dd { (it.withdrawn.len()) } }
            div { dt { "In force from before" } dd { (it.standing.len()) } }
            div { dt { "Open on watched controls" } dd { (it.open.len()) } }
            @for (what, at) in [
                ("Controls read", it.read_at.controls),
                ("Scores read", it.read_at.scores),
                ("Recommendations read", it.read_at.recommendations),
            ] {
                div { dt { (what) } dd { @match at { Some(at) => (date(at.0)), None => "never" } } }
            }
        }
    }
}

fn score(it: &Evidence<'_>) -> Markup {
    html! {
        section {
            h2 { "Score" }
            @match (Chart::of(it.days), it.scores.as_slice()) {
                (Some(chart), _) => (figure(&chart, marks(it, &chart).as_deref())),
                (None, [only, ..]) => p { (percent(only.ratio)) " on " (day(only.day)) "." },
                (None, []) => p { "No score of these days is known." },
            }
        }
    }
}

/// The acceptances of the days in the chart; `None` where the controls were never
/// read.
fn marks<'a>(it: &'a Evidence<'_>, chart: &Chart<'_>) -> Option<Vec<Mark<'a>>> {
    it.read_at.controls?;
    let marks = it.decided.iter().filter_map(mark);
    Some(marks.filter(|it| chart.contains(it.at)).collect())
}

/// An acceptance in Secure Score as a line in the chart.
fn mark<'a>(it: &'a DeclaredRecord<'_>) -> Option<Mark<'a>> {
    let is_acceptance = it.state == DecisionState::RiskAccepted;
    let at = it
        .at
        .filter(|_| is_acceptance && it.place == Place::SecureScore)?;
    Some(Mark {
        at: at.0,
        title: it.title,
    })
}

fn declarations(title: &str, nothing: &str, list: &[DeclaredRecord<'_>]) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if list.is_empty() { p { (nothing) } }
            @else {
                table {
                    thead {
                        tr {
                            th.when scope="col" { "When" }
                            th scope="col" { "Control" }
                            th.state scope="col" { "Decision" }
                            th.who scope="col" { "Who and why" }
                            th.approval scope="col" { "Approval" }
                        }
                    }
                    tbody { @for it in list { (declaration(it)) } }
                }
            }
        }
    }
}

fn declaration(it: &DeclaredRecord<'_>) -> Markup {
    let is_tall = it
        .comment
        .is_some_and(|comment| comment.len() > TALL_COMMENT);
    html! {
        tr.tall[is_tall] {
            td data-label="When" {
                @match it.at {
                    Some(at) => {
                        @if it.at_exact == Some(false) { "on or before " }
                        (date(at.0))
                    }
                    None => "at an unknown time",
                }
            }
            th scope="row" {
                (it.title)
                p.soft { code { (it.control) } ", " (it.category) @if it.watched { ", watched" } }
            }
            td data-label="Decision" {
                (state_name(it.state.as_str()))
                p.soft { "in " (place_name(it.place)) }
                @if let Some(end) = it.ended_at {
                    p {
                        "until " (date(end.0))
                        @if let Some(state) = it.ended_with { ", then " (state_name(state)) }
                    }
                }
            }
            td data-label="Who and why" {
                @match &it.by { Some(by) => (person(by)), None => span.soft { "not shown or not known" } }
                @if let Some(comment) = it.comment.filter(|it| !it.is_empty()) { p.why { (comment) } }
                @if it.reason_given == Some(false) { p.bad { "no reason given" } }
                @if let Some(by) = &it.ended_by { p { "ended by " (person(by)) } }
            }
            td data-label="Approval" { (approval(it)) }
        }
    }
}

/// A sign-in name, which may break before its domain.
fn person(name: &str) -> Markup {
    html! {
        @match name.split_once('@') {
            Some((user, domain)) => { (user) wbr; "@" (domain) }
            None => (name),
        }
    }
}

/// The approval; what is planned needs none.
fn approval(declared: &DeclaredRecord<'_>) -> Markup {
    let it: &ApprovalRecord<'_> = &declared.approval;
    html! {
        @match it.status {
            Some("approved") => span.good { "approved" },
            Some("expired") => span.bad { "expired" },
            Some(_) => span.bad { "not approved" },
            None => span.soft { "none" },
        }
        @if let Some(reference) = it.reference { " " (reference) }
        @if declared.self_approved == Some(true) { p.bad { "approved by the same person" } }
        p.soft {
            @if let Some(approver) = &it.approver { "by " (person(approver)) " " }
            @if let Some(approved_on) = it.approved_on { "on " (day(approved_on)) " " }
            @if let Some(expires) = it.expires { "until " (day(expires)) }
        }
        @if let Some(reason) = it.reason { p.why { (reason) } }
        @if let Some(url) = it.evidence.filter(|url| web_url(url).is_some()) {
            p { a href=(url) rel="noreferrer" { (url) } }
        }
    }
}

fn open(it: &Evidence<'_>) -> Markup {
    let list: &[OpenControl<'_>] = &it.open;
    html! {
        section {
            h2 { "Open on watched controls, " (date(it.generated_at.0)) }
            @if list.is_empty() { p { "No watched control lacks points without a decision." } }
            @else {
                table {
                    thead {
                        tr {
                            th scope="col" { "Control" }
                            th.state scope="col" { "State" }
                            th.number scope="col" { "Points to gain" }
                        }
                    }
                    tbody {
                        @for it in list {
                            tr {
                                th scope="row" { (it.title) p.soft { code { (it.control) } ", " (it.category) } }
                                td data-label="State" { (state_name(it.state)) }
                                td.number data-label="Points to gain" { @match it.points_to_gain { Some(points) => (points), None => "unknown" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn gaps(gaps: &[String]) -> Markup {
    html! {
        section {
            h2 { "What is not known" }
            @if gaps.is_empty() { p { "Nothing is missing." } }
            @else { ul { @for gap in gaps { li { (gap) } } } }
        }
    }
}
