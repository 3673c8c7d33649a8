//! Writes the state directory.

use crate::store::disk::{SavedTenant, StateDirectory};
use crate::telemetry::Telemetry;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Writes each tenant's newest state into a directory, in a thread of its own.
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
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    tenants: BTreeMap<Arc<str>, SavedTenant>,
    closed: bool,
}

impl StateWriter {
    /// Starts the thread.
    pub fn new(directory: StateDirectory, telemetry: Arc<Telemetry>) -> Self {
        let queue = Arc::new(WriteQueue {
            directory,
            pending: Mutex::default(),
            changed: Condvar::new(),
        });
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
        self.queue.pending.lock().closed = true;
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

impl WriteQueue {
    /// Waits for a state to write; `None` once the queue is closed and empty.
    fn next(&self) -> Option<SavedTenant> {
        let mut pending = self.pending.lock();
        self.changed
            .wait_while(&mut pending, |it| it.tenants.is_empty() && !it.closed);
        pending.tenants.pop_first().map(|(_, saved)| saved)
    }
}

fn write(queue: &WriteQueue, telemetry: &Telemetry) {
    let mut failing = false;
    while let Some(saved) = queue.next() {
        let written = queue.directory.save(&saved);
        match &written {
            Ok(()) if failing => tracing::info!(tenant = %saved.alias, "state is written again"),
            Err(error) if !failing => tracing::warn!(
                tenant = %saved.alias,
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
