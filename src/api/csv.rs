//! Acceptances as CSV, for a spreadsheet.

use crate::acceptances::record::AcceptanceRecord;
use crate::spreadsheet;
use secure_score_model::DecisionState;
use std::borrow::Cow;
use std::fmt::Display;

/// Reads a cell from a record.
type ReadCell = for<'r, 'a> fn(&'r AcceptanceRecord<'a>) -> Cow<'r, str>;

/// The columns in their order. The history does not fit into a row.
const COLUMNS: [(&str, ReadCell); 40] = [
    ("tenant", |it| it.tenant.into()),
    ("tenant_display_name", |it| it.tenant_display_name.into()),
    ("entra_tenant_id", |it| text(it.entra_tenant_id)),
    ("control", |it| it.control.into()),
    ("title", |it| it.title.into()),
    ("category", |it| it.category.into()),
    ("state", |it| it.state.into()),
    ("accepted", |it| {
        it.accepted.map_or_else(Cow::default, boolean)
    }),
    ("accepted_at", |it| display(it.accepted_at)),
    ("accepted_by", |it| text(it.accepted_by.as_deref())),
    ("comment", |it| text(it.comment)),
    ("assigned_to", |it| text(it.assigned_to.as_deref())),
    ("withdrawn_at", |it| display(it.withdrawn_at)),
    ("withdrawn_by", |it| text(it.withdrawn_by.as_deref())),
    ("points_lost", |it| display(it.points_lost)),
    ("report_as_of", |it| display(it.report_as_of)),
    ("scored", |it| it.scored.map_or_else(Cow::default, boolean)),
    ("watched", |it| boolean(it.watched)),
    ("approved", |it| boolean(it.approved)),
    ("approval_status", |it| text(it.approval.status)),
    ("approval_reference", |it| text(it.approval.reference)),
    ("approval_approver", |it| {
        text(it.approval.approver.as_deref())
    }),
    ("approval_reason", |it| text(it.approval.reason)),
    ("approval_approved_on", |it| {
        display(it.approval.approved_on)
    }),
    ("approval_expires", |it| display(it.approval.expires)),
    ("implementation_status", |it| text(it.implementation_status)),
    ("action_url", |it| text(it.action_url)),
    ("deprecated", |it| boolean(it.deprecated)),
    ("where", |it| it.place.as_str().into()),
    ("recommendation", |it| text(it.recommendation)),
    ("accepted_at_exact", |it| {
        it.accepted_at_exact.map_or_else(Cow::default, boolean)
    }),
    ("postponed_until", |it| display(it.postponed_until)),
    ("other_place_state", |it| text(it.other_place_state)),
    ("disagrees", |it| {
        it.disagrees.map_or_else(Cow::default, boolean)
    }),
    ("kind", |it| it.kind.into()),
    ("points_claimed", |it| display(it.points_claimed)),
    ("self_approved", |it| {
        it.self_approved.map_or_else(Cow::default, boolean)
    }),
    ("reason_given", |it| {
        it.reason_given.map_or_else(Cow::default, boolean)
    }),
    ("approval_states", |it| states(it.approval.states)),
    ("approval_evidence", |it| text(it.approval.evidence)),
];

/// A header row, then a row for each record.
pub(super) fn render<'a>(
    records: impl Iterator<Item = AcceptanceRecord<'a>>,
) -> Result<Vec<u8>, csv::Error> {
    let names = COLUMNS.map(|(name, _)| name);
    spreadsheet::render(&names, records, |record, row| {
        for (_, read) in COLUMNS {
            row.write(read(record))?;
        }
        Ok(())
    })
}

fn text(text: Option<&str>) -> Cow<'_, str> {
    text.unwrap_or_default().into()
}

fn states(states: Option<&[DecisionState]>) -> Cow<'static, str> {
    let words = states.unwrap_or_default().iter().map(|it| it.as_str());
    words.collect::<Vec<_>>().join(" ").into()
}

fn display(value: Option<impl Display>) -> Cow<'static, str> {
    value.map_or_else(Cow::default, |it| it.to_string().into())
}

const fn boolean(is: bool) -> Cow<'static, str> {
    Cow::Borrowed(if is { "true" } else { "false" })
}
