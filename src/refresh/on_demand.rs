//! Refreshes that a scrape triggers (`refresh.mode: scrape`).

use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The triggers of all loops.
///
/// This is all that the web server knows of refreshing: it names the tenants
/// of a scrape and waits. The loops decide what is due and when Graph may be
/// asked. In `refresh.mode: background` there are no triggers and no waits.
#[derive(Debug, Default)]
pub struct OnDemandRefresh {
    triggers: ArcSwap<BTreeMap<Arc<str>, Vec<Arc<RefreshTrigger>>>>,
}

impl OnDemandRefresh {
    /// Whether scrapes refresh the tenants.
    pub fn is_used(&self) -> bool {
        let triggers = self.triggers.load();
        triggers.values().any(|of_tenant| !of_tenant.is_empty())
    }

    /// Starts the overdue refreshes of the selected tenants, and waits until
    /// those that run have ended, with or without success.
    pub async fn refreshed(&self, selected: impl Fn(&str) -> bool) {
        for ended in self.trigger(selected) {
            ended.await;
        }
    }

    /// Triggers all loops before the first wait begins.
    fn trigger(&self, selected: impl Fn(&str) -> bool) -> Vec<impl Future<Output = ()>> {
        let triggers = self.triggers.load();
        let selected = triggers.iter().filter(|(alias, _)| selected(alias));
        let selected = selected.flat_map(|(_, triggers)| triggers);
        selected.filter_map(|trigger| trigger.request()).collect()
    }

    pub(super) fn set(&self, triggers: BTreeMap<Arc<str>, Vec<Arc<RefreshTrigger>>>) {
        self.triggers.store(Arc::new(triggers));
    }
}

/// The state of a loop that refreshes on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The data is younger than the interval, or Graph asked for a delay.
    Idle,
    /// The data is older than the interval; the next request starts a refresh.
    Due,
    /// A scrape requested a refresh, and the loop has not woken up yet.
    Requested,
    /// The loop refreshes.
    Running,
}

impl State {
    fn is_waiting(&self) -> bool {
        matches!(self, Self::Idle | Self::Due)
    }
}

/// Wakes one loop.
///
/// A request while the loop is idle has no effect, so that no number of scrapes
/// asks Graph more often than the interval, or before a `Retry-After` is over.
/// A request while it runs joins the refresh under way.
#[derive(Debug)]
pub(super) struct RefreshTrigger(watch::Sender<State>);

impl RefreshTrigger {
    /// The trigger of a loop that is about to refresh for the first time.
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State::Running))
    }

    /// Starts a refresh if one is due. Returns a wait for the end of the refresh
    /// under way, if there is one. The wait holds no trigger, so that it ends
    /// when the loop is dropped.
    pub(super) fn request(&self) -> Option<impl Future<Output = ()> + use<>> {
        self.advance(State::Due, State::Requested);
        let mut state = self.0.subscribe();
        let waiting = state.borrow().is_waiting();
        (!waiting).then_some(async move {
            let _closed = state.wait_for(State::is_waiting).await;
        })
    }

    /// Marks the end of a refresh.
    pub(super) fn set_idle(&self) {
        self.0.send_replace(State::Idle);
    }

    /// Waits for a request.
    pub(super) async fn requested(&self) {
        self.advance(State::Idle, State::Due);
        let mut state = self.0.subscribe();
        // `self` is a sender, so the channel cannot close. The result holds a
        // read lock that must be released before the next change.
        drop(state.wait_for(|state| *state == State::Requested).await);
        self.0.send_replace(State::Running);
    }

    fn advance(&self, from: State, to: State) {
        self.0.send_if_modified(|state| {
            let matches = *state == from;
            if matches {
                *state = to;
            }
            matches
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_to_an_idle_loop_starts_nothing() {
        let trigger = RefreshTrigger::new();
        trigger.set_idle();
        assert!(trigger.request().is_none());
        let mut requested = Box::pin(trigger.requested());
        tokio::select! {
            biased;
            () = &mut requested => panic!("there was no request since it is due"),
            () = std::future::ready(()) => {}
        }
        let first = trigger.request().expect("it is due now");
        let second = trigger.request().expect("it is requested");
        requested.await;
        trigger.set_idle();
        first.await;
        second.await;
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_loop_is_dropped() {
        let trigger = RefreshTrigger::new();
        let wait = trigger.request().expect("the first refresh runs");
        drop(trigger);
        wait.await;
    }
}
