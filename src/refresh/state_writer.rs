//! Writes the state directory.

use crate::events::{DeliveryQueue, QueueObserver};
use crate::store::event_files::EventFiles;
use crate::store::saved_partner::SavedPartner;
use crate::store::saved_tenant::SavedTenant;
use crate::store::state_directory::{Owner, StateDirectory};
use crate::telemetry::Telemetry;
use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// How often the writer looks for files that are no longer needed.
const DELETION_PERIOD: Duration = Duration::from_secs(60);

/// Writes each tenant's and partner's newest state, and the events that wait for the webhook,
/// into a directory, in a thread of its own, and deletes the files of tenants
/// and partners that left the configuration.
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

/// What the thread has to do.
#[derive(Debug)]
struct WriteQueue {
    directory: Arc<StateDirectory>,
    event_files: EventFiles,
    deliveries: Arc<DeliveryQueue>,
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    /// The newest state of each tenant that is not written yet.
    tenants: BTreeMap<Arc<str>, SavedTenant>,
    /// The same of each partner.
    partners: BTreeMap<Arc<str>, SavedPartner>,
    /// Whether the events that wait for the webhook changed.
    events: bool,
    /// The aliases of another configuration than before.
    configured: Option<BTreeSet<Arc<str>>>,
    /// The names of its partners.
    configured_partners: Option<BTreeSet<Arc<str>>>,
    closed: bool,
}

enum Task {
    Configure(Owner, BTreeSet<Arc<str>>),
    /// Writes the events, then a state.
    Write(Saved),
    WriteEvents,
    DeleteUnneeded,
}

/// The state of a tenant or partner.
enum Saved {
    Tenant(Box<SavedTenant>),
    Partner(Box<SavedPartner>),
}

impl Saved {
    fn name(&self) -> &str {
        match self {
            Self::Tenant(saved) => &saved.alias,
            Self::Partner(saved) => &saved.name,
        }
    }

    fn write(&self, directory: &StateDirectory) -> io::Result<()> {
        match self {
            Self::Tenant(saved) => directory.save(saved),
            Self::Partner(saved) => directory.save_partner(saved),
        }
    }
}

impl StateWriter {
    /// Starts the thread, which also stores the changes of `deliveries`.
    pub fn new(
        directory: Arc<StateDirectory>,
        deliveries: Arc<DeliveryQueue>,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        Self::with_period(directory, deliveries, telemetry, DELETION_PERIOD)
    }

    fn with_period(
        directory: Arc<StateDirectory>,
        deliveries: Arc<DeliveryQueue>,
        telemetry: Arc<Telemetry>,
        deletion_period: Duration,
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
        let thread = Thread {
            queue: Arc::clone(&queue),
            telemetry,
            deletion_period,
            configured: None,
            configured_partners: None,
            write_fails: false,
            deletion_fails: false,
        };
        let thread = std::thread::spawn(move || thread.run());
        let thread = Mutex::new(Some(thread));
        Self { queue, thread }
    }

    /// What an earlier process saved of a tenant.
    pub(super) fn load(&self, alias: &str) -> Option<SavedTenant> {
        self.queue.directory.load(alias)
    }

    /// Applies a configuration with these aliases: the files of others are
    /// deleted after a time.
    pub(super) fn configure(&self, aliases: BTreeSet<Arc<str>>) {
        self.queue.pending.lock().configured = Some(aliases);
        self.queue.changed.notify_one();
    }

    /// Queues a tenant's state.
    pub(super) fn save(&self, saved: SavedTenant) {
        let alias = Arc::clone(&saved.alias);
        self.queue.pending.lock().tenants.insert(alias, saved);
        self.queue.changed.notify_one();
    }

    /// What an earlier process saved of a partner.
    pub(crate) fn load_partner(&self, name: &str) -> Option<SavedPartner> {
        self.queue.directory.load_partner(name)
    }

    /// What earlier processes saved of all partners, configured or not.
    pub(crate) fn load_partners(&self) -> Vec<SavedPartner> {
        self.queue.directory.load_partners()
    }

    /// Applies a configuration with these partners, likewise.
    pub(crate) fn configure_partners(&self, names: BTreeSet<Arc<str>>) {
        self.queue.pending.lock().configured_partners = Some(names);
        self.queue.changed.notify_one();
    }

    /// Queues a partner's state.
    pub(crate) fn save_partner(&self, saved: SavedPartner) {
        let name = Arc::clone(&saved.name);
        self.queue.pending.lock().partners.insert(name, saved);
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
    /// Waits for something to do, until this time at most; `None` once the
    /// queue is closed and empty.
    fn next(&self, deletion: Instant) -> Option<Task> {
        let mut pending = self.pending.lock();
        let is_idle = |it: &mut Pending| {
            let is_configured = it.configured.is_none() && it.configured_partners.is_none();
            let is_written = it.tenants.is_empty() && it.partners.is_empty() && !it.events;
            is_written && is_configured && !it.closed
        };
        let waited = self
            .changed
            .wait_while_until(&mut pending, is_idle, deletion);
        if let Some(aliases) = pending.configured.take() {
            return Some(Task::Configure(Owner::Tenant, aliases));
        }
        if let Some(names) = pending.configured_partners.take() {
            return Some(Task::Configure(Owner::Partner, names));
        }
        let events = std::mem::take(&mut pending.events);
        let saved = match pending.tenants.pop_first() {
            Some((_, saved)) => Some(Saved::Tenant(Box::new(saved))),
            None => {
                let saved = pending.partners.pop_first();
                saved.map(|(_, saved)| Saved::Partner(Box::new(saved)))
            }
        };
        match saved {
            Some(saved) => Some(Task::Write(saved)),
            None if events => Some(Task::WriteEvents),
            None => waited.timed_out().then_some(Task::DeleteUnneeded),
        }
    }

    fn write(&self, saved: Option<&Saved>) -> io::Result<()> {
        self.deliveries
            .store_changes(|changes| self.event_files.apply(changes))?;
        saved.map_or(Ok(()), |saved| saved.write(&self.directory))
    }
}

/// The thread of a writer.
struct Thread {
    queue: Arc<WriteQueue>,
    telemetry: Arc<Telemetry>,
    deletion_period: Duration,
    /// The configured aliases, once known.
    configured: Option<BTreeSet<Arc<str>>>,
    /// The configured partners, once known.
    configured_partners: Option<BTreeSet<Arc<str>>>,
    write_fails: bool,
    deletion_fails: bool,
}

impl Thread {
    fn run(mut self) {
        let mut deletion = Instant::now() + self.deletion_period;
        while let Some(task) = self.queue.next(deletion) {
            match task {
                Task::Write(saved) => self.write(Some(&saved)),
                Task::WriteEvents => self.write(None),
                Task::Configure(owner, names) => self.configure(owner, names),
                Task::DeleteUnneeded => {}
            }
            if Instant::now() >= deletion {
                self.delete_unneeded();
                deletion = Instant::now() + self.deletion_period;
            }
        }
    }

    /// Writes the events, then a state, if one is given.
    fn write(&mut self, saved: Option<&Saved>) {
        let name = saved.map(Saved::name);
        let written = self.queue.write(saved);
        match &written {
            Ok(()) if self.write_fails => tracing::info!(name, "state is written again"),
            Err(error) if !self.write_fails => tracing::warn!(
                name,
                %error,
                hint = "check whether the disk of --state.dir is full or read-only; the exporter continues, and fetches again after a restart what was not written",
                "state cannot be written"
            ),
            _ => {}
        }
        self.write_fails = written.is_err();
        if self.write_fails {
            self.telemetry.state_write_failed();
        }
    }

    fn configure(&mut self, owner: Owner, names: BTreeSet<Arc<str>>) {
        let configured = match owner {
            Owner::Tenant => &mut self.configured,
            Owner::Partner => &mut self.configured_partners,
        };
        let before = configured.replace(names.clone()).unwrap_or_default();
        for name in before.difference(&names) {
            let directory = &self.queue.directory;
            directory.mark_removed(owner, name, SystemTime::now());
        }
        self.delete_unneeded();
    }

    fn delete_unneeded(&mut self) {
        let now = SystemTime::now();
        let configured = [
            (Owner::Tenant, &self.configured),
            (Owner::Partner, &self.configured_partners),
        ];
        let known = configured
            .into_iter()
            .filter_map(|(owner, names)| Some((owner, names.as_ref()?)));
        let directory = &self.queue.directory;
        let deleted = known
            .map(|(owner, names)| directory.delete_unneeded(owner, names, now))
            .fold(Ok(()), io::Result::and);
        if let (Err(error), false) = (&deleted, self.deletion_fails) {
            tracing::warn!(
                %error,
                hint = "check the owner and mode of --state.dir and its files; they hold names of persons, so delete those of tenants that left the configuration",
                "files that are no longer needed cannot be deleted"
            );
        }
        self.deletion_fails = deleted.is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::state_directory::KEPT_AFTER_REMOVAL;
    use std::fs::OpenOptions;

    #[test]
    fn files_of_a_removed_tenant_are_deleted_without_another_reload() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Arc::new(StateDirectory::open(folder.path()).unwrap());
        let saved = |alias: &str| SavedTenant {
            alias: alias.into(),
            ..SavedTenant::default()
        };
        for alias in ["contoso", "fabrikam"] {
            directory.save(&saved(alias)).unwrap();
        }
        let telemetry = Arc::new(Telemetry::new().unwrap());
        let period = Duration::from_millis(10);
        let writer = StateWriter::with_period(directory, Arc::default(), telemetry, period);
        writer.configure(BTreeSet::from(["contoso".into()]));
        // Written after the configuration was applied.
        writer.save(saved("contoso"));
        let file = |alias: &str| folder.path().join(format!("{alias}.state"));
        std::thread::sleep(10 * period);
        assert!(file("fabrikam").exists(), "it was written a moment ago");
        let fabrikam = OpenOptions::new().write(true).open(file("fabrikam"));
        let before = SystemTime::now() - KEPT_AFTER_REMOVAL;
        fabrikam.unwrap().set_modified(before).unwrap();
        for _ in 0..3_000 {
            if !file("fabrikam").exists() {
                break;
            }
            std::thread::sleep(period);
        }
        assert!(!file("fabrikam").exists());
        assert!(file("contoso").exists());
    }
}
