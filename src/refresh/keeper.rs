//! Writes tenants to disk behind everybody's back.

use crate::store::disk::{Saved, StateDirectory};
use crate::telemetry::Telemetry;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Writes each tenant's newest state into a directory, in a thread of its own.
///
/// A slow disk makes it skip what was overtaken, and never makes a refresh
/// wait; a full one costs what would have been written, and a line in the log.
/// Dropping it writes what is left.
#[derive(Debug)]
pub struct StateWriter {
    directory: Arc<StateDirectory>,
    desk: Arc<DeliveryQueue>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What is to be written: the newest of each tenant.
#[derive(Debug, Default)]
struct DeliveryQueue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    tenants: BTreeMap<Arc<str>, Saved>,
    closed: bool,
}

impl StateWriter {
    /// Begins to keep tenants in a directory.
    pub fn new(directory: StateDirectory, telemetry: Arc<Telemetry>) -> Self {
        let directory = Arc::new(directory);
        let desk = Arc::<DeliveryQueue>::default();
        let writer = std::thread::spawn({
            let (directory, desk) = (Arc::clone(&directory), Arc::clone(&desk));
            move || write(&directory, &desk, &telemetry)
        });
        Self {
            directory,
            desk,
            writer: Mutex::new(Some(writer)),
        }
    }

    /// What was kept of a tenant by an earlier process.
    pub(super) fn recall(&self, alias: &str) -> Option<Saved> {
        self.directory.load(alias)
    }

    /// Writes what is left, and nothing that comes later.
    pub fn close(&self) {
        self.desk.waiting().closed = true;
        self.desk.changed.notify_one();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writer.take() {
            let _ended = writer.join();
        }
    }

    /// Keeps a tenant's state, some time soon.
    pub(super) fn keep(&self, alias: Arc<str>, saved: Saved) {
        self.desk.waiting().tenants.insert(alias, saved);
        self.desk.changed.notify_one();
    }
}

impl Drop for StateWriter {
    fn drop(&mut self) {
        self.close();
    }
}

impl DeliveryQueue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next tenant to write; nothing when there is none and none will come.
    fn next(&self) -> Option<(Arc<str>, Saved)> {
        let mut waiting = self
            .changed
            .wait_while(self.waiting(), |it| it.tenants.is_empty() && !it.closed)
            .unwrap_or_else(PoisonError::into_inner);
        waiting.tenants.pop_first()
    }
}

fn write(directory: &StateDirectory, desk: &DeliveryQueue, telemetry: &Telemetry) {
    let mut failing = false;
    while let Some((alias, saved)) = desk.next() {
        match directory.save(&saved) {
            Ok(()) if failing => {
                failing = false;
                tracing::info!(tenant = %alias, "state is written again");
            }
            Ok(()) => {}
            Err(error) => {
                telemetry.state_write_failed();
                if !failing {
                    tracing::warn!(
                        tenant = %alias,
                        %error,
                        hint = "see whether the disk of --state.dir is full or read-only; the exporter goes on, and a restart will fetch what was not written",
                        "state cannot be written"
                    );
                }
                failing = true;
            }
        }
    }
}
