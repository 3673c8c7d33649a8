//! Reads the scores of the days before the first report.

use super::run_loop::RefreshLoop;
use secure_score_model::Api;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// After a failure.
const RETRY: Duration = Duration::from_secs(60 * 60);

/// After an answer from which something is missing, which the next one will lack too.
const RETRY_INCOMPLETE: Duration = Duration::from_secs(24 * 60 * 60);

/// When they may be read again.
#[derive(Default)]
pub(super) struct PastDays {
    not_before: Option<Instant>,
}

impl PastDays {
    /// Reads them where they are unknown, in a task of its own: a panic in it ends no
    /// loop. A failure fails no refresh.
    pub(super) async fn read(&mut self, of: &Arc<RefreshLoop>) {
        let now = Instant::now();
        let is_due = self.not_before.is_none_or(|at| at <= now);
        if of.api != Api::Scores || !is_due || !of.cell.lacks_past_scores() {
            return;
        }
        let this = Arc::clone(of);
        let task = tokio::spawn(async move { read(&this).await });
        let pause = AbortOnDropHandle::new(task).await.unwrap_or(RETRY);
        self.not_before = Some(now + pause);
    }
}

/// Reads them once; returns how long another attempt has to wait.
async fn read(of: &RefreshLoop) -> Duration {
    let mut permit = of.permits.take().await;
    match of.client.past_scores(&mut permit).await {
        Ok(past) => {
            of.cell.add_past_scores(past, of.client.traffic());
            RETRY_INCOMPLETE
        }
        Err(error) => {
            tracing::info!(
                tenant = of.cell.alias(),
                reason = error.reason().as_str(),
                "the scores of the past days are not known yet: {error}"
            );
            RETRY
        }
    }
}
