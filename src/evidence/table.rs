//! Evidence as CSV.

use super::document::DigestedEvidence;
use super::{DeclaredRecord, OpenControl};
use crate::spreadsheet;
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
type Cells = [String; COLUMNS.len()];

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
        cells.iter().try_for_each(|cell| row.write(cell.into()))
    })
}

fn declaration(section: &str, tenant: &str, it: &DeclaredRecord<'_>) -> Cells {
    let mut cells = cells(section, tenant);
    set_some(&mut cells, "at", it.at);
    set_some(&mut cells, "at_exact", it.at_exact);
    set_some(&mut cells, "self_approved", it.self_approved);
    set_some(&mut cells, "by", it.by.as_ref());
    set_some(&mut cells, "comment", it.comment);
    set_some(&mut cells, "reason_given", it.reason_given);
    set_some(&mut cells, "ended_at", it.ended_at);
    set_some(&mut cells, "ended_by", it.ended_by.as_ref());
    set_some(&mut cells, "ended_with", it.ended_with);
    let approval = &it.approval;
    set_some(&mut cells, "approval_status", approval.status);
    set_some(&mut cells, "approval_reference", approval.reference);
    set_some(&mut cells, "approval_approver", approval.approver.as_ref());
    set_some(&mut cells, "approval_reason", approval.reason);
    set_some(&mut cells, "approval_approved_on", approval.approved_on);
    set_some(&mut cells, "approval_expires", approval.expires);
    set_some(&mut cells, "approval_evidence", approval.evidence);
    set(&mut cells, "where", it.place.as_str());
    set(&mut cells, "control", it.control);
    set(&mut cells, "title", it.title);
    set(&mut cells, "category", it.category);
    set(&mut cells, "watched", it.watched);
    set(&mut cells, "state", it.state);
    cells
}

fn open(tenant: &str, it: &OpenControl<'_>) -> Cells {
    let mut cells = cells("open", tenant);
    set(&mut cells, "control", it.control);
    set(&mut cells, "title", it.title);
    set(&mut cells, "category", it.category);
    set(&mut cells, "watched", true);
    set(&mut cells, "state", it.state);
    set_some(&mut cells, "points", it.points_to_gain);
    cells
}

/// A row of a section without further cells.
fn cells(section: &str, tenant: &str) -> Cells {
    let mut cells = Cells::default();
    set(&mut cells, "section", section);
    set(&mut cells, "tenant", tenant);
    cells
}

fn set(cells: &mut Cells, column: &str, value: impl Display) {
    let index = COLUMNS.iter().position(|name| *name == column);
    if let Some(cell) = index.and_then(|index| cells.get_mut(index)) {
        *cell = value.to_string();
    }
}

fn set_some(cells: &mut Cells, column: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        set(cells, column, value);
    }
}
