//! The partner's own tenant: its customers, and the refreshes of its list.

use crate::dice::{roll, roll_at};
use crate::story::partner_failure;
use crate::{DAY, END, HOUR};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_model::CustomerState::{self, Excluded, Left, NotConsented, Unwatched, Watched};
use secure_score_model::{
    Customer, CustomerStatus, PartnerSnapshot, RefreshHealth, Relationship, SkippedCustomers,
    Timestamp,
};
use std::time::Duration;

/// The name of the partner.
pub(crate) const PARTNER: &str = "tailspin";

/// Between refreshes of the list, the default of the configuration.
pub(crate) const INTERVAL: i64 = 6 * HOUR;

/// Hours before the end, long before the first day.
const ALWAYS: i64 = 365 * 24;

/// The list in the durations of refreshes and requests.
const LIST: &str = "customers";

/// A tenant in the partner's list.
pub(crate) struct CustomerStory {
    pub(crate) entra_id: &'static str,
    display_name: &'static str,
    /// The alias, where it is a tenant of the configuration in the end.
    tenant: Option<&'static str>,
    /// From how many hours before the end it is in which state. It signs with the
    /// first.
    states: &'static [(i64, CustomerState)],
    /// Days from the end of the data to that of the relationship, and whether it
    /// extends itself.
    relationship: Option<(i64, bool)>,
}

impl CustomerStory {
    /// Its state at a moment, and since when; `None` before it signs.
    pub(crate) fn state(&self, now: i64) -> Option<(CustomerState, i64)> {
        let since = |hours: i64| END - hours * HOUR;
        let states = self.states.iter().rev();
        let current = states.map(|(hours, state)| (*state, since(*hours)));
        current.into_iter().find(|(_, since)| *since <= now)
    }

    /// When its relationship ends, where that does not extend itself.
    pub(crate) fn ends(&self) -> Option<i64> {
        match self.relationship? {
            (days, false) => Some(END + days * DAY),
            (_, true) => None,
        }
    }

    fn status(&self, now: i64) -> Option<CustomerStatus> {
        let (state, _) = self.state(now)?;
        let relationship = self.relationship.filter(|_| state != Left);
        Some(CustomerStatus {
            customer: Customer {
                tenant_id: self.entra_id.into(),
                display_name: self.display_name.into(),
                relationship: relationship.map(|(days, extends)| Relationship {
                    ends: Timestamp::from_seconds(END + days * DAY),
                    extends,
                }),
            },
            state,
            tenant: self.tenant.filter(|_| state.is_watched()).map(Into::into),
            consent_url: None,
            left_at: None,
            consent_missing: self
                .tenant
                .filter(|_| state.is_watched())
                .map(|_| state == NotConsented),
        })
    }
}

const fn customer(
    entra_id: &'static str,
    display_name: &'static str,
    tenant: Option<&'static str>,
    states: &'static [(i64, CustomerState)],
    relationship: Option<(i64, bool)>,
) -> CustomerStory {
    CustomerStory {
        entra_id,
        display_name,
        tenant,
        states,
        relationship,
    }
}

/// In the order of their ids.
#[rustfmt::skip]
pub(crate) static CUSTOMERS: &[CustomerStory] = &[
    customer("6a1b8c5e-0d52-4d7c-9f43-1d2f6b8a0c01", "Contoso Ltd", Some("contoso"), &[(ALWAYS, Watched)], Some((112, true))),
    customer("6a1b8c5e-0d52-4d7c-9f43-1d2f6b8a0c02", "Fabrikam Manufacturing", Some("fabrikam"), &[(ALWAYS, Watched)], Some((12, false))),
    customer("6a1b8c5e-0d52-4d7c-9f43-1d2f6b8a0c03", "Adatum Corporation", Some("adatum"), &[(ALWAYS, Watched), (30, Left)], Some((-2, false))),
    customer("6a1b8c5e-0d52-4d7c-9f43-1d2f6b8a0c04", "Litware", Some("litware"), &[(ALWAYS, Watched)], Some((47, true))),
    customer("91d3f0a7-5c6e-4b1f-8a29-70c4e2b91a06", "Wingtip Toys", Some("wingtip"), &[(19 * 24, Unwatched), (18 * 24 + 6, NotConsented)], Some((346, true))),
    customer("91d3f0a7-5c6e-4b1f-8a29-70c4e2b91a07", "Proseware, Inc.", None, &[(9 * 24 + 12, Unwatched)], Some((81, false))),
    customer("91d3f0a7-5c6e-4b1f-8a29-70c4e2b91a08", "Alpine Ski House", None, &[(18, Unwatched)], Some((729, true))),
    customer("91d3f0a7-5c6e-4b1f-8a29-70c4e2b91a09", "Fourth Coffee", None, &[(ALWAYS, Excluded)], Some((25, false))),
    customer("91d3f0a7-5c6e-4b1f-8a29-70c4e2b91a0a", "Tailspin Laboratory", None, &[(25 * 24, Excluded)], None),
];

/// What one exporter knows of the partner.
pub(crate) struct Partner {
    snapshot: PartnerSnapshot,
}

impl Partner {
    /// An exporter that has just started.
    pub(crate) fn new() -> Self {
        let snapshot = PartnerSnapshot {
            shows_names: true,
            ..PartnerSnapshot::new(PARTNER)
        };
        Self { snapshot }
    }

    pub(crate) const fn snapshot(&self) -> &PartnerSnapshot {
        &self.snapshot
    }

    /// Refreshes the list where that is due, and shows the tenants' own consents in
    /// any case.
    pub(crate) fn advance(&mut self, telemetry: &Telemetry, now: i64) {
        if now % INTERVAL == 0 || self.snapshot.health.refreshes == 0 {
            refresh(telemetry, &mut self.snapshot.health, now);
        }
        let customers = CUSTOMERS.iter().filter_map(|it| it.status(now));
        self.snapshot.customers = Some(customers.collect());
        self.snapshot.skipped = SkippedCustomers::default();
    }
}

fn refresh(telemetry: &Telemetry, health: &mut RefreshHealth, now: i64) {
    let failed = partner_failure(now);
    let luck = roll_at(&[PARTNER, LIST], now);
    for part in 0..2 {
        telemetry.graph_request(LIST, Duration::from_millis(110 + luck * (3 + part)));
    }
    telemetry.refresh(LIST, Duration::from_millis(400 + luck * 9));
    health.refreshes += 1;
    health.up = failed.is_none();
    match failed {
        Some(reason) => *health.failures.entry(reason).or_default() += 1,
        None => {
            // A refresh is some minutes old when it is scraped.
            let age = roll(&[PARTNER, "age"]) as i64 * 8;
            health.last_success = Some(Timestamp::from_seconds(now - age));
        }
    }
}
