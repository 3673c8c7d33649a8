//! Hours in seconds: the real loops, HTTPS and all, on a clock that jumps.
//!
//! While nothing is under way it leaps to whatever is due next; while a refresh
//! is under way it runs in small steps, and between two of them everybody gets
//! to read what has arrived. A time-out of 30 s is hundreds of steps, so it
//! strikes who waits for something that never comes, and not who is slow.

use crate::world::World;
use secure_score_exporter::refresh::Clock;
use secure_score_exporter::store::{TenantState, Tenants};
use secure_score_model::Timestamp;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// One step while something is under way.
const STEP: Duration = Duration::from_millis(100);

/// Further than a due time by what a timer may be late.
const A_LITTLE: Duration = Duration::from_millis(2);

/// Real time that a refresh may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(180);

/// The time of a world of its own. Needs a runtime of one thread.
pub(crate) struct Clockwork {
    origin: Instant,
    began: Timestamp,
}

impl Clockwork {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            began: Timestamp::from(SystemTime::now()),
        }
    }

    /// Runs a story on a runtime whose time can be moved.
    pub(crate) fn run<T>(story: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be built")
            .block_on(story)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.began.plus(self.origin.elapsed())
    }

    /// The wall clock of this world.
    pub(crate) fn clock(&self) -> Clock {
        let Self { origin, began } = *self;
        Arc::new(move || began.plus(origin.elapsed()))
    }

    /// Lets an hour or so pass, and every refresh in it come to its end.
    pub(crate) async fn pass(&self, world: &World, time: Duration) {
        let end = self.now().plus(time);
        loop {
            self.settle(world).await;
            let due = next_due(&world.store.current()).filter(|due| *due < end);
            let Some(due) = due else { break };
            leap(due.since(self.now()) + A_LITTLE).await;
        }
        leap(end.since(self.now())).await;
        self.settle(world).await;
    }

    /// Lets time pass until something is shown.
    pub(crate) async fn until(
        &self,
        world: &World,
        what: &str,
        most: Duration,
        seen: impl Fn(&Tenants) -> bool,
    ) {
        let end = self.now().plus(most);
        loop {
            self.settle(world).await;
            if seen(&world.store.current()) {
                return;
            }
            let due = next_due(&world.store.current()).filter(|due| *due <= end);
            let Some(due) = due else {
                panic!("not seen within {most:?}: {what}\n{}", log_of(world))
            };
            leap(due.since(self.now()) + A_LITTLE).await;
        }
    }

    /// Waits for all refreshes that are due.
    pub(crate) async fn settle(&self, world: &World) {
        let patience = std::time::Instant::now() + PATIENCE;
        while !self.is_settled(&world.store.current()) {
            assert!(
                std::time::Instant::now() < patience,
                "a refresh never ends\n{}",
                log_of(world)
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
            leap(STEP).await;
        }
    }

    fn is_settled(&self, tenants: &Tenants) -> bool {
        let now = self.now();
        due_times(tenants).all(|due| due.is_some_and(|due| due > now))
    }
}

fn due_times(tenants: &Tenants) -> impl Iterator<Item = Option<Timestamp>> {
    let lists = |state: &Arc<TenantState>| {
        let lists = state.health.lists();
        lists
            .map(|(_, health)| health.next_refresh)
            .collect::<Vec<_>>()
    };
    tenants.states.iter().flat_map(lists)
}

fn next_due(tenants: &Tenants) -> Option<Timestamp> {
    due_times(tenants).flatten().min()
}

/// Moves the runtime's time without waiting.
pub(crate) async fn leap(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

fn log_of(world: &World) -> String {
    let tenants = world.store.current();
    let states = tenants.states.iter();
    let health = states.map(|state| format!("{}: {:#?}\n", state.identity.alias, state.health));
    health.collect()
}
