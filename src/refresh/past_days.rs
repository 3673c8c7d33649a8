//! Reads the scores of the days before the first report.

use super::tenant_cell::TenantCell;
use crate::graph::{Client, RefreshPermits};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// After a failure.
const RETRY: Duration = Duration::from_secs(60 * 60);

/// After an answer from which something is missing, which the next one will lack too.
const RETRY_INCOMPLETE: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads the past days of one tenant.
pub(super) struct PastDays {
    pub(super) client: Arc<Client>,
    pub(super) cell: Arc<TenantCell>,
    pub(super) permits: RefreshPermits,
}

impl PastDays {
    /// Reads them where they are unknown, not before this time; returns the time of the
    /// next attempt. It runs in a task of its own, so that a panic in it ends no loop,
    /// and a failure fails no refresh.
    pub(super) async fn read(self: &Arc<Self>, not_before: Instant) -> Instant {
        let now = Instant::now();
        if now < not_before || !self.cell.lacks_past_scores() {
            return not_before;
        }
        let this = Arc::clone(self);
        let task = tokio::spawn(async move { this.read_once().await });
        let pause = AbortOnDropHandle::new(task).await.unwrap_or(RETRY);
        now + pause
    }

    /// Reads them; returns how long another attempt has to wait.
    async fn read_once(&self) -> Duration {
        let mut permit = self.permits.take().await;
        match self.client.past_scores(&mut permit).await {
            Ok(past) => {
                self.cell.add_past_scores(past, self.client.traffic());
                RETRY_INCOMPLETE
            }
            Err(error) => {
                tracing::info!(
                    tenant = self.cell.alias(),
                    reason = error.reason().as_str(),
                    "the scores of the past days are not known yet: {error}"
                );
                RETRY
            }
        }
    }
}
