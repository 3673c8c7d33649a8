//! The state directory: one file per tenant, replaced atomically.
//!
//! The first line of a file has its version and the SHA-256 of the rest. A file
//! that is damaged, of another version or of another program is set aside, and
//! its tenant is fetched again: a cache must not prevent a start.
//!
//! Files hold names and comments, so only their owner may read them.

mod envelope;

use crate::events::Seen;
use secure_score_model::{Api, Catalogue, CategoryPins, PreviousScore, Report, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Only the owner has access.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;

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
    #[error("the state directory {} cannot be used", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another process holds its lock.
    #[error("another process uses the state directory {}", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
}

impl DirectoryError {
    /// How to fix it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => {
                "point --state.dir at a directory that the exporter may write, or leave the flag out"
            }
            Self::Locked { .. } => {
                "stop the other exporter, or give each its own --state.dir: two processes would overwrite each other's files"
            }
        }
    }
}

impl StateDirectory {
    /// Opens and locks a directory; creates it where it is missing.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let unusable = |source| DirectoryError::Unusable {
            path: path.to_owned(),
            source,
        };
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
            Err(fs::TryLockError::WouldBlock) => Err(DirectoryError::Locked { path }),
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
    ///
    /// The new file is complete on the disk before it gets the old one's name,
    /// so that a power failure leaves either the old or the new one.
    pub fn save(&self, saved: &SavedTenant) -> io::Result<()> {
        let json = serde_json::to_vec(saved)?;
        let unfinished = self.path.join(format!("{}.state.unfinished", saved.alias));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(PRIVATE_FILE)
            .open(&unfinished)?;
        file.write_all(envelope::head(&json).as_bytes())?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(&unfinished, self.file(&saved.alias))?;
        fs::File::open(&self.path)?.sync_all()
    }

    fn file(&self, alias: &str) -> PathBuf {
        self.path.join(format!("{alias}.state"))
    }
}

fn parse(bytes: &[u8], alias: &str) -> Result<SavedTenant, String> {
    let json = envelope::open(bytes).map_err(|error| error.to_string())?;
    let saved: SavedTenant = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    match *saved.alias == *alias {
        true => Ok(saved),
        false => Err("it belongs to another tenant".to_owned()),
    }
}
