//! Events that wait for the webhook.

use super::WebhookPayload;
use super::event::EventId;
use crate::telemetry::Telemetry;
use parking_lot::Mutex;
use secure_score_model::{Delivery, Timestamp};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Events that may wait: ten for each of a thousand tenants, more than a night
/// without the receiver causes. A receiver that is unavailable for long must
/// not fill the exporter's memory: an event takes some kilobytes.
pub const CAPACITY: usize = 10_000;

/// How long a process tries to send an event, whatever its age.
const MIN_ATTEMPTS: Duration = Duration::from_secs(60 * 60);

/// A queue between the refreshes, which must not wait, and the webhook.
///
/// A full queue drops its oldest event: after an outage the newest ones matter
/// most, and the log has all of them.
#[derive(Debug, Default)]
pub struct DeliveryQueue {
    events: Mutex<QueuedEvents>,
    added: Notify,
    observer: OnceLock<Weak<dyn QueueObserver>>,
}

/// An event in the queue.
#[derive(Debug, Clone)]
pub struct QueuedEvent {
    /// Its position in the queue; it stays the same over restarts.
    pub sequence: u64,
    /// What is sent.
    pub payload: WebhookPayload,
    /// Its age when this process queued it.
    age_when_queued: Duration,
    queued: Instant,
    /// How many events the receiver had accepted when this one was postponed.
    pub(super) accepted_before: Option<u64>,
}

/// The events that an earlier process stored.
#[derive(Debug, Default)]
pub struct StoredEvents {
    /// By position.
    pub waiting: BTreeMap<u64, WebhookPayload>,
    /// The first position after all files, also those that cannot be read.
    pub next_sequence: u64,
    /// How many files are damaged.
    pub damaged: usize,
}

/// What the stored queue lacks, and what it has too much.
#[derive(Debug)]
pub struct QueueChanges {
    /// Events that are not stored.
    pub added: Vec<Arc<QueuedEvent>>,
    /// Positions of events that no longer wait.
    pub removed: Vec<u64>,
}

impl QueueChanges {
    /// Whether there is nothing to store and nothing to delete.
    pub const fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// Stores the queue's changes, soon after it learns of them.
pub trait QueueObserver: Debug + Send + Sync {
    /// There are changes. Returns without waiting.
    fn queue_changed(&self);
}

#[derive(Debug, Default)]
struct QueuedEvents {
    /// The event that is being sent; a full queue does not drop it.
    in_flight: Option<Arc<QueuedEvent>>,
    waiting: VecDeque<Arc<QueuedEvent>>,
    /// The ids of all of them.
    ids: HashSet<EventId>,
    next_sequence: u64,
    /// Events before this position are stored, or being stored.
    first_unstored: u64,
    /// Events before this position may be stored: an attempt to store them may
    /// have failed half-way.
    first_never_stored: u64,
    /// Events that may be stored and no longer wait.
    removed: Vec<u64>,
    /// Whether the log has the warning about dropped events.
    overflowing: bool,
}

impl QueuedEvent {
    /// How long it is still sent, if events are given up after this time since
    /// they were detected. The wall clock counts only while no process ran; a
    /// new process tries for [`MIN_ATTEMPTS`], as its receiver may start later.
    pub(super) fn time_left(&self, give_up_after: Duration) -> Duration {
        let queued = self.queued.elapsed();
        let age = self.age_when_queued.saturating_add(queued);
        let in_this_process = give_up_after.min(MIN_ATTEMPTS).saturating_sub(queued);
        give_up_after.saturating_sub(age).max(in_this_process)
    }
}

impl DeliveryQueue {
    /// A queue with the events that an earlier process stored. Those of damaged
    /// files are counted as dropped.
    pub fn restored(stored: StoredEvents, now: Timestamp, telemetry: &Telemetry) -> Self {
        let StoredEvents {
            waiting: stored,
            next_sequence,
            damaged,
        } = stored;
        telemetry.delivery(Delivery::Dropped, damaged);
        let queued = |(sequence, payload): (u64, WebhookPayload)| {
            Arc::new(QueuedEvent {
                sequence,
                age_when_queued: now.since(payload.seen_at),
                queued: Instant::now(),
                accepted_before: None,
                payload,
            })
        };
        let events = QueuedEvents {
            ids: stored.values().map(|payload| payload.id).collect(),
            waiting: stored.into_iter().map(queued).collect(),
            next_sequence,
            first_unstored: next_sequence,
            first_never_stored: next_sequence,
            ..QueuedEvents::default()
        };
        telemetry.set_waiting_events(events.len());
        Self {
            events: Mutex::new(events),
            ..Self::default()
        }
    }

    /// Sets who stores the changes. Only the first call counts.
    pub fn observe(&self, observer: Weak<dyn QueueObserver>) {
        let _already_set = self.observer.set(observer);
    }

    /// Whether its events survive the process.
    pub(super) fn is_stored(&self) -> bool {
        self.observer.get().is_some()
    }

    fn changed(&self) {
        if let Some(observer) = self.observer.get().and_then(Weak::upgrade) {
            observer.queue_changed();
        }
    }

    /// Adds a payload, and drops the oldest event of a full queue. An event that
    /// waits already, stored by a process that crashed, is not added again.
    pub fn push(&self, payload: WebhookPayload, telemetry: &Telemetry) {
        let mut events = self.events.lock();
        if !events.ids.insert(payload.id) {
            return;
        }
        let event = QueuedEvent {
            sequence: events.next_sequence,
            payload,
            age_when_queued: Duration::ZERO,
            queued: Instant::now(),
            accepted_before: None,
        };
        events.next_sequence = events.next_sequence.saturating_add(1);
        events.waiting.push_back(Arc::new(event));
        while events.waiting.len() > CAPACITY
            && let Some(oldest) = events.waiting.pop_front()
        {
            events.forget(&oldest);
            telemetry.delivery(Delivery::Dropped, 1);
            if !events.overflowing {
                events.overflowing = true;
                tracing::warn!(
                    waiting = CAPACITY,
                    "the webhook accepts events too slowly; the queue is full and drops the oldest"
                );
            }
        }
        telemetry.set_waiting_events(events.len());
        drop(events);
        self.added.notify_one();
        self.changed();
    }

    /// Waits for the next event and puts it in flight.
    pub(super) async fn next(&self) -> Arc<QueuedEvent> {
        loop {
            let added = self.added.notified();
            if let Some(event) = self.try_next() {
                return event;
            }
            added.await;
        }
    }

    /// The event in flight, else the oldest one that waits.
    pub(super) fn try_next(&self) -> Option<Arc<QueuedEvent>> {
        let mut events = self.events.lock();
        if events.in_flight.is_none() {
            events.in_flight = events.waiting.pop_front();
            events.overflowing &= !events.waiting.is_empty();
        }
        events.in_flight.clone()
    }

    /// Removes the event in flight.
    pub(super) fn complete(&self, telemetry: &Telemetry) {
        let mut events = self.events.lock();
        if let Some(event) = events.in_flight.take() {
            events.forget(&event);
        }
        telemetry.set_waiting_events(events.len());
        drop(events);
        self.changed();
    }

    /// Puts the event in flight behind the others. The receiver has accepted
    /// this many events until now.
    pub(super) fn postpone(&self, accepted: u64) {
        let mut events = self.events.lock();
        if let Some(event) = events.in_flight.take() {
            events.waiting.push_back(Arc::new(QueuedEvent {
                accepted_before: Some(accepted),
                ..(*event).clone()
            }));
        }
    }

    /// The payloads that are not delivered, in the order in which they are sent.
    pub fn undelivered(&self) -> Vec<WebhookPayload> {
        let events = self.events.lock();
        events.all().map(|it| it.payload.clone()).collect()
    }

    /// How many events are not delivered.
    pub fn len(&self) -> usize {
        self.events.lock().len()
    }

    /// Whether every event is delivered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all events and returns their number.
    pub(super) fn clear(&self) -> usize {
        std::mem::take(&mut *self.events.lock()).len()
    }

    /// Passes the changes since the last call to `store`. Those that it cannot
    /// store are passed again next time.
    pub fn store_changes<E>(
        &self,
        store: impl FnOnce(&QueueChanges) -> Result<(), E>,
    ) -> Result<(), E> {
        let changes = self.events.lock().take_changes();
        let stored = store(&changes);
        if stored.is_err() {
            self.events.lock().put_back(changes);
        }
        stored
    }
}

impl QueuedEvents {
    fn all(&self) -> impl Iterator<Item = &Arc<QueuedEvent>> {
        self.in_flight.iter().chain(&self.waiting)
    }

    fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.in_flight.is_some())
    }

    /// Notes that an event no longer waits.
    fn forget(&mut self, event: &QueuedEvent) {
        self.ids.remove(&event.payload.id);
        if event.sequence < self.first_never_stored {
            self.removed.push(event.sequence);
        }
    }

    fn take_changes(&mut self) -> QueueChanges {
        let first = std::mem::replace(&mut self.first_unstored, self.next_sequence);
        self.first_never_stored = self.next_sequence;
        let unstored = self.all().filter(|it| it.sequence >= first);
        QueueChanges {
            added: unstored.cloned().collect(),
            removed: std::mem::take(&mut self.removed),
        }
    }

    fn put_back(&mut self, changes: QueueChanges) {
        let added = changes.added.iter().map(|event| event.sequence);
        self.first_unstored = added.min().unwrap_or(self.first_unstored);
        self.removed.extend(changes.removed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::EventKind;

    const HOUR: i64 = 3_600;

    fn payload(name: &str, seen_at: i64) -> WebhookPayload {
        WebhookPayload {
            id: EventId::of(&[name]),
            kind: EventKind::StateChanged,
            tenant: "contoso".into(),
            control: "A".into(),
            seen_at: Timestamp::from_seconds(seen_at),
            body: name.to_owned(),
        }
    }

    fn added(changes: &QueueChanges) -> Vec<(u64, &str)> {
        let added = changes.added.iter();
        added
            .map(|it| (it.sequence, it.payload.body.as_str()))
            .collect()
    }

    #[tokio::test]
    async fn changes_are_stored_once_and_again_after_a_failure() {
        let (queue, telemetry) = (DeliveryQueue::default(), Telemetry::new().unwrap());
        queue.push(payload("a", 0), &telemetry);
        queue.push(payload("b", 0), &telemetry);
        let check = |expected: &[(u64, &str)], removed: &[u64], outcome: Result<(), ()>| {
            let stored = queue.store_changes(|changes| {
                assert_eq!(added(changes), expected);
                assert_eq!(changes.removed, removed);
                outcome
            });
            assert_eq!(stored, outcome);
        };
        check(&[(0, "a"), (1, "b")], &[], Err(()));
        check(&[(0, "a"), (1, "b")], &[], Ok(()));
        check(&[], &[], Ok(()));
        assert_eq!(queue.next().await.payload.body, "a");
        check(&[], &[], Ok(()));
        queue.complete(&telemetry);
        queue.push(payload("c", 0), &telemetry);
        check(&[(2, "c")], &[0], Err(()));
        check(&[(2, "c")], &[0], Ok(()));
    }

    #[tokio::test]
    async fn an_event_that_was_stored_half_way_is_removed_after_delivery() {
        let (queue, telemetry) = (DeliveryQueue::default(), Telemetry::new().unwrap());
        queue.push(payload("a", 0), &telemetry);
        queue.push(payload("b", 0), &telemetry);
        assert_eq!(queue.store_changes(|_| Err("disk full")), Err("disk full"));
        queue.next().await;
        queue.complete(&telemetry);
        let stored: Result<(), ()> = queue.store_changes(|changes| {
            assert_eq!(added(changes), [(1, "b")]);
            assert_eq!(changes.removed, [0]);
            Ok(())
        });
        stored.unwrap();
    }

    #[tokio::test]
    async fn an_event_that_is_delivered_while_it_is_stored_is_removed_afterwards() {
        let (queue, telemetry) = (DeliveryQueue::default(), Telemetry::new().unwrap());
        queue.push(payload("a", 0), &telemetry);
        let stored: Result<(), ()> = queue.store_changes(|changes| {
            assert_eq!(added(changes), [(0, "a")]);
            queue.try_next();
            queue.complete(&telemetry);
            Ok(())
        });
        stored.unwrap();
        let removed: Result<(), ()> = queue.store_changes(|changes| {
            assert_eq!(changes.removed, [0]);
            Ok(())
        });
        removed.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn restored_events_keep_order_position_and_age() {
        let telemetry = Telemetry::new().unwrap();
        let stored = [(7, payload("a", HOUR)), (9, payload("b", 5 * HOUR))];
        let now = Timestamp::from_seconds(3 * HOUR);
        let stored = StoredEvents {
            waiting: stored.into(),
            next_sequence: 12,
            damaged: 2,
        };
        let queue = DeliveryQueue::restored(stored, now, &telemetry);
        queue.push(payload("b", 3 * HOUR), &telemetry);
        queue.push(payload("c", 3 * HOUR), &telemetry);
        let bodies: Vec<_> = queue.undelivered().into_iter().map(|it| it.body).collect();
        assert_eq!(bodies, ["a", "b", "c"], "an event is queued once");
        tokio::time::advance(Duration::from_secs(60)).await;
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let old = queue.next().await;
        assert_eq!(old.time_left(minutes(300)), minutes(300 - 121));
        assert_eq!(old.time_left(minutes(100)), minutes(59), "an hour at least");
        assert_eq!(
            old.time_left(minutes(5)),
            minutes(4),
            "unless less is asked"
        );
        queue.complete(&telemetry);
        let next = queue.next().await;
        let left = next.time_left(minutes(300));
        assert_eq!(left, minutes(299), "from the future");
        let unstored: Result<(), ()> = queue.store_changes(|changes| {
            assert_eq!(added(changes), [(12, "c")], "behind unreadable files");
            assert_eq!(changes.removed, [7]);
            Ok(())
        });
        unstored.unwrap();
    }
}
