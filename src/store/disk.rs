//! What survives a restart: one file per tenant, replaced whole or not at all.
//!
//! A file begins with a line that says what it is, of which version, and the
//! SHA-256 of what follows. Anything else in its place (cut short by a full
//! disk, of another version, somebody's own) is set aside and the tenant is
//! fetched anew: a cache must never be a reason not to start.
//!
//! Files hold persons' names and comments, so nobody but the owner may read
//! them.

mod envelope;
mod saved;

pub use saved::{Confirmed, ListStanding, Saved};

use saved::File;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Nobody but the owner.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;

/// A directory of state, ours alone while this value lives.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Its lock ends with it.
    _lock: fs::File,
}

/// Why a directory cannot hold our state.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It cannot be made, opened or written into.
    #[error("the state directory {} cannot be used", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it.
    #[error("another process uses the state directory {}", path.display())]
    Taken {
        /// The directory.
        path: PathBuf,
    },
}

impl DirectoryError {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => {
                "let --state.dir name a directory the exporter may write into, or leave it out"
            }
            Self::Taken { .. } => {
                "end the other exporter, or give each its own --state.dir: two that write one would undo each other's work"
            }
        }
    }
}

impl Directory {
    /// Opens a directory, makes it where there is none, and locks it.
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
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(fs::TryLockError::WouldBlock) => Err(DirectoryError::Taken {
                path: path.to_owned(),
            }),
            Err(fs::TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// What is known of a tenant. A file that cannot be used is set aside, and
    /// the log says why.
    pub fn load(&self, alias: &str) -> Option<Saved> {
        let file = self.file(alias);
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(tenant = alias, file = %file.display(), %error, "saved state cannot be read; the tenant is fetched anew");
                return None;
            }
        };
        match read(&bytes, alias) {
            Ok(saved) => Some(saved),
            Err(reason) => {
                self.set_aside(alias, &reason);
                None
            }
        }
    }

    fn set_aside(&self, alias: &str, reason: &str) {
        let aside = self.path.join(format!("{alias}.state.unusable"));
        let moved = fs::rename(self.file(alias), &aside);
        tracing::warn!(
            tenant = alias,
            reason,
            moved = moved.is_ok(),
            aside = %aside.display(),
            "saved state is of no use and is set aside; the tenant is fetched anew"
        );
    }

    /// Replaces what is known of a tenant.
    ///
    /// The new file is complete on the disk before it takes the old one's
    /// name, so that whoever pulls the plug finds the one or the other.
    pub fn save(&self, alias: &str, saved: &Saved) -> io::Result<()> {
        let json = serde_json::to_vec(&File::of(alias, saved))?;
        let unfinished = self.path.join(format!("{alias}.state.unfinished"));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(PRIVATE_FILE)
            .open(&unfinished)?;
        file.write_all(envelope::head(&json).as_bytes())?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(&unfinished, self.file(alias))?;
        fs::File::open(&self.path)?.sync_all()
    }

    fn file(&self, alias: &str) -> PathBuf {
        self.path.join(format!("{alias}.state"))
    }
}

fn read(bytes: &[u8], alias: &str) -> Result<Saved, String> {
    let json = envelope::open(bytes).map_err(|broken| broken.to_string())?;
    let file: File = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    file.into_saved(alias)
        .map_err(|unusable| unusable.to_string())
}
