//! The exceptions of the demo: one of each kind.

use crate::config::Exceptions;
use secure_score_model::{Exception, Timestamp};

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// An approval and the whole days until it expires.
struct Approved {
    control: &'static str,
    tenant: &'static str,
    reference: &'static str,
    approver: &'static str,
    reason: &'static str,
    days_left: i64,
}

/// One in force, one that expires soon, and one that has expired.
const APPROVED: [Approved; 3] = [
    Approved {
        control: "IntegratedApps",
        tenant: "contoso",
        reference: "SEC-1234",
        approver: "Risk committee",
        reason: "The CRM vendor is being verified",
        days_left: 120,
    },
    Approved {
        control: "PWAgePolicyNew",
        tenant: "litware",
        reference: "INS-77",
        approver: "Mei Tanaka",
        reason: "The insurer changes its terms in spring",
        days_left: 12,
    },
    Approved {
        control: "SelfServicePasswordReset",
        tenant: "fabrikam",
        reference: "SEC-1190",
        approver: "Plant management",
        reason: "Until the kiosks are replaced",
        days_left: -9,
    },
];

/// The exceptions, relative to the start of the demo.
pub(super) fn exceptions(now: Timestamp) -> Exceptions {
    let today = now.nanos().div_euclid(1_000_000_000).div_euclid(DAY);
    let exceptions = APPROVED.iter().enumerate().map(|(number, it)| Exception {
        place: format!("risk_accepted.exceptions[{number}]").into(),
        control: it.control.into(),
        tenants: vec![it.tenant.into()],
        reference: it.reference.into(),
        approver: Some(it.approver.into()),
        reason: Some(it.reason.into()),
        approved_on: None,
        accepted_by: None,
        expires: Timestamp::from_seconds((today + 1 + it.days_left) * DAY),
    });
    // Only an invalid pattern is an error, and each control id is a valid one.
    Exceptions::of(exceptions.collect()).unwrap_or_default()
}
