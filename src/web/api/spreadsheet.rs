//! The register as CSV, for those who open it in a spreadsheet.

use super::Refusal;
use crate::register::record::AcceptanceRecord;
use crate::web::reply::{self, Reply, data};
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use std::borrow::Cow;

const CSV: HeaderValue = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
const FILE: HeaderValue = HeaderValue::from_static("attachment; filename=\"acceptances.csv\"");

/// The columns, named as the fields of the JSON.
const COLUMNS: [&str; 24] = [
    "tenant",
    "tenant_display_name",
    "entra_tenant_id",
    "control",
    "title",
    "category",
    "state",
    "accepted",
    "accepted_at",
    "accepted_by",
    "comment",
    "assigned_to",
    "withdrawn_at",
    "withdrawn_by",
    "points_lost",
    "scored",
    "watched",
    "approved",
    "approval_status",
    "approval_reference",
    "approval_approver",
    "approval_expires",
    "implementation_status",
    "action_url",
];

/// One row an acceptance, after a row of names.
pub(super) fn answer<'a>(
    records: impl Iterator<Item = AcceptanceRecord<'a>>,
) -> Result<Reply, Refusal> {
    let mut table = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let written = write(&mut table, records).and_then(|()| {
        let bytes = table.into_inner();
        bytes.map_err(|error| csv::Error::from(error.into_error()))
    });
    let bytes = written.map_err(|_| Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        error: "the table cannot be written".to_owned(),
        hint: "this is a fault of the exporter; please report it".to_owned(),
    })?;
    let answer = data(StatusCode::OK, CSV, bytes);
    Ok(reply::with(answer, header::CONTENT_DISPOSITION, FILE))
}

fn write<'a>(
    table: &mut csv::Writer<Vec<u8>>,
    records: impl Iterator<Item = AcceptanceRecord<'a>>,
) -> Result<(), csv::Error> {
    table.write_record(COLUMNS)?;
    for record in records {
        let cells = cells(&record);
        table.write_record(cells.iter().map(|cell| harmless(cell).into_owned()))?;
    }
    Ok(())
}

fn cells(record: &AcceptanceRecord<'_>) -> [String; COLUMNS.len()] {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let points = record.points_lost.map(|points| points.to_string());
    [
        record.tenant.to_owned(),
        record.tenant_display_name.to_owned(),
        text(record.entra_tenant_id),
        record.control.to_owned(),
        record.title.to_owned(),
        record.category.to_owned(),
        record.state.to_owned(),
        record.accepted.to_string(),
        text(record.accepted_at.as_deref()),
        text(record.accepted_by.as_deref()),
        text(record.comment),
        text(record.assigned_to.as_deref()),
        text(record.withdrawn_at.as_deref()),
        text(record.withdrawn_by.as_deref()),
        text(points.as_deref()),
        record.scored.to_string(),
        record.watched.to_string(),
        record.approved.to_string(),
        record.approval.status.to_owned(),
        text(record.approval.reference),
        text(record.approval.approver),
        text(record.approval.expires.as_deref()),
        text(record.implementation_status),
        text(record.action_url),
    ]
}

/// A cell that a spreadsheet will not take for a formula: comments are written
/// by people whose tenant may be in somebody else's hands.
fn harmless(cell: &str) -> Cow<'_, str> {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => Cow::Owned(format!("'{cell}")),
        false => Cow::Borrowed(cell),
    }
}
