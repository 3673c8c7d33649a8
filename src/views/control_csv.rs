//! A tenant's controls as CSV.

use super::PageError;
use super::context::ViewContext;
use super::control_table::ControlQuery;
use crate::acceptances::control_record::ControlRecord;
use crate::spreadsheet::{self, display, text};
use std::borrow::Cow;
use std::num::NonZeroUsize;

/// Reads a cell from a control.
type ReadCell = for<'r, 'a> fn(&'r ControlRecord<'a>) -> Cow<'r, str>;

/// The columns in their order, named as in the JSON of `collect`. Histories do not
/// fit into a row.
const COLUMNS: [(&str, ReadCell); 26] = [
    ("control", |it| it.control.into()),
    ("title", |it| text(it.title)),
    ("category", |it| it.category.into()),
    ("state", |it| text(it.state)),
    ("state_since", |it| display(it.state_since)),
    ("risk_accepted", |it| display(it.risk_accepted)),
    ("acceptances", |it| display(it.acceptances)),
    ("last_accepted_at", |it| display(it.last_accepted_at)),
    ("accepted_by", |it| text(it.accepted_by.as_deref())),
    ("comment", |it| text(it.comment)),
    ("approved", |it| display(it.approved)),
    ("approval_status", |it| text(it.approval.status)),
    ("approval_reference", |it| text(it.approval.reference)),
    ("approval_approver", |it| {
        text(it.approval.approver.as_deref())
    }),
    ("approval_expires", |it| display(it.approval.expires)),
    ("score", |it| display(it.score)),
    ("max_score", |it| display(it.max_score)),
    ("points_to_gain", |it| display(it.points_to_gain)),
    ("watched", |it| display(Some(it.watched))),
    ("implementation_status", |it| text(it.implementation_status)),
    ("action_url", |it| text(it.action_url)),
    ("product", |it| text(it.product)),
    ("tier", |it| text(it.tier)),
    ("user_impact", |it| text(it.user_impact)),
    ("implementation_cost", |it| text(it.implementation_cost)),
    ("deprecated", |it| display(it.deprecated)),
];

/// The controls of a tenant that the query selects, in the order of the page.
pub(super) fn control_csv(alias: &str, context: &ViewContext<'_>) -> Result<Vec<u8>, PageError> {
    let state = context.tenants.find(alias);
    let state = state.ok_or_else(|| PageError::UnknownTenant(alias.to_owned()))?;
    let query = ControlQuery::parse(context)?;
    let found = query.found(&state.snapshot.controls);
    let records = found.into_iter().map(|control| {
        // The lookback is of a column that is not here.
        ControlRecord::new(control, NonZeroUsize::MIN, context.persons(), context.now)
    });
    let names = COLUMNS.map(|(name, _)| name);
    let rendered = spreadsheet::render(&names, records, |record, row| {
        for (_, read) in COLUMNS {
            row.write(read(record))?;
        }
        Ok(())
    });
    rendered.map_err(|_| PageError::NotRendered)
}
