//! Loops that run until they are dropped.

use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// The delay before a loop that panicked is started again.
const RESTART_DELAY: Duration = Duration::from_secs(10);

/// Runs a loop in a task of its own, and starts it again where it ended, which is
/// a bug: its series would freeze without a sign. `report` learns whether it
/// panicked.
pub(crate) async fn run<F>(start: impl Fn() -> F, report: impl Fn(bool))
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let ended = AbortOnDropHandle::new(tokio::spawn(start())).await;
        report(ended.is_err());
        tokio::time::sleep(RESTART_DELAY).await;
    }
}
