//! The state directory: one file per tenant, replaced atomically. The events
//! that wait for the webhook are in a directory in it, see
//! [`event_files`](super::event_files).
//!
//! The first line of a file has its version and the SHA-256 of the rest. A file
//! that is damaged, of another version or of another program is set aside, and
//! its tenant is fetched again: a cache must not prevent a start.
//!
//! Files hold names and comments, so only their owner may read them, and they
//! are deleted when the tenant left the configuration.

use crate::events::Seen;
use aws_lc_rs::digest::{SHA256, digest};
use secure_score_model::{
    Api, Catalogue, CategoryPins, FutureDates, PreviousScore, Reason, Report, Timestamp, Trouble,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::ops::Not;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Only the owner has access.
const PRIVATE_FILE: u32 = 0o600;
pub(super) const PRIVATE_DIRECTORY: u32 = 0o700;

/// Identifies the exporter's state files.
const MAGIC: &str = "secure-score-exporter state";

/// The version of the contents. A file of another version is not read; its
/// tenant is fetched again.
const VERSION: &str = "1";

/// The ends of the names of a tenant's files: its state, a state that was not
/// written to its end, and one that could not be read.
const STATE: &str = ".state";
const UNFINISHED: &str = ".state.unfinished";
const UNUSABLE: &str = ".state.unusable";

/// How long the files of a tenant are kept that left the configuration. The
/// alerts count a tenant as gone after the same time; one that was left out by
/// mistake, or moves between files, returns with its state until then.
pub const KEPT_AFTER_REMOVAL: Duration = Duration::from_secs(30 * 60);

/// How long an unusable file of a configured tenant is kept, for a person to
/// look at. It holds names that the tenant may have deleted since.
pub const UNUSABLE_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Why a file is not a valid state file.
const FOREIGN: &str = "it is not a state file of this exporter";
const OTHER_VERSION: &str = "it was written by another version";
const DAMAGED: &str = "it is damaged or incomplete";

/// The state of a tenant that survives a restart; its serde form is the state
/// file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SavedTenant {
    /// The tenant's alias.
    pub alias: Arc<str>,
    /// The tenant as configured: cloud and id.
    pub directory: String,
    /// The tenant's GUID, where known.
    #[serde(rename = "id")]
    pub entra_tenant_id: Option<Arc<str>>,
    /// The last catalogue, also when it is too old to be exported.
    pub catalogue: Option<SavedList<Arc<Catalogue>>>,
    /// The last report, likewise.
    pub report: Option<SavedList<Arc<Report>>>,
    /// Since when Graph has sent reports older than that one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_since: Option<Timestamp>,
    /// The score in the last report of an earlier day.
    #[serde(rename = "earlier", default)]
    pub previous_score: Option<PreviousScore>,
    /// The category in which each control was first seen.
    pub pins: Arc<CategoryPins>,
    /// The refreshes of each list.
    pub lists: BTreeMap<Api, SavedRefresh>,
    /// What was seen of its controls, so that each event is emitted once.
    pub seen: Arc<Seen>,
    /// When changes dated in the future were first seen.
    #[serde(
        rename = "future",
        default,
        skip_serializing_if = "FutureDates::is_empty"
    )]
    pub future_dates: Arc<FutureDates>,
}

/// The refreshes of a list when it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRefresh {
    /// Whether the last one had succeeded.
    pub up: bool,
    /// When the last one succeeded.
    #[serde(rename = "last")]
    pub last_success: Option<Timestamp>,
    /// When the next one is due.
    #[serde(rename = "next")]
    pub next_refresh: Timestamp,
    /// When that was decided.
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Whether Microsoft asked for that delay.
    #[serde(rename = "asked", default, skip_serializing_if = "Not::not")]
    pub is_requested: bool,
    /// How many there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refreshes: u64,
    /// How many of them failed, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<Reason, u64>,
    /// The failure of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// An answer of Graph, and when Graph last confirmed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedList<T> {
    /// When Graph last sent it.
    pub at: Timestamp,
    /// Whether it was complete.
    #[serde(rename = "whole")]
    pub complete: bool,
    /// Whether acceptances of an incomplete answer were added to it.
    #[serde(rename = "evidence", default, skip_serializing_if = "Not::not")]
    pub has_evidence: bool,
    /// The answer.
    pub value: T,
}

impl<T> SavedList<T> {
    /// The same, confirmed now if it was confirmed later: the clock was ahead.
    #[must_use]
    pub fn not_later_than(self, now: Timestamp) -> Self {
        Self {
            at: self.at.min(now),
            ..self
        }
    }
}

/// A locked state directory. The lock ends with this value.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    /// The directory itself is locked, since a lock file can be deleted.
    directory: File,
    /// A file in it is locked too: some network file systems lock no
    /// directories, and earlier versions lock only the file.
    _lock: File,
}

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It cannot be created, opened or written.
    #[error("the state directory {} cannot be used", .0.display())]
    Unusable(PathBuf, #[source] io::Error),
    /// Another process holds its lock.
    #[error("another process uses the state directory {}", .0.display())]
    Locked(PathBuf),
}

impl DirectoryError {
    /// How to fix it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unusable(..) => {
                "point --state.dir at a directory that the exporter may write, or leave the flag out"
            }
            Self::Locked(_) => {
                "stop the other exporter, or give each its own --state.dir: two processes would overwrite each other's files"
            }
        }
    }
}

impl StateDirectory {
    /// Opens and locks a directory; creates it where it is missing.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let unusable = |source| DirectoryError::Unusable(path.to_owned(), source);
        DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE_DIRECTORY)
            .create(path)
            .map_err(unusable)?;
        let directory = File::open(path).map_err(unusable)?;
        if let Err(fs::TryLockError::WouldBlock) = directory.try_lock() {
            return Err(DirectoryError::Locked(path.to_owned()));
        }
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE_FILE)
            .open(path.join("lock"))
            .map_err(unusable)?;
        let path = path.to_owned();
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path,
                directory,
                _lock: lock,
            }),
            Err(fs::TryLockError::WouldBlock) => Err(DirectoryError::Locked(path)),
            Err(fs::TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Fails if the path leads to another directory than the locked one, which
    /// another process may have locked.
    fn check_in_place(&self) -> io::Result<()> {
        let (locked, found) = (self.directory.metadata()?, fs::metadata(&self.path)?);
        match (locked.dev(), locked.ino()) == (found.dev(), found.ino()) {
            true => Ok(()),
            false => Err(io::Error::other(
                "the state directory was replaced while the exporter ran; restart the exporter",
            )),
        }
    }

    /// The saved state of a tenant. A file that cannot be used is set aside
    /// with a warning.
    pub fn load(&self, alias: &str) -> Option<SavedTenant> {
        let file = self.file(alias);
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(tenant = alias, file = %file.display(), %error, "saved state cannot be read; the tenant is fetched again");
                return None;
            }
        };
        let saved = parse(&bytes, alias);
        saved
            .inspect_err(|reason| self.set_aside(alias, reason))
            .ok()
    }

    fn set_aside(&self, alias: &str, reason: &str) {
        let aside = self.path.join(format!("{alias}{UNUSABLE}"));
        let moved = fs::rename(self.file(alias), &aside);
        // It is kept from now on, whenever it was written.
        let _a_shorter_time_is_no_harm = set_age_zero(&aside, SystemTime::now());
        tracing::warn!(
            tenant = alias,
            reason,
            moved = moved.is_ok(),
            aside = %aside.display(),
            "saved state is unusable and is set aside; the tenant is fetched again"
        );
    }

    /// Replaces the file of a tenant.
    pub fn save(&self, saved: &SavedTenant) -> io::Result<()> {
        self.check_in_place()?;
        replace(&self.file(&saved.alias), &serde_json::to_vec(saved)?)?;
        self.directory.sync_all()
    }

    /// Counts the time until the files of a tenant are deleted from now: it has
    /// left the configuration.
    pub fn mark_removed(&self, alias: &str, now: SystemTime) {
        for end in [STATE, UNFINISHED, UNUSABLE] {
            let _may_not_exist = set_age_zero(&self.path.join(format!("{alias}{end}")), now);
        }
    }

    /// Deletes what is no longer needed: every file of a tenant that is not
    /// configured and was removed or last written [`KEPT_AFTER_REMOVAL`] ago,
    /// and unusable files after [`UNUSABLE_KEPT`]. A file that cannot be deleted
    /// does not keep the others.
    pub fn delete_unneeded(
        &self,
        configured: &BTreeSet<Arc<str>>,
        now: SystemTime,
    ) -> io::Result<()> {
        self.check_in_place()?;
        let mut outcome = Ok(());
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let deleted = match alias_and_end(&path) {
                Some((alias, end)) => delete_if_unneeded(&path, alias, end, configured, now),
                None => Ok(()),
            };
            outcome = outcome.and(deleted);
        }
        outcome
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self, alias: &str) -> PathBuf {
        self.path.join(format!("{alias}{STATE}"))
    }
}

/// The tenant of a file of the directory, and the end of its name; `None` for
/// other files.
fn alias_and_end(path: &Path) -> Option<(&str, &'static str)> {
    let name = path.file_name()?.to_str()?;
    let mut ends = [STATE, UNFINISHED, UNUSABLE].into_iter();
    ends.find_map(|end| Some((name.strip_suffix(end)?, end)))
}

fn delete_if_unneeded(
    path: &Path,
    alias: &str,
    end: &str,
    configured: &BTreeSet<Arc<str>>,
    now: SystemTime,
) -> io::Result<()> {
    let kept = match configured.contains(alias) {
        true if end == UNUSABLE => UNUSABLE_KEPT,
        true => return Ok(()),
        false => KEPT_AFTER_REMOVAL,
    };
    if age(path, now)? < kept || (end == STATE && !is_own(path)?) {
        return Ok(());
    }
    fs::remove_file(path)?;
    tracing::info!(
        tenant = alias,
        file = %path.display(),
        "a state file that is no longer needed is deleted"
    );
    Ok(())
}

/// The time since a file was written or [marked](StateDirectory::mark_removed).
/// A time in the future, of a clock that was ahead, counts from now.
fn age(path: &Path, now: SystemTime) -> io::Result<Duration> {
    let written = fs::symlink_metadata(path)?.modified()?;
    match now.duration_since(written) {
        Ok(age) => Ok(age),
        Err(_in_the_future) => set_age_zero(path, now).map(|()| Duration::ZERO),
    }
}

fn set_age_zero(path: &Path, now: SystemTime) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_modified(now)
}

/// Whether a file is a state file of this exporter, in any version: another
/// program may use the same name.
fn is_own(path: &Path) -> io::Result<bool> {
    let mut start = [0; MAGIC.len()];
    let read = File::open(path)?.read_exact(&mut start);
    Ok(read.is_ok() && start == *MAGIC.as_bytes())
}

/// Replaces a file; [`sync_directory`] makes it durable.
///
/// The new file is complete on the disk before it gets the old one's name, so
/// that a power failure leaves either the old or the new one.
pub(super) fn replace(file: &Path, json: &[u8]) -> io::Result<()> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let mut new = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE_FILE)
        .open(&unfinished)?;
    new.write_all(head(json).as_bytes())?;
    new.write_all(json)?;
    new.sync_all()?;
    fs::rename(&unfinished, file)
}

/// Makes the names of the files in a directory durable.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

fn parse(bytes: &[u8], alias: &str) -> Result<SavedTenant, String> {
    let json = contents(bytes)?;
    let saved: SavedTenant = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    match *saved.alias == *alias {
        true => Ok(saved),
        false => Err("it belongs to another tenant".to_owned()),
    }
}

/// The first line for these contents.
fn head(contents: &[u8]) -> String {
    format!("{MAGIC} {VERSION} {}\n", checksum(contents))
}

/// The contents of a valid file, or why it is not valid.
pub(super) fn contents(file: &[u8]) -> Result<&[u8], &'static str> {
    let mut lines = file.splitn(2, |byte| *byte == b'\n');
    let (Some(head), Some(contents)) = (lines.next(), lines.next()) else {
        return Err(FOREIGN);
    };
    let head = std::str::from_utf8(head).map_err(|_| FOREIGN)?;
    let rest = head.strip_prefix(MAGIC).ok_or(FOREIGN)?;
    // Exactly one blank before each word, so that no changed byte goes unnoticed.
    let mut words = rest.split(' ').skip(1);
    match (words.next(), words.next(), words.next()) {
        (Some(VERSION), Some(sum), None) if sum == checksum(contents) => Ok(contents),
        (Some(VERSION) | None, ..) => Err(DAMAGED),
        (Some(_), ..) => Err(OTHER_VERSION),
    }
}

fn checksum(contents: &[u8]) -> String {
    let tag = digest(&SHA256, contents);
    tag.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(text: &[u8]) -> Vec<u8> {
        [head(text).as_bytes(), text].concat()
    }

    #[test]
    fn a_file_that_is_not_valid_gives_the_reason() {
        assert_eq!(contents(b""), Err(FOREIGN));
        assert_eq!(contents(b"{\"a\": 1}\n"), Err(FOREIGN));
        let other = format!("{MAGIC} 0 abc\n{{}}");
        assert_eq!(contents(other.as_bytes()), Err(OTHER_VERSION));
        let cut = format!("{MAGIC}\n");
        assert_eq!(contents(cut.as_bytes()), Err(DAMAGED));
    }

    proptest! {
        #[test]
        fn a_valid_file_opens_and_a_damaged_one_does_not(
            text in prop::collection::vec(any::<u8>(), 0..200),
            place in any::<prop::sample::Index>(),
            flip in 1_u8..,
        ) {
            let valid = file(&text);
            prop_assert_eq!(contents(&valid), Ok(&text[..]));
            let mut damaged = valid.clone();
            let place = place.index(valid.len());
            damaged[place] ^= flip;
            prop_assert!(contents(&damaged).is_err());
            prop_assert!(contents(&valid[..place]).is_err());
        }
    }
}
