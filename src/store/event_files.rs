//! The events that wait for the webhook, in the state directory: one file each.
//!
//! A file is complete on the disk before it gets its name, and is deleted when
//! its event no longer waits. A crash can leave an event that was delivered, but
//! never lose one. A damaged file is set aside; the others are kept.

use super::state_directory::{PRIVATE_DIRECTORY, StateDirectory, read_regular, set_age_zero};
use super::state_file::{parse, replace, sync_directory};
use crate::events::{QueueChanges, StoredEvents};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The directory in the state directory.
const DIRECTORY: &str = "events";

/// How long a file that was set aside stays: it may hold names and comments.
const KEEP_UNUSABLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The files of the events. The state directory's lock covers them.
#[derive(Debug)]
pub struct EventFiles {
    state_directory: Arc<StateDirectory>,
    path: PathBuf,
}

impl EventFiles {
    /// The files in a state directory.
    pub fn of(directory: &Arc<StateDirectory>) -> Self {
        Self {
            state_directory: Arc::clone(directory),
            path: directory.path().join(DIRECTORY),
        }
    }

    /// The stored events. A damaged file is set aside with a warning; one that
    /// cannot be read stays for the next start.
    pub fn load(&self) -> StoredEvents {
        let mut stored = StoredEvents::default();
        let files = match fs::read_dir(&self.path) {
            Ok(files) => files.filter_map(Result::ok),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(
                        directory = %self.path.display(),
                        %error,
                        hint = "check the owner and the mode of --state.dir",
                        "the events that wait for the webhook cannot be read"
                    );
                }
                return stored;
            }
        };
        for file in files {
            load(&file.path(), &mut stored);
        }
        stored
    }

    /// Stores what was added to the queue and deletes what was removed. On
    /// success the added events survive a power failure.
    pub fn apply(&self, changes: &QueueChanges) -> io::Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        self.state_directory.check_in_place()?;
        if !changes.added.is_empty() {
            DirBuilder::new()
                .recursive(true)
                .mode(PRIVATE_DIRECTORY)
                .create(&self.path)?;
            for event in &changes.added {
                let json = serde_json::to_vec(&event.payload)?;
                replace(&self.file(event.sequence), &json)?;
            }
            sync_directory(&self.path)?;
            sync_directory(self.state_directory.path())?;
        }
        for sequence in &changes.removed {
            remove(&self.file(*sequence))?;
        }
        Ok(())
    }

    fn file(&self, sequence: u64) -> PathBuf {
        self.path.join(format!("{sequence:020}.event"))
    }
}

/// Adds the event of a file; also deletes what a crash or an earlier start left.
fn load(file: &Path, stored: &mut StoredEvents) {
    let extension = file.extension().and_then(|it| it.to_str());
    match extension {
        Some("event") => {
            let name = file.file_stem().and_then(|it| it.to_str());
            if let Some(sequence) = name.and_then(|it| it.parse::<u64>().ok()) {
                stored.next_sequence = stored.next_sequence.max(sequence.saturating_add(1));
                load_event(file, sequence, stored);
            }
        }
        Some("unfinished") => {
            let _stays_for_the_next_start = remove(file);
        }
        Some("unusable") => {
            let set_aside = fs::metadata(file).and_then(|it| it.modified());
            let age = set_aside.ok().and_then(|it| it.elapsed().ok());
            if age.is_some_and(|age| age > KEEP_UNUSABLE) {
                let _stays_for_the_next_start = remove(file);
            }
        }
        _ => {}
    }
}

fn load_event(file: &Path, sequence: u64, stored: &mut StoredEvents) {
    let bytes = match read_regular(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::warn!(
                file = %file.display(),
                %error,
                hint = "check the owner and the mode of the file, and restart the exporter",
                "an event that waits for the webhook cannot be read"
            );
            return;
        }
    };
    match parse(&bytes) {
        Ok(payload) => {
            stored.waiting.insert(sequence, payload);
        }
        Err(reason) => {
            stored.damaged += 1;
            set_aside(file, &reason);
        }
    }
}

fn set_aside(file: &Path, reason: &str) {
    let mut aside = file.as_os_str().to_owned();
    aside.push(".unusable");
    let moved = fs::rename(file, &aside);
    // It is kept from now on, whenever it was written.
    let _a_shorter_time_is_no_harm = set_age_zero(Path::new(&aside), SystemTime::now());
    tracing::warn!(
        reason,
        moved = moved.is_ok(),
        aside = %Path::new(&aside).display(),
        "the file of an event that waits for the webhook is unusable and is set aside; the others are sent"
    );
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
