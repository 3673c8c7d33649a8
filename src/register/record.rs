//! The register as other programs read it: JSON by the API and by `collect`.
//!
//! Field names are a promise. A field is added, never renamed.

use super::{Acceptance, PointsLost};
use crate::model::{
    Api, Approval, Control, ControlState, Exception, Persons, RefreshHealth, StateUpdate, Timestamp,
};
use crate::store::TenantState;
use serde::Serialize;
use std::borrow::Cow;

/// One accepted risk: a control of a tenant, judged by its newest acceptance.
#[derive(Debug, Clone, Serialize)]
pub struct AcceptanceRecord<'a> {
    /// The tenant's alias.
    pub tenant: &'a str,
    /// The tenant's name for people.
    pub tenant_display_name: &'a str,
    /// The directory's GUID, where it is known.
    pub entra_tenant_id: Option<&'a str>,
    /// The control's id (Graph: `id`).
    pub control: &'a str,
    /// What the portal calls it.
    pub title: &'a str,
    /// The area it counts in.
    pub category: &'static str,
    /// Its state now.
    pub state: &'static str,
    /// Whether the risk is accepted now; otherwise it was withdrawn.
    pub accepted: bool,
    /// When it was last accepted.
    pub accepted_at: Option<String>,
    /// Who accepted it, as far as persons are shown.
    pub accepted_by: Option<Cow<'a, str>>,
    /// Why, in that person's words, as far as comments are shown.
    pub comment: Option<&'a str>,
    /// To whom the control was assigned with it, as far as persons are shown.
    pub assigned_to: Option<Cow<'a, str>>,
    /// When the acceptance ended.
    pub withdrawn_at: Option<String>,
    /// Who ended it, as far as persons are shown.
    pub withdrawn_by: Option<Cow<'a, str>>,
    /// Points the tenant cannot have while it is accepted; null where nothing
    /// is lost or the maximum is unknown.
    pub points_lost: Option<f64>,
    /// Whether the tenant is scored on the control.
    pub scored: bool,
    /// Whether it is on the watch list.
    pub watched: bool,
    /// Whether an exception that holds covers it.
    pub approved: bool,
    /// The exception that covers it or did.
    pub approval: ApprovalRecord<'a>,
    /// How far the control is done, in Microsoft's words.
    pub implementation_status: Option<&'a str>,
    /// Where it is put right; http and https only.
    pub action_url: Option<&'a str>,
    /// Whether Microsoft has withdrawn the control.
    pub deprecated: bool,
    /// Every change of its state that Graph remembers, oldest first.
    pub history: Vec<ChangeRecord<'a>>,
}

/// What the configuration says about an acceptance.
#[derive(Debug, Clone, Serialize)]
pub struct ApprovalRecord<'a> {
    /// `approved`, `expired` or `missing`.
    pub status: &'static str,
    /// Where the decision is recorded.
    pub reference: Option<&'a str>,
    /// Who approved it.
    pub approver: Option<&'a str>,
    /// Why it was approved.
    pub reason: Option<&'a str>,
    /// The day it was approved on, as the moment the day begins.
    pub approved_on: Option<String>,
    /// The first moment at which it no longer holds.
    pub expires: Option<String>,
}

/// One change of a control's state.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeRecord<'a> {
    /// The state it changed to.
    pub state: &'static str,
    /// When.
    pub at: Option<String>,
    /// Who changed it, as far as persons are shown.
    pub by: Option<Cow<'a, str>>,
    /// Why, as far as comments are shown.
    pub comment: Option<&'a str>,
    /// To whom the control was assigned with it, as far as persons are shown.
    pub assigned_to: Option<Cow<'a, str>>,
}

impl<'a> AcceptanceRecord<'a> {
    /// An acceptance, with what may be shown of persons, as of now.
    pub fn new(acceptance: &Acceptance<'a>, persons: &Persons, now: Timestamp) -> Self {
        let Acceptance {
            tenant,
            control,
            entry,
            accepted,
        } = *acceptance;
        let withdrawal = acceptance.withdrawal();
        let approval = acceptance.approval(now);
        Self {
            tenant: &tenant.identity.alias,
            tenant_display_name: &tenant.identity.display_name,
            entra_tenant_id: tenant.identity.entra_tenant_id.as_deref(),
            control: &control.id,
            title: &entry.title,
            category: control.category.as_str(),
            state: entry.history.state().as_str(),
            accepted: acceptance.is_in_force(),
            accepted_at: accepted.at.map(moment),
            accepted_by: persons.name(accepted.by.as_deref()),
            comment: persons.comment(accepted.comment.as_deref()),
            assigned_to: persons.name(accepted.assigned_to.as_deref()),
            withdrawn_at: withdrawal.and_then(|it| it.at).map(moment),
            withdrawn_by: persons.name(withdrawal.and_then(|it| it.by.as_deref())),
            points_lost: match acceptance.points_lost() {
                PointsLost::All(points) if acceptance.is_in_force() => Some(points.get()),
                _ => None,
            },
            scored: control.score.is_some(),
            watched: control.watched,
            approved: approval.is_approved(),
            approval: ApprovalRecord::new(approval),
            implementation_status: implementation_status(control),
            action_url: action_url(control),
            deprecated: entry.deprecated,
            history: history(control, persons),
        }
    }
}

/// How far a control is done, in Microsoft's words.
pub fn implementation_status(control: &Control) -> Option<&str> {
    control.score.as_ref()?.implementation_status.as_deref()
}

/// Where a control is put right. What is no web address is left out: a page or
/// a spreadsheet would follow it.
pub fn action_url(control: &Control) -> Option<&str> {
    let url = control.entry.as_ref()?.action_url.as_deref()?;
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    let is_web = lower.starts_with("https://") || lower.starts_with("http://");
    is_web.then_some(url)
}

/// Every change of a control's state, oldest first.
pub fn history<'a>(control: &'a Control, persons: &Persons) -> Vec<ChangeRecord<'a>> {
    let entry = control.entry.as_ref();
    let changes = entry.map_or(&[][..], |entry| entry.history.changes());
    let records = changes
        .iter()
        .map(|change| ChangeRecord::new(change, persons));
    records.collect()
}

impl<'a> ChangeRecord<'a> {
    fn new(change: &'a StateUpdate, persons: &Persons) -> Self {
        Self {
            state: change.state.as_str(),
            at: change.at.map(moment),
            by: persons.name(change.by.as_deref()),
            comment: persons.comment(change.comment.as_deref()),
            assigned_to: persons.name(change.assigned_to.as_deref()),
        }
    }
}

impl<'a> ApprovalRecord<'a> {
    /// What a verdict says.
    pub fn new(approval: Approval<'a>) -> Self {
        let of = |it: &'a Exception| Self {
            status: "",
            reference: Some(&it.reference),
            approver: it.approver.as_deref(),
            reason: it.reason.as_deref(),
            approved_on: it.approved_on.map(moment),
            expires: Some(moment(it.expires)),
        };
        match approval {
            Approval::Approved(exception) => Self {
                status: "approved",
                ..of(exception)
            },
            Approval::Expired(exception) => Self {
                status: "expired",
                ..of(exception)
            },
            Approval::Missing => Self {
                status: "missing",
                reference: None,
                approver: None,
                reason: None,
                approved_on: None,
                expires: None,
            },
        }
    }
}

/// One tenant: its score, how fresh it is, and how many risks are accepted.
#[derive(Debug, Clone, Serialize)]
pub struct TenantRecord<'a> {
    /// The alias.
    pub tenant: &'a str,
    /// The name for people.
    pub display_name: &'a str,
    /// The directory's GUID, where it is known.
    pub entra_tenant_id: Option<&'a str>,
    /// The national cloud it lives in.
    pub cloud: &'static str,
    /// Points (Graph: `currentScore`).
    pub score: Option<f64>,
    /// Points possible (Graph: `maxScore`).
    pub max_score: Option<f64>,
    /// The score as a share of the maximum, 0 to 1.
    pub ratio: Option<f64>,
    /// The share the configuration aims for, 0 to 1.
    pub target: Option<f64>,
    /// The day Microsoft computed the score for.
    pub report_as_of: Option<String>,
    /// Controls known; null while the catalogue is not.
    pub controls: Option<usize>,
    /// Risks accepted now; null while the catalogue is not known.
    pub accepted: Option<usize>,
    /// Of these, how many no exception that holds covers.
    pub accepted_unapproved: Option<usize>,
    /// How the refreshes of both lists fare.
    pub lists: ListsRecord<'a>,
}

/// The refreshes of both lists.
#[derive(Debug, Clone, Serialize)]
pub struct ListsRecord<'a> {
    /// The catalogue of controls with their states.
    pub profiles: ListRecord<'a>,
    /// The daily report.
    pub scores: ListRecord<'a>,
}

/// The refreshes of one list.
#[derive(Debug, Clone, Serialize)]
pub struct ListRecord<'a> {
    /// Whether the last one succeeded.
    pub up: bool,
    /// When the last one succeeded.
    pub last_success: Option<String>,
    /// When the next one is due.
    pub next_refresh: Option<String>,
    /// What the last one failed with: the word of the metric's label.
    pub reason: Option<&'static str>,
    /// The same as a sentence.
    pub message: Option<&'a str>,
    /// What to do about it.
    pub hint: Option<&'a str>,
}

impl<'a> TenantRecord<'a> {
    /// A tenant as of now.
    pub fn new(tenant: &'a TenantState, now: Timestamp) -> Self {
        let report = tenant.snapshot.report.as_deref();
        let score = report.and_then(|it| it.current_score).map(|it| it.get());
        let max_score = report.and_then(|it| it.max_score).map(|it| it.get());
        let known = tenant.snapshot.catalogue_anomalies.is_some();
        let controls = &tenant.snapshot.controls;
        let accepted = || {
            let state = Some(ControlState::RiskAccepted);
            controls.iter().filter(move |it| it.state() == state)
        };
        let unapproved = || accepted().filter(|it| !it.approval(now).is_approved());
        Self {
            tenant: &tenant.identity.alias,
            display_name: &tenant.identity.display_name,
            entra_tenant_id: tenant.identity.entra_tenant_id.as_deref(),
            cloud: tenant.identity.cloud,
            score,
            max_score,
            ratio: score
                .zip(max_score.filter(|max| *max > 0.0))
                .map(|(a, b)| a / b),
            target: tenant.identity.target,
            report_as_of: report.and_then(|it| it.as_of).map(moment),
            controls: known.then_some(controls.len()),
            accepted: known.then(|| accepted().count()),
            accepted_unapproved: known.then(|| unapproved().count()),
            lists: ListsRecord {
                profiles: ListRecord::new(tenant.health.of(Api::Profiles)),
                scores: ListRecord::new(tenant.health.of(Api::Scores)),
            },
        }
    }
}

impl<'a> ListRecord<'a> {
    fn new(health: &'a RefreshHealth) -> Self {
        let trouble = health.trouble.as_ref();
        Self {
            up: health.up,
            last_success: health.last_success.map(moment),
            next_refresh: health.next_refresh.map(moment),
            reason: trouble.map(|it| it.reason.as_str()),
            message: trouble.map(|it| &*it.message),
            hint: trouble.and_then(|it| it.hint.as_deref()),
        }
    }
}

/// A moment as RFC 3339 has it, in UTC, with the fraction Graph gave.
pub fn moment(at: Timestamp) -> String {
    // Our nanoseconds end long before the calendar does.
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.nanos()));
    at.map_or_else(|_| String::new(), |at| at.to_string())
}
