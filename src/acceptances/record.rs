//! Acceptances in documents for other programs.
//!
//! All JSON output uses these types. Fields are in the documented order and
//! never omitted: an unknown value is null, which differs from a forgotten one.
//! Names must not change; `docs/reference/api.md` documents them.

mod tenant;

pub(crate) use tenant::{ListRecord, TenantRecord};

use super::{Acceptance, StateChange};
use crate::serde_time::{Day, Rfc3339};
use crate::text::web_url;
use secure_score_model::{
    Approval, Control, Decision, DecisionState, Persons, Place, Points, Timestamp,
};
use serde::Serialize;
use std::borrow::Cow;

/// One accepted risk, in force or withdrawn, with names and comments as far as
/// shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct AcceptanceRecord<'a> {
    /// The tenant's alias.
    pub(crate) tenant: &'a str,
    pub(crate) tenant_display_name: &'a str,
    pub(crate) entra_tenant_id: Option<&'a str>,
    /// Graph's id of the control; the recommendation's name, where no control of
    /// Secure Score has that name.
    pub(crate) control: &'a str,
    /// The control's title in the portal; not unique.
    pub(crate) title: &'a str,
    pub(crate) category: &'static str,
    /// The current state; after a withdrawal, the state that replaced the
    /// acceptance.
    pub(crate) state: &'static str,
    /// Whether the risk is accepted now; null where the state is unknown.
    pub(crate) accepted: Option<bool>,
    pub(crate) accepted_at: Option<Rfc3339>,
    /// Who accepted it: a sign-in name, an id or a pseudonym.
    pub(crate) accepted_by: Option<Cow<'a, str>>,
    pub(crate) comment: Option<&'a str>,
    pub(crate) assigned_to: Option<Cow<'a, str>>,
    pub(crate) withdrawn_at: Option<Rfc3339>,
    pub(crate) withdrawn_by: Option<Cow<'a, str>>,
    /// What the acceptance costs now, points: the control's maximum less its
    /// score in the report, zero when it is withdrawn.
    pub(crate) points_lost: Option<f64>,
    /// The day of that report, midnight UTC.
    pub(crate) report_as_of: Option<Rfc3339>,
    /// Whether the tenant is scored on the control; unknown without a report.
    pub(crate) scored: Option<bool>,
    pub(crate) watched: bool,
    /// Whether an unexpired decision covers it.
    pub(crate) approved: bool,
    /// The decision that covers it, valid or expired.
    pub(crate) approval: ApprovalRecord<'a>,
    /// The control's progress in Microsoft's words.
    pub(crate) implementation_status: Option<&'a str>,
    /// Where an administrator can fix it; http or https.
    pub(crate) action_url: Option<&'a str>,
    /// Whether Microsoft has withdrawn the control.
    pub(crate) deprecated: bool,
    /// Every change of the state, oldest first; of a recommendation, those that
    /// the exporter saw.
    pub(crate) history: Vec<ChangeRecord<'a>>,
    /// Where it is accepted.
    #[serde(rename = "where")]
    pub(crate) place: Place,
    /// The recommendation's name; of a control, that of the same recommendation.
    pub(crate) recommendation: Option<&'a str>,
    /// Whether Graph says when it was accepted; otherwise it was at that time or
    /// before. Null without a time.
    pub(crate) accepted_at_exact: Option<bool>,
    pub(crate) postponed_until: Option<Rfc3339>,
    /// The state in the other place; null where that does not have it, or is not
    /// read.
    pub(crate) other_place_state: Option<&'static str>,
    /// Whether it is accepted in one place and open in the other.
    pub(crate) disagrees: Option<bool>,
    /// `acceptance` or `claim`.
    pub(crate) kind: &'static str,
    /// What a claim gives, points; null for an acceptance, or where the tenant is
    /// not scored on it.
    pub(crate) points_claimed: Option<f64>,
    /// Whether the person who declared it is its only approver; null where no
    /// unexpired decision names it.
    pub(crate) self_approved: Option<bool>,
    /// Whether the comment is a reason, also where it is not shown; null in Entra,
    /// which has no comments.
    pub(crate) reason_given: Option<bool>,
}

/// The configured approval of an acceptance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ApprovalRecord<'a> {
    /// `approved`, `expired` or `missing`; null where it is not known whether
    /// there is an acceptance.
    pub(crate) status: Option<&'static str>,
    /// Where the decision is recorded, such as a ticket.
    pub(crate) reference: Option<&'a str>,
    pub(crate) approver: Option<Cow<'a, str>>,
    pub(crate) reason: Option<&'a str>,
    /// The day of the approval, where it binds the decision.
    pub(crate) approved_on: Option<Day>,
    /// The last day of its validity.
    pub(crate) expires: Option<Day>,
    /// The states that it approves.
    pub(crate) states: Option<&'a [DecisionState]>,
    /// The address of its proof; http or https.
    pub(crate) evidence: Option<&'a str>,
}

/// One change of a control's state or of a recommendation's status.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ChangeRecord<'a> {
    pub(crate) state: &'static str,
    pub(crate) at: Option<Rfc3339>,
    pub(crate) by: Option<Cow<'a, str>>,
    pub(crate) comment: Option<&'a str>,
    pub(crate) assigned_to: Option<Cow<'a, str>>,
    /// Whether Graph says when; otherwise it was at that time or before.
    pub(crate) at_exact: Option<bool>,
}

impl<'a> AcceptanceRecord<'a> {
    /// An acceptance at a time.
    pub(crate) fn new(it: &Acceptance<'a>, persons: &Persons, now: Timestamp) -> Self {
        let (identity, accepted) = (&it.tenant.identity, it.accepted);
        let approval = it.approval(now);
        Self {
            tenant: &identity.alias,
            tenant_display_name: &identity.display_name,
            entra_tenant_id: identity.entra_tenant_id.as_deref(),
            control: it.control,
            title: it.title,
            category: it.category.as_str(),
            state: it.state,
            accepted: it.risk_accepted,
            accepted_at: accepted.at.map(Rfc3339),
            accepted_by: persons.name(accepted.by),
            comment: persons.comment(accepted.comment),
            assigned_to: persons.name(accepted.assigned_to),
            withdrawn_at: it.withdrawal.and_then(|end| end.at).map(Rfc3339),
            withdrawn_by: persons.name(it.withdrawal.and_then(|end| end.by)),
            points_lost: it.points_lost.map(Points::get),
            report_as_of: it.report_as_of.map(Rfc3339),
            scored: it.is_scored,
            watched: it.is_watched,
            approved: approval.is_approved(),
            approval: ApprovalRecord::new(approval, persons),
            implementation_status: it.scored_control().and_then(implementation_status),
            action_url: it.scored_control().and_then(action_url),
            deprecated: it.is_deprecated,
            history: ChangeRecord::all(&it.changes(), persons),
            place: it.place(),
            recommendation: it.recommendation,
            accepted_at_exact: accepted.at.map(|_| accepted.is_exact),
            postponed_until: it.postponed_until.map(Rfc3339),
            other_place_state: it.other_place_state,
            disagrees: it.disagrees,
            kind: it.kind.as_str(),
            points_claimed: it.points_claimed.map(Points::get),
            self_approved: it.is_self_approved(now),
            reason_given: it.has_reason(),
        }
    }
}

/// A control's progress in Microsoft's words.
pub(crate) fn implementation_status(control: &Control) -> Option<&str> {
    control.score.as_ref()?.implementation_status.as_deref()
}

/// The web page on which an administrator can fix a control.
pub(crate) fn action_url(control: &Control) -> Option<&str> {
    let url = control.entry.as_ref()?.action_url.as_deref();
    url.filter(|url| web_url(url).is_some())
}

impl<'a> ApprovalRecord<'a> {
    /// An approval, with names and reason as far as shown.
    pub(crate) fn new(approval: Approval<'a>, persons: &Persons) -> Self {
        let decision: Option<&'a Decision> = approval.decision();
        Self {
            status: Some(approval.as_str()),
            reference: decision.map(|it| &*it.reference),
            approver: persons.name(decision.and_then(|it| it.approver.as_deref())),
            reason: persons.comment(decision.and_then(|it| it.reason.as_deref())),
            approved_on: decision.and_then(|it| it.approved_on).map(Day::beginning),
            expires: decision.map(|it| Day::ending(it.expires)),
            states: decision.map(|it| &*it.states),
            evidence: decision.and_then(|it| it.evidence.as_deref()),
        }
    }
}

impl<'a> ChangeRecord<'a> {
    /// Changes in their order, with names and comments as far as shown.
    pub(crate) fn all(changes: &[StateChange<'a>], persons: &Persons) -> Vec<Self> {
        let changes = changes.iter();
        changes.map(|it| Self::new(*it, persons)).collect()
    }

    fn new(change: StateChange<'a>, persons: &Persons) -> Self {
        Self {
            state: change.state,
            at: change.at.map(Rfc3339),
            by: persons.name(change.by),
            comment: persons.comment(change.comment),
            assigned_to: persons.name(change.assigned_to),
            at_exact: change.at.map(|_| change.is_exact),
        }
    }
}
