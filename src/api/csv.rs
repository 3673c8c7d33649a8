//! Acceptances and tenants as CSV, for a spreadsheet.

use crate::acceptances::record::{AcceptanceRecord, ListRecord, TenantRecord};
use crate::spreadsheet::{self, display, text};
use secure_score_model::{Api, DecisionState};
use std::borrow::Cow;

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
    ("accepted", |it| display(it.accepted)),
    ("accepted_at", |it| display(it.accepted_at)),
    ("accepted_by", |it| text(it.accepted_by.as_deref())),
    ("comment", |it| text(it.comment)),
    ("assigned_to", |it| text(it.assigned_to.as_deref())),
    ("withdrawn_at", |it| display(it.withdrawn_at)),
    ("withdrawn_by", |it| text(it.withdrawn_by.as_deref())),
    ("points_lost", |it| display(it.points_lost)),
    ("report_as_of", |it| display(it.report_as_of)),
    ("scored", |it| display(it.scored)),
    ("watched", |it| display(Some(it.watched))),
    ("approved", |it| display(Some(it.approved))),
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
    ("deprecated", |it| display(Some(it.deprecated))),
    ("where", |it| it.place.as_str().into()),
    ("recommendation", |it| text(it.recommendation)),
    ("accepted_at_exact", |it| display(it.accepted_at_exact)),
    ("postponed_until", |it| display(it.postponed_until)),
    ("other_place_state", |it| text(it.other_place_state)),
    ("disagrees", |it| display(it.disagrees)),
    ("kind", |it| it.kind.into()),
    ("points_claimed", |it| display(it.points_claimed)),
    ("self_approved", |it| display(it.self_approved)),
    ("reason_given", |it| display(it.reason_given)),
    ("approval_states", |it| states(it.approval.states)),
    ("approval_evidence", |it| text(it.approval.evidence)),
];

/// Reads a cell from a tenant.
type ReadTenant = for<'r, 'a> fn(&'r TenantRecord<'a>) -> Cow<'r, str>;

/// The columns of a tenant in their order; those of its lists follow.
const TENANT_COLUMNS: [(&str, ReadTenant); 22] = [
    ("tenant", |it| it.tenant.into()),
    ("display_name", |it| it.display_name.into()),
    ("entra_tenant_id", |it| text(it.entra_tenant_id)),
    ("cloud", |it| it.cloud.into()),
    ("score", |it| display(it.score)),
    ("max_score", |it| display(it.max_score)),
    ("planned_score", |it| display(it.planned_score)),
    ("achievable_score", |it| display(it.achievable_score)),
    ("ratio", |it| display(it.ratio)),
    ("target", |it| display(it.target)),
    ("report_as_of", |it| display(it.report_as_of)),
    ("controls", |it| display(it.controls)),
    ("accepted", |it| display(it.accepted)),
    ("states_unknown", |it| display(it.states_unknown)),
    ("accepted_unapproved", |it| display(it.accepted_unapproved)),
    ("recommendations", |it| display(it.recommendations)),
    ("recommendations_set_aside", |it| {
        display(it.recommendations_set_aside)
    }),
    ("statuses_unknown", |it| display(it.statuses_unknown)),
    ("recommendations_set_aside_unapproved", |it| {
        display(it.recommendations_set_aside_unapproved)
    }),
    ("identity_score", |it| display(it.identity_score)),
    ("identity_max_score", |it| display(it.identity_max_score)),
    ("identity_report_as_of", |it| {
        display(it.identity_report_as_of)
    }),
];

/// Reads a cell from one of a tenant's lists.
type ReadList = for<'r, 'a> fn(&'r ListRecord<'a>) -> Cow<'r, str>;

/// The columns of each list, named as `profiles_up`.
const LIST_COLUMNS: [(&str, ReadList); 3] = [
    ("up", |it| display(Some(it.up))),
    ("last_success", |it| display(it.last_success)),
    ("reason", |it| text(it.reason)),
];

/// A header row, then a row for each tenant.
pub(super) fn render_tenants<'a>(
    records: impl Iterator<Item = TenantRecord<'a>>,
) -> Result<Vec<u8>, csv::Error> {
    let mut names: Vec<String> = TENANT_COLUMNS.map(|(name, _)| name.to_owned()).into();
    for api in Api::ALL {
        names.extend(LIST_COLUMNS.map(|(name, _)| format!("{}_{name}", api.as_str())));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    spreadsheet::render(&names, records, |record, row| {
        for (_, read) in TENANT_COLUMNS {
            row.write(read(record))?;
        }
        for api in Api::ALL {
            let list = record.lists.get(&api).and_then(Option::as_ref);
            for (_, read) in LIST_COLUMNS {
                row.write(list.map_or_else(Cow::default, read))?;
            }
        }
        Ok(())
    })
}

/// A header row, then a row for each acceptance.
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

fn states(states: Option<&[DecisionState]>) -> Cow<'static, str> {
    let words = states.unwrap_or_default().iter().map(|it| it.as_str());
    words.collect::<Vec<_>>().join(" ").into()
}
