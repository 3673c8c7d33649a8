//! Judges the decisions about a tenant again when one of them ends.

use super::tenant_cell::TenantCell;
use super::{Clock, endless_loop};
use parking_lot::Mutex;
use secure_score_model::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The longest wait before the wall clock is read again: it can be set, and a timer
/// does not count the time in which the machine is suspended.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// When decisions end, and whose data show it then.
///
/// Some series say what is approved *now*, and would otherwise stay as they were
/// until the next refresh.
pub(super) struct DecisionEnds {
    /// The tenants by the next end of one of their decisions.
    next: Mutex<BTreeMap<Timestamp, Vec<Arc<TenantCell>>>>,
    clock: Clock,
}

impl DecisionEnds {
    /// The ends after a time, of the decisions with which these cells are configured.
    pub(super) fn after<'a>(
        now: Timestamp,
        cells: impl Iterator<Item = &'a Arc<TenantCell>>,
        clock: Clock,
    ) -> Self {
        let ends = Self {
            next: Mutex::default(),
            clock,
        };
        cells.for_each(|cell| ends.wait_for(cell, now));
        ends
    }

    /// Waits for each end until it is dropped.
    pub(super) async fn run(self) {
        let this = Arc::new(self);
        let report = |panic| {
            tracing::error!(
                panic,
                "the loop that judges decisions ended because of a bug in the exporter and is started again"
            );
        };
        endless_loop::run(|| Arc::clone(&this).run_loop(), report).await;
    }

    async fn run_loop(self: Arc<Self>) {
        loop {
            let now = (self.clock)();
            while let Some(cell) = self.take_due(now) {
                // Before the rendering, which may panic.
                self.wait_for(&cell, now);
                cell.judge_decisions();
                tokio::task::yield_now().await;
            }
            let next = self.next.lock().keys().next().copied();
            match next {
                Some(next) => tokio::time::sleep(next.since(now).min(MAX_WAIT)).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Adds a tenant with its first end after a time.
    fn wait_for(&self, cell: &Arc<TenantCell>, now: Timestamp) {
        if let Some(end) = cell.next_decision_end(now) {
            let mut next = self.next.lock();
            next.entry(end).or_default().push(Arc::clone(cell));
        }
    }

    fn take_due(&self, now: Timestamp) -> Option<Arc<TenantCell>> {
        let mut next = self.next.lock();
        let mut first = next.first_entry().filter(|it| *it.key() <= now)?;
        let cell = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        cell
    }
}
