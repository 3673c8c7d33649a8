//! What somebody approved in the demo: enough to see every kind of approval.

use crate::config::Exceptions;
use secure_score_model::{Exception, Timestamp};

/// A day, seconds.
const DAY: i64 = 24 * 60 * 60;

/// An approval, and how many whole days it has left.
struct Approved {
    control: &'static str,
    tenant: &'static str,
    reference: &'static str,
    approver: &'static str,
    reason: &'static str,
    days_left: i64,
}

/// One that holds, one that ends soon, and one that has ended.
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

/// The exceptions of the demo, as of the day it begins.
pub(super) fn exceptions(now: Timestamp) -> Exceptions {
    let today = now.nanos().div_euclid(1_000_000_000).div_euclid(DAY);
    let written = APPROVED.iter().enumerate().map(|(number, it)| Exception {
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
    // An id is a pattern, always.
    Exceptions::of(written.collect()).unwrap_or_default()
}
