//! The state directory: one file per tenant, replaced atomically. The events
//! that wait for the webhook are in a directory in it, see
//! [`event_files`](super::event_files).
//!
//! The first line of a file has its version and the SHA-256 of the rest. A file
//! that is damaged, of another version or of another program is set aside, and
//! its tenant is fetched again: a cache must not prevent a start.
//!
//! Files hold names and comments, so only their owner may read them.

use crate::events::Seen;
use aws_lc_rs::digest::{SHA256, digest};
use secure_score_model::{
    Api, Catalogue, CategoryPins, FutureDates, PreviousScore, Report, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Only the owner has access.
const PRIVATE_FILE: u32 = 0o600;
pub(super) const PRIVATE_DIRECTORY: u32 = 0o700;

/// Identifies the exporter's state files.
const MAGIC: &str = "secure-score-exporter state";

/// The version of the contents. A file of another version is not read; its
/// tenant is fetched again.
const VERSION: &str = "1";

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
    /// The catalogue.
    pub catalogue: Option<SavedList<Arc<Catalogue>>>,
    /// The report.
    pub report: Option<SavedList<Arc<Report>>>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRefresh {
    /// Whether the last one had succeeded.
    pub up: bool,
    /// When the last one succeeded.
    #[serde(rename = "last")]
    pub last_success: Option<Timestamp>,
    /// When the next one is due.
    #[serde(rename = "next")]
    pub next_refresh: Timestamp,
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
    #[serde(
        rename = "evidence",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub has_evidence: bool,
    /// The answer.
    pub value: T,
}

/// A locked state directory. The lock ends with this value.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    _lock: fs::File,
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
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE_FILE)
            .open(path.join("lock"))
            .map_err(unusable)?;
        let path = path.to_owned();
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => Err(DirectoryError::Locked(path)),
            Err(fs::TryLockError::Error(source)) => Err(unusable(source)),
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
        let aside = self.path.join(format!("{alias}.state.unusable"));
        let moved = fs::rename(self.file(alias), &aside);
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
        replace(&self.file(&saved.alias), &serde_json::to_vec(saved)?)?;
        sync_directory(&self.path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self, alias: &str) -> PathBuf {
        self.path.join(format!("{alias}.state"))
    }
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
