//! Controls and how far each tenant is with them, as CSV.

use super::PageError;
use super::context::ViewContext;
use crate::acceptances::Subject;
use crate::serde_time::{Day, Rfc3339};
use crate::spreadsheet::{self, display, text};
use secure_score_model::{Approval, Points};
use std::borrow::Cow;

/// The columns in their order. Histories do not fit into a row.
const COLUMNS: [&str; 18] = [
    "tenant",
    "tenant_display_name",
    "control",
    "recommendation",
    "title",
    "standing",
    "secure_score_state",
    "entra_state",
    "changed_at",
    "changed_by",
    "comment",
    "approval_status",
    "approval_reference",
    "approval_expires",
    "score",
    "max_score",
    "points_to_gain",
    "watched",
];

/// One row for each control of a tenant. Where a tenant's catalogue is not known, the row
/// has the names of `shown`, the control of all rows.
pub(super) fn standing_csv<'a>(
    subjects: impl Iterator<Item = Subject<'a>>,
    shown: Option<Subject<'a>>,
    context: &ViewContext<'_>,
) -> Result<Vec<u8>, PageError> {
    let rendered = spreadsheet::render(&COLUMNS, subjects, |subject, row| {
        let named = match shown {
            Some(shown) if !subject.is_known() => shown,
            _ => *subject,
        };
        for cell in cells(subject, named, context) {
            row.write(cell)?;
        }
        Ok(())
    });
    rendered.map_err(|_| PageError::NotRendered)
}

/// The cells of a row; `named` has the names of what it is about.
fn cells<'a>(
    subject: &Subject<'a>,
    named: Subject<'a>,
    context: &ViewContext<'_>,
) -> [Cow<'a, str>; COLUMNS.len()] {
    let (identity, persons) = (&subject.tenant.identity, context.persons());
    let (control, advice) = (subject.control, subject.recommendation);
    let change = subject.change();
    let by = persons.name(change.and_then(|it| it.by));
    let approval = subject.approval(context.now);
    let decision = approval.and_then(Approval::decision);
    let score = control.and_then(|it| it.score.as_ref());
    [
        Cow::from(&*identity.alias),
        Cow::from(&*identity.display_name),
        text(named.control.map(|it| &*it.id)),
        text(named.recommendation.map(|it| &*it.entry.name)),
        named.title().into(),
        subject.standing(context.now).as_str().into(),
        text(control.and_then(|it| it.state()).map(|it| it.as_str())),
        text(advice.map(|it| it.entry.status.as_str())),
        display(change.and_then(|it| it.at).map(Rfc3339)),
        by.unwrap_or_default(),
        text(persons.comment(change.and_then(|it| it.comment))),
        text(approval.map(Approval::as_str)),
        text(decision.map(|it| &*it.reference)),
        display(decision.map(|it| Day::ending(it.expires))),
        display(score.map(|it| it.score.get())),
        display(control.and_then(|it| it.max_score()).map(Points::get)),
        display(control.and_then(|it| it.points_to_gain()).map(Points::get)),
        display(subject.is_known().then(|| subject.is_watched())),
    ]
}
