//! The state directory: one file per tenant and partner, replaced atomically. The events
//! that wait for the webhook are in a directory in it, see
//! [`event_files`](super::event_files).
//!
//! Files hold names and comments, so only their owner may read them, and they
//! are deleted when the tenant or partner left the configuration. One that cannot
//! be used is set aside, and its tenant is fetched again: a cache must not prevent
//! a start.

use super::saved_partner::SavedPartner;
use super::saved_tenant::SavedTenant;
use super::state_file::{self, PRIVATE_FILE};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Only the owner has access.
pub(super) const PRIVATE_DIRECTORY: u32 = 0o700;

/// Whose state a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A tenant, by its alias.
    Tenant,
    /// A partner, by its name.
    Partner,
}

impl Owner {
    /// The ends of the names of its files: its state, a state that was not
    /// written to its end, and one that could not be read.
    const fn ends(self) -> [&'static str; 3] {
        match self {
            Self::Tenant => [".state", ".state.unfinished", ".state.unusable"],
            Self::Partner => [".partner", ".partner.unfinished", ".partner.unusable"],
        }
    }

    const fn state(self) -> &'static str {
        let [state, _, _] = self.ends();
        state
    }

    const fn unusable(self) -> &'static str {
        let [_, _, unusable] = self.ends();
        unusable
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Partner => "partner",
        }
    }

    /// What follows where its saved state cannot be used.
    const fn consequence(self) -> &'static str {
        match self {
            Self::Tenant => "the tenant is fetched again",
            Self::Partner => {
                "the list of customers is fetched again, and customers that were renamed may get another alias"
            }
        }
    }
}

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

    /// The saved state of a tenant in a directory that another process may use. None
    /// where there is none that can be used; nothing is changed.
    pub fn peek(path: &Path, alias: &str) -> Option<SavedTenant> {
        let saved: SavedTenant = peek_of(Owner::Tenant, path, alias)?;
        (*saved.alias == *alias).then_some(saved)
    }

    /// The saved state of a partner, likewise.
    pub fn peek_partner(path: &Path, name: &str) -> Option<SavedPartner> {
        let saved: SavedPartner = peek_of(Owner::Partner, path, name)?;
        (*saved.name == *name).then_some(saved)
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
        self.load_of(Owner::Tenant, alias, |saved: &SavedTenant| &saved.alias)
    }

    /// The saved state of a partner, likewise.
    pub fn load_partner(&self, name: &str) -> Option<SavedPartner> {
        self.load_of(Owner::Partner, name, |saved: &SavedPartner| &saved.name)
    }

    /// The saved state of every partner, likewise. A directory that cannot be read
    /// has none.
    pub fn load_partners(&self) -> Vec<SavedPartner> {
        let entries = fs::read_dir(&self.path).into_iter().flatten();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let states = paths.filter_map(|path| match name_and_end(Owner::Partner, &path) {
            Some((name, end)) if end == Owner::Partner.state() => self.load_partner(name),
            _ => None,
        });
        states.collect()
    }

    fn load_of<T: DeserializeOwned>(
        &self,
        owner: Owner,
        name: &str,
        named: impl Fn(&T) -> &Arc<str>,
    ) -> Option<T> {
        let file = self.file(owner, name);
        let bytes = match read_regular(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(
                    name,
                    file = %file.display(),
                    %error,
                    "the saved state of a {} cannot be read; {}",
                    owner.as_str(),
                    owner.consequence()
                );
                return None;
            }
        };
        let saved = state_file::parse(&bytes).and_then(|saved: T| match **named(&saved) == *name {
            true => Ok(saved),
            false => Err(format!("it belongs to another {}", owner.as_str())),
        });
        saved
            .inspect_err(|reason| self.set_aside(owner, name, reason))
            .ok()
    }

    fn set_aside(&self, owner: Owner, name: &str, reason: &str) {
        let aside = self.path.join(format!("{name}{}", owner.unusable()));
        let moved = fs::rename(self.file(owner, name), &aside);
        // It is kept from now on, whenever it was written.
        let _a_shorter_time_is_no_harm = set_age_zero(&aside, SystemTime::now());
        tracing::warn!(
            name,
            reason,
            moved = moved.is_ok(),
            aside = %aside.display(),
            "the saved state of a {} is unusable and is set aside; {}",
            owner.as_str(),
            owner.consequence()
        );
    }

    /// Replaces the file of a tenant.
    pub fn save(&self, saved: &SavedTenant) -> io::Result<()> {
        self.replace(&self.file(Owner::Tenant, &saved.alias), saved)
    }

    /// Replaces the file of a partner.
    pub fn save_partner(&self, saved: &SavedPartner) -> io::Result<()> {
        self.replace(&self.file(Owner::Partner, &saved.name), saved)
    }

    fn replace(&self, file: &Path, saved: &impl Serialize) -> io::Result<()> {
        self.check_in_place()?;
        state_file::replace(file, &serde_json::to_vec(saved)?)?;
        self.directory.sync_all()
    }

    /// Counts the time until the files of a tenant or partner are deleted from now:
    /// it has left the configuration.
    pub fn mark_removed(&self, owner: Owner, name: &str, now: SystemTime) {
        for end in owner.ends() {
            let _may_not_exist = set_age_zero(&self.path.join(format!("{name}{end}")), now);
        }
    }

    /// Deletes what is no longer needed: every file of a tenant, or of a partner,
    /// that is not configured and was removed or last written [`KEPT_AFTER_REMOVAL`] ago,
    /// and unusable files after [`UNUSABLE_KEPT`]. A file that cannot be deleted
    /// does not keep the others.
    pub fn delete_unneeded(
        &self,
        owner: Owner,
        configured: &BTreeSet<Arc<str>>,
        now: SystemTime,
    ) -> io::Result<()> {
        self.check_in_place()?;
        let mut outcome = Ok(());
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let deleted = match name_and_end(owner, &path) {
                Some((name, end)) => delete_if_unneeded(&path, owner, (name, end), configured, now),
                None => Ok(()),
            };
            outcome = outcome.and(deleted);
        }
        outcome
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self, owner: Owner, name: &str) -> PathBuf {
        self.path.join(format!("{name}{}", owner.state()))
    }
}

fn peek_of<T: DeserializeOwned>(owner: Owner, path: &Path, name: &str) -> Option<T> {
    let file = path.join(format!("{name}{}", owner.state()));
    state_file::parse(&read_regular(&file).ok()?).ok()
}

/// The tenant or partner of a file of the directory, and the end of its name;
/// `None` for other files.
fn name_and_end(owner: Owner, path: &Path) -> Option<(&str, &'static str)> {
    let name = path.file_name()?.to_str()?;
    let mut ends = owner.ends().into_iter();
    ends.find_map(|end| Some((name.strip_suffix(end)?, end)))
}

fn delete_if_unneeded(
    path: &Path,
    owner: Owner,
    (name, end): (&str, &str),
    configured: &BTreeSet<Arc<str>>,
    now: SystemTime,
) -> io::Result<()> {
    let kept = match configured.contains(name) {
        true if end == owner.unusable() => UNUSABLE_KEPT,
        true => return Ok(()),
        false => KEPT_AFTER_REMOVAL,
    };
    if age(path, now)? < kept || (end == owner.state() && !state_file::is_own(path)?) {
        return Ok(());
    }
    fs::remove_file(path)?;
    tracing::info!(
        name,
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

/// The contents of a file of the directory. A device or a pipe need not end.
pub(super) fn read_regular(file: &Path) -> io::Result<Vec<u8>> {
    match fs::metadata(file)?.is_file() {
        true => fs::read(file),
        false => Err(io::Error::other("it is no regular file; remove it")),
    }
}
