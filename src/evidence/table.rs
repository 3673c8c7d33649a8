//! Evidence as CSV.

use super::document::DigestedEvidence;
use super::{DeclaredRecord, OpenControl};
use crate::spreadsheet;
use std::borrow::Cow;
use std::fmt::Display;

const COLUMNS: [&str; 26] = [
    "section",
    "tenant",
    "at",
    "at_exact",
    "where",
    "control",
    "title",
    "category",
    "watched",
    "state",
    "by",
    "comment",
    "reason_given",
    "ended_at",
    "ended_by",
    "ended_with",
    "approval_status",
    "approval_reference",
    "approval_approver",
    "approval_reason",
    "approval_approved_on",
    "approval_expires",
    "self_approved",
    "approval_evidence",
    "points",
    "text",
];

/// A row, cell by cell.
type Cells<'c> = [Cow<'c, str>; COLUMNS.len()];

/// A row for each score, declaration, open control and gap, in the order of the page.
///
/// # Errors
/// Where it cannot be written as CSV.
pub(crate) fn csv(evidence: &DigestedEvidence<'_>) -> Result<Vec<u8>, ::csv::Error> {
    let it = &evidence.evidence;
    let document = {
        let mut cells = cells("document", it.tenant);
        set(&mut cells, "at", it.generated_at);
        let text = format!(
            "{} to {}, exporter {}",
            it.since, it.until, it.exporter_version
        );
        set(&mut cells, "text", text);
        [cells]
    };
    let scores = it.scores.iter().map(|score| {
        let mut cells = cells("score", it.tenant);
        set(&mut cells, "at", score.day);
        set(&mut cells, "points", score.score);
        set(&mut cells, "text", format!("of {}", score.max_score));
        cells
    });
    let declared = [
        ("decided", &it.decided),
        ("withdrawn", &it.withdrawn),
        ("standing", &it.standing),
    ];
    let declared = declared.into_iter();
    let declared = declared.flat_map(|(section, list)| {
        list.iter()
            .map(move |one| declaration(section, it.tenant, one))
    });
    let open = it.open.iter().map(|one| open(it.tenant, one));
    let gaps = it.gaps.iter().map(|gap| {
        let mut cells = cells("gap", it.tenant);
        set(&mut cells, "text", gap);
        cells
    });
    let digest = {
        let mut cells = cells("sha256", it.tenant);
        set(&mut cells, "at", it.generated_at);
        set(&mut cells, "text", &evidence.sha256);
        [cells]
    };
    let rows = document
        .into_iter()
        .chain(scores)
        .chain(declared)
        .chain(open)
        .chain(gaps)
        .chain(digest);
    spreadsheet::render(&COLUMNS, rows, |cells, row| {
        cells.iter().try_for_each(|cell| row.write(cell.clone()))
    })
}

fn declaration<'c>(section: &'c str, tenant: &'c str, it: &'c DeclaredRecord<'c>) -> Cells<'c> {
    let mut cells = cells(section, tenant);
    let mut optional =
        |column, value: Option<String>| set(&mut cells, column, value.unwrap_or_default());
    optional("at", it.at.map(|at| at.to_string()));
    optional("at_exact", it.at_exact.map(|is| is.to_string()));
    optional("self_approved", it.self_approved.map(|is| is.to_string()));
    optional("by", it.by.as_deref().map(str::to_owned));
    optional("comment", it.comment.map(str::to_owned));
    optional("reason_given", it.reason_given.map(|is| is.to_string()));
    optional("ended_at", it.ended_at.map(|at| at.to_string()));
    optional("ended_by", it.ended_by.as_deref().map(str::to_owned));
    optional("ended_with", it.ended_with.map(str::to_owned));
    let approval = &it.approval;
    optional("approval_status", approval.status.map(str::to_owned));
    optional("approval_reference", approval.reference.map(str::to_owned));
    optional(
        "approval_approver",
        approval.approver.as_deref().map(str::to_owned),
    );
    optional("approval_reason", approval.reason.map(str::to_owned));
    optional(
        "approval_approved_on",
        approval.approved_on.map(|day| day.to_string()),
    );
    optional(
        "approval_expires",
        approval.expires.map(|day| day.to_string()),
    );
    optional("approval_evidence", approval.evidence.map(str::to_owned));
    set(&mut cells, "where", it.place.as_str());
    set(&mut cells, "control", it.control);
    set(&mut cells, "title", it.title);
    set(&mut cells, "category", it.category);
    set(&mut cells, "watched", it.watched);
    set(&mut cells, "state", it.state);
    cells
}

fn open<'c>(tenant: &'c str, it: &'c OpenControl<'c>) -> Cells<'c> {
    let mut cells = cells("open", tenant);
    set(&mut cells, "control", it.control);
    set(&mut cells, "title", it.title);
    set(&mut cells, "category", it.category);
    set(&mut cells, "watched", true);
    set(&mut cells, "state", it.state);
    let points = it.points_to_gain.map(|points| points.to_string());
    set(&mut cells, "points", points.unwrap_or_default());
    cells
}

/// A row of a section without further cells.
fn cells<'c>(section: &'c str, tenant: &'c str) -> Cells<'c> {
    let mut cells: Cells<'c> = Default::default();
    set(&mut cells, "section", section);
    set(&mut cells, "tenant", tenant);
    cells
}

fn set(cells: &mut Cells<'_>, column: &str, value: impl Display) {
    let index = COLUMNS.iter().position(|name| *name == column);
    if let Some(cell) = index.and_then(|index| cells.get_mut(index)) {
        *cell = value.to_string().into();
    }
}
