//! The state directory: one file per tenant, replaced atomically. The events
//! that wait for the webhook are in a directory in it, see
//! [`event_files`](super::event_files).
//!
//! Files hold names and comments, so only their owner may read them, and they
//! are deleted when the tenant left the configuration. One that cannot be used
//! is set aside, and its tenant is fetched again: a cache must not prevent a
//! start.

use super::saved_tenant::SavedTenant;
use super::state_file::{self, PRIVATE_FILE};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Only the owner has access.
pub(super) const PRIVATE_DIRECTORY: u32 = 0o700;

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
    pub(super) fn check_in_place(&self) -> io::Result<()> {
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
        let bytes = match read_regular(&file) {
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
        state_file::replace(&self.file(&saved.alias), &serde_json::to_vec(saved)?)?;
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
    if age(path, now)? < kept || (end == STATE && !state_file::is_own(path)?) {
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

pub(super) fn set_age_zero(path: &Path, now: SystemTime) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_modified(now)
}

fn parse(bytes: &[u8], alias: &str) -> Result<SavedTenant, String> {
    let saved: SavedTenant = state_file::parse(bytes)?;
    match *saved.alias == *alias {
        true => Ok(saved),
        false => Err("it belongs to another tenant".to_owned()),
    }
}

/// The contents of a file of the directory. A device or a pipe need not end.
pub(super) fn read_regular(file: &Path) -> io::Result<Vec<u8>> {
    match fs::metadata(file)?.is_file() {
        true => fs::read(file),
        false => Err(io::Error::other("it is no regular file; remove it")),
    }
}
