//! Writes the state directory.

use crate::events::{DeliveryQueue, QueueObserver};
use crate::store::disk::{SavedTenant, StateDirectory};
use crate::store::event_files::EventFiles;
use crate::telemetry::Telemetry;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

/// Writes each tenant's newest state, and the events that wait for the webhook,
/// into a directory, in a thread of its own.
///
/// A state has its events as seen, so it is written after they are: a crash
/// between the two repeats an event, and none is lost.
///
/// A slow disk makes it skip states that a newer one replaced, and delays no
/// refresh. A full disk costs the states that could not be written, and is
/// logged. Dropping it writes what is left.
#[derive(Debug)]
pub struct StateWriter {
    queue: Arc<WriteQueue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The newest state of each tenant that is not written yet.
#[derive(Debug)]
struct WriteQueue {
    directory: StateDirectory,
    event_files: EventFiles,
    deliveries: Arc<DeliveryQueue>,
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    tenants: BTreeMap<Arc<str>, SavedTenant>,
    /// Whether the events that wait for the webhook changed.
    events: bool,
    closed: bool,
}

/// What is written at once.
enum Write {
    /// The events, then a tenant's state.
    Tenant(SavedTenant),
    /// Only the events.
    Events,
}

impl StateWriter {
    /// Starts the thread, which also stores the changes of `deliveries`.
    pub fn new(
        directory: StateDirectory,
        deliveries: Arc<DeliveryQueue>,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        let queue = Arc::new(WriteQueue {
            event_files: EventFiles::of(&directory),
            directory,
            deliveries,
            pending: Mutex::default(),
            changed: Condvar::new(),
        });
        let observer: Weak<WriteQueue> = Arc::downgrade(&queue);
        queue.deliveries.observe(observer);
        let writing = Arc::clone(&queue);
        let thread = std::thread::spawn(move || write(&writing, &telemetry));
        let thread = Mutex::new(Some(thread));
        Self { queue, thread }
    }

    /// What an earlier process saved of a tenant.
    pub(super) fn load(&self, alias: &str) -> Option<SavedTenant> {
        self.queue.directory.load(alias)
    }

    /// Queues a tenant's state.
    pub(super) fn save(&self, saved: SavedTenant) {
        let alias = Arc::clone(&saved.alias);
        self.queue.pending.lock().tenants.insert(alias, saved);
        self.queue.changed.notify_one();
    }

    /// Writes what is queued, and ends the thread.
    pub fn close(&self) {
        {
            let mut pending = self.queue.pending.lock();
            // Events that an earlier write could not store are tried again.
            pending.events = true;
            pending.closed = true;
        }
        self.queue.changed.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            let _ended = thread.join();
        }
    }
}

impl Drop for StateWriter {
    fn drop(&mut self) {
        self.close();
    }
}

impl QueueObserver for WriteQueue {
    fn queue_changed(&self) {
        self.pending.lock().events = true;
        self.changed.notify_one();
    }
}

impl WriteQueue {
    /// Waits for something to write; `None` once the queue is closed and empty.
    fn next(&self) -> Option<Write> {
        let mut pending = self.pending.lock();
        self.changed.wait_while(&mut pending, |it| {
            it.tenants.is_empty() && !it.events && !it.closed
        });
        let events = std::mem::take(&mut pending.events);
        match pending.tenants.pop_first() {
            Some((_, saved)) => Some(Write::Tenant(saved)),
            None => events.then_some(Write::Events),
        }
    }

    fn write(&self, write: &Write) -> io::Result<()> {
        self.deliveries
            .store_changes(|changes| self.event_files.apply(changes))?;
        match write {
            Write::Tenant(saved) => self.directory.save(saved),
            Write::Events => Ok(()),
        }
    }
}

fn write(queue: &WriteQueue, telemetry: &Telemetry) {
    let mut failing = false;
    while let Some(write) = queue.next() {
        let tenant = match &write {
            Write::Tenant(saved) => Some(&*saved.alias),
            Write::Events => None,
        };
        let written = queue.write(&write);
        match &written {
            Ok(()) if failing => tracing::info!(tenant, "state is written again"),
            Err(error) if !failing => tracing::warn!(
                tenant,
                %error,
                hint = "check whether the disk of --state.dir is full or read-only; the exporter continues, and fetches again after a restart what was not written",
                "state cannot be written"
            ),
            _ => {}
        }
        failing = written.is_err();
        if failing {
            telemetry.state_write_failed();
        }
    }
}
