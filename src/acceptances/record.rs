//! What is known, in the form in which other programs read it.
//!
//! One shape for everything that speaks JSON. The order of the fields is the
//! documented order, and a field is never left out: what is not known is null,
//! so that a reader can tell *unknown* from *forgotten*. A name, once told, is
//! a promise; `docs/reference/api.md` is its wording.

mod calendar;
mod tenant;

pub use calendar::{Day, Moment};
pub use tenant::{ListRecord, ListsRecord, TenantRecord};

use super::{Acceptance, PointsLost};
use secure_score_model::{Approval, Control, Exception, Persons, Points, StateUpdate, Timestamp};
use serde::Serialize;
use std::borrow::Cow;
use url::Url;

/// One accepted risk, in force or withdrawn, as far as its reader may know it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AcceptanceRecord<'a> {
    /// The tenant's alias.
    pub tenant: &'a str,
    /// What people call the tenant.
    pub tenant_display_name: &'a str,
    /// The directory's GUID, where it is known.
    pub entra_tenant_id: Option<&'a str>,
    /// Graph's id of the control.
    pub control: &'a str,
    /// What the portal shows; not unique.
    pub title: &'a str,
    /// The area the control counts in.
    pub category: &'static str,
    /// The state now, which tells how a withdrawn acceptance ended.
    pub state: &'static str,
    /// Whether the risk is accepted now.
    pub accepted: bool,
    /// When it was accepted last.
    pub accepted_at: Option<Moment>,
    /// Who did so: a sign-in name, an id or a pseudonym.
    pub accepted_by: Option<Cow<'a, str>>,
    /// Why, in that person's words.
    pub comment: Option<&'a str>,
    /// To whom the control was assigned with it.
    pub assigned_to: Option<Cow<'a, str>>,
    /// When another state followed.
    pub withdrawn_at: Option<Moment>,
    /// Who set that.
    pub withdrawn_by: Option<Cow<'a, str>>,
    /// What the acceptance costs now, points: nothing once it is withdrawn or
    /// where the control is not scored.
    pub points_lost: Option<f64>,
    /// Whether the tenant is scored on the control; not known without a report.
    pub scored: Option<bool>,
    /// Whether the control is on the watch list.
    pub watched: bool,
    /// Whether an exception covers it that has not expired.
    pub approved: bool,
    /// By which exception.
    pub approval: ApprovalRecord<'a>,
    /// How far the control is, in Microsoft's words.
    pub implementation_status: Option<&'a str>,
    /// Where it is fixed; http or https.
    pub action_url: Option<&'a str>,
    /// Microsoft has withdrawn the control.
    pub deprecated: bool,
    /// Every change of the control's state, oldest first.
    pub history: Vec<ChangeRecord<'a>>,
}

/// What the configuration says about an acceptance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApprovalRecord<'a> {
    /// `approved`, `expired` or `missing`.
    pub status: &'static str,
    /// Where the decision is recorded.
    pub reference: Option<&'a str>,
    /// Who decided.
    pub approver: Option<Cow<'a, str>>,
    /// Why.
    pub reason: Option<&'a str>,
    /// The day it was decided, where that binds the exception.
    pub approved_on: Option<Day>,
    /// The last day on which it holds.
    pub expires: Option<Day>,
}

/// One change of a control's state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeRecord<'a> {
    /// The state that was set.
    pub state: &'static str,
    /// When.
    pub at: Option<Moment>,
    /// Who.
    pub by: Option<Cow<'a, str>>,
    /// Why.
    pub comment: Option<&'a str>,
    /// To whom the control was assigned with it.
    pub assigned_to: Option<Cow<'a, str>>,
}

impl<'a> AcceptanceRecord<'a> {
    /// An acceptance as of now.
    pub fn new(it: &Acceptance<'a>, persons: &Persons, now: Timestamp) -> Self {
        let Acceptance {
            tenant,
            control,
            entry,
            accepted,
        } = *it;
        let approval = it.approval(now);
        let withdrawal = it.withdrawal();
        Self {
            tenant: &tenant.identity.alias,
            tenant_display_name: &tenant.identity.display_name,
            entra_tenant_id: tenant.identity.entra_tenant_id.as_deref(),
            control: &control.id,
            title: &entry.title,
            category: control.category.as_str(),
            state: entry.history.state().as_str(),
            accepted: it.is_in_force(),
            accepted_at: accepted.at.map(Moment),
            accepted_by: persons.name(accepted.by.as_deref()),
            comment: persons.comment(accepted.comment.as_deref()),
            assigned_to: persons.name(accepted.assigned_to.as_deref()),
            withdrawn_at: withdrawal.and_then(|end| end.at).map(Moment),
            withdrawn_by: persons.name(withdrawal.and_then(|end| end.by.as_deref())),
            points_lost: cost(it),
            scored: has_report(it).then_some(control.score.is_some()),
            watched: control.watched,
            approved: approval.is_approved(),
            approval: ApprovalRecord::new(approval, persons),
            implementation_status: implementation_status(control),
            action_url: action_url(control),
            deprecated: entry.deprecated,
            history: history(control, persons),
        }
    }
}

/// How far a control is, in Microsoft's words.
pub fn implementation_status(control: &Control) -> Option<&str> {
    control.score.as_ref()?.implementation_status.as_deref()
}

/// Where a control is fixed, if that is a web page.
pub fn action_url(control: &Control) -> Option<&str> {
    let url = control.entry.as_ref()?.action_url.as_deref();
    url.filter(|url| is_web(url))
}

/// Every change of a control's state, oldest first.
pub fn history<'a>(control: &'a Control, persons: &Persons) -> Vec<ChangeRecord<'a>> {
    let entry = control.entry.as_ref();
    let changes = entry.map_or(&[][..], |entry| entry.history.changes());
    let records = changes.iter().map(|it| ChangeRecord::new(it, persons));
    records.collect()
}

impl<'a> ApprovalRecord<'a> {
    /// A verdict, without the names and words its reader may not see.
    pub fn new(approval: Approval<'a>, persons: &Persons) -> Self {
        let exception: Option<&'a Exception> = approval.exception();
        Self {
            status: match approval {
                Approval::Approved(_) => "approved",
                Approval::Expired(_) => "expired",
                Approval::Missing => "missing",
            },
            reference: exception.map(|it| &*it.reference),
            approver: persons.name(exception.and_then(|it| it.approver.as_deref())),
            reason: persons.comment(exception.and_then(|it| it.reason.as_deref())),
            approved_on: exception.and_then(|it| it.approved_on).map(Day::beginning),
            expires: exception.map(|it| Day::ending(it.expires)),
        }
    }
}

impl<'a> ChangeRecord<'a> {
    fn new(change: &'a StateUpdate, persons: &Persons) -> Self {
        Self {
            state: change.state.as_str(),
            at: change.at.map(Moment),
            by: persons.name(change.by.as_deref()),
            comment: persons.comment(change.comment.as_deref()),
            assigned_to: persons.name(change.assigned_to.as_deref()),
        }
    }
}

fn has_report(it: &Acceptance<'_>) -> bool {
    it.tenant.snapshot.report.is_some()
}

/// Without a report nothing is known of any score, not even that there is none.
fn cost(it: &Acceptance<'_>) -> Option<f64> {
    if !it.is_in_force() {
        return Some(0.0);
    }
    match it.points_lost() {
        PointsLost::All(points) => Some(points.get()),
        PointsLost::NotScored => has_report(it).then_some(Points::ZERO.get()),
        PointsLost::Unknown => None,
    }
}

/// Whether an address from Graph leads to a web page, and not to a program:
/// somebody will put it into a link. A name before an `@` would look like the
/// host.
fn is_web(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let anonymous = url.username().is_empty() && url.password().is_none();
    matches!(url.scheme(), "https" | "http") && url.has_host() && anonymous
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_web_address_may_become_a_link() {
        for address in ["https://security.microsoft.com/x?y#z", "HTTP://a.example"] {
            assert!(is_web(address), "{address}");
        }
        for address in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//a.example",
            "https://",
            "https://microsoft.com@evil.example/",
            "",
        ] {
            assert!(!is_web(address), "{address}");
        }
    }
}
