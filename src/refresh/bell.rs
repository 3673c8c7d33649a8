//! What wakes a loop that waits for scrapes.

use tokio::sync::watch;

/// Where a loop stands that refreshes when it is rung for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// What it has is young enough, or Graph asked to be left alone.
    Resting,
    /// What it has is older than its interval; the next ring starts it.
    Due,
    /// Somebody rang, and the loop has not woken up yet.
    Rung,
    /// It is asking Graph.
    Busy,
}

/// The bell of one loop.
///
/// A ring while the loop rests does nothing, so that no number of scrapes asks
/// Graph more often than the interval says, or before a wait it was told is
/// over; a ring while it is busy joins who rang before.
#[derive(Debug)]
pub(super) struct Bell(watch::Sender<Stage>);

impl Bell {
    /// The bell of a loop that is about to refresh for the first time.
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Stage::Busy))
    }

    /// Starts a refresh if one is due. What comes back ends the wait for one
    /// under way; nothing, where there is nothing to wait for.
    pub(super) fn ring(&self) -> Option<Ringing> {
        let _rung = self.0.send_if_modified(|stage| {
            let due = *stage == Stage::Due;
            if due {
                *stage = Stage::Rung;
            }
            due
        });
        let ringing = Ringing(self.0.subscribe());
        (!ringing.is_over()).then_some(ringing)
    }

    /// The refresh has ended, however.
    pub(super) fn rest(&self) {
        self.0.send_replace(Stage::Resting);
    }

    /// Waits for somebody to ring.
    pub(super) async fn rung(&self) {
        let _due = self.0.send_if_modified(|stage| {
            let rested = *stage == Stage::Resting;
            if rested {
                *stage = Stage::Due;
            }
            rested
        });
        let mut stages = self.0.subscribe();
        // The sender is ours, so this ends with a ring only. What comes back
        // locks the stage and has to go before that is changed.
        drop(stages.wait_for(|stage| *stage == Stage::Rung).await);
        self.0.send_replace(Stage::Busy);
    }
}

/// A refresh that somebody waits for. It does not keep the loop's bell, so
/// that the end of the loop is the end of the wait.
#[derive(Debug)]
pub(super) struct Ringing(watch::Receiver<Stage>);

impl Ringing {
    fn is_over(&self) -> bool {
        matches!(*self.0.borrow(), Stage::Resting | Stage::Due)
    }

    /// Waits until the refresh has ended, or its loop.
    pub(super) async fn over(mut self) {
        let over = |stage: &Stage| matches!(stage, Stage::Resting | Stage::Due);
        let _ended = self.0.wait_for(over).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_ring_while_it_rests_starts_nothing() {
        let bell = Bell::new();
        bell.rest();
        assert!(bell.ring().is_none());
        let mut waiting = Box::pin(bell.rung());
        tokio::select! {
            biased;
            () = &mut waiting => panic!("nobody rang since it is due"),
            () = std::future::ready(()) => {}
        }
        let first = bell.ring().expect("it is due now");
        let second = bell.ring().expect("and under way");
        waiting.await;
        bell.rest();
        first.over().await;
        second.over().await;
    }

    #[tokio::test]
    async fn who_waits_is_let_go_when_the_loop_is_gone() {
        let bell = Arc::new(Bell::new());
        let ringing = bell.ring().expect("the first refresh is under way");
        drop(bell);
        ringing.over().await;
    }
}
