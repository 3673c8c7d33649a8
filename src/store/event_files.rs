//! The events that wait for the webhook, in the state directory: one file each.
//!
//! A file is complete on the disk before it gets its name, and is deleted when
//! its event no longer waits. A crash can leave an event that was delivered, but
//! never lose one. A damaged file is set aside; the others are kept.

use super::state_directory::{PRIVATE_DIRECTORY, StateDirectory};
use super::state_file::{contents, replace, sync_directory};
use crate::events::{QueueChanges, WebhookPayload};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The directory in the state directory.
const DIRECTORY: &str = "events";

/// How long a file that was set aside stays after it was written: it may hold
/// names and comments.
const KEEP_UNUSABLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The files of the events. The state directory's lock covers them.
#[derive(Debug)]
pub struct EventFiles {
    state_directory: PathBuf,
    path: PathBuf,
}

impl EventFiles {
    /// The files in a state directory.
    pub fn of(directory: &StateDirectory) -> Self {
        Self {
            state_directory: directory.path().to_owned(),
            path: directory.path().join(DIRECTORY),
        }
    }

    /// The stored events by their position in the queue. A file that cannot be
    /// used is set aside with a warning.
    pub fn load(&self) -> BTreeMap<u64, WebhookPayload> {
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
                return BTreeMap::new();
            }
        };
        files.filter_map(|file| load(&file.path())).collect()
    }

    /// Stores what was added to the queue and deletes what was removed. On
    /// success the added events survive a power failure.
    pub fn apply(&self, changes: &QueueChanges) -> io::Result<()> {
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
            sync_directory(&self.state_directory)?;
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

/// The event of a file; also deletes what a crash or an earlier start left.
fn load(file: &Path) -> Option<(u64, WebhookPayload)> {
    match file.extension()?.to_str()? {
        "event" => {
            let sequence = file.file_stem()?.to_str()?.parse().ok()?;
            let payload = read(file).inspect_err(|reason| set_aside(file, reason));
            Some((sequence, payload.ok()?))
        }
        "unfinished" => {
            let _stays_for_the_next_start = remove(file);
            None
        }
        "unusable" => {
            let written = fs::metadata(file).and_then(|it| it.modified()).ok()?;
            if written.elapsed().is_ok_and(|age| age > KEEP_UNUSABLE) {
                let _stays_for_the_next_start = remove(file);
            }
            None
        }
        _ => None,
    }
}

fn read(file: &Path) -> Result<WebhookPayload, String> {
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    let json = contents(&bytes)?;
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

fn set_aside(file: &Path, reason: &str) {
    let mut aside = file.as_os_str().to_owned();
    aside.push(".unusable");
    let moved = fs::rename(file, &aside);
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
