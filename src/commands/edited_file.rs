//! A file with a list that a command edits, on the disk.

use super::Failure;
use super::atomic_file::{READABLE, behind_links, folder, unfinished};
use crate::yaml_list::{EditError, ListDocument};
use anyhow::anyhow;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// A file as it was when it was read.
pub(super) struct EditedFile<T> {
    name: FileName,
    /// The file behind symbolic links.
    path: PathBuf,
    /// `None` if it does not exist.
    contents: Option<Vec<u8>>,
    list: T,
}

/// The name of a file, and the flag that gives it.
#[derive(Debug, Clone)]
pub(super) struct FileName {
    pub(super) path: PathBuf,
    pub(super) flag: &'static str,
}

impl<T: ListDocument> EditedFile<T> {
    /// Reads the file; one that does not exist is empty. With `will_replace`, fails
    /// early where it could not be replaced later.
    pub(super) fn open(name: FileName, will_replace: bool) -> Result<Self, Failure> {
        let unreadable = |error| name.failed("cannot be read", error);
        let path = behind_links(&name.path).map_err(unreadable)?;
        let contents = read(&path).map_err(unreadable)?;
        let list = T::read(contents.clone().unwrap_or_default());
        let list = list.map_err(|error| name.refused::<T>(error))?;
        if will_replace {
            unfinished(&path).map_err(|error| name.failed("cannot be written", error))?;
        }
        Ok(Self {
            name,
            path,
            contents,
            list,
        })
    }

    /// Its name on the command line.
    pub(super) fn name(&self) -> &Path {
        &self.name.path
    }

    /// Its list.
    pub(super) fn list(&self) -> &T {
        &self.list
    }

    /// The failure of an edit of it.
    pub(super) fn refused(&self, error: EditError) -> Failure {
        self.name.refused::<T>(error)
    }

    /// Replaces the contents atomically, unless the file has changed since it was
    /// read. Mode, owner and symbolic links stay.
    pub(super) fn replace(&self, text: &str) -> Result<(), Failure> {
        let written = self.write(text);
        let is_unchanged = written.map_err(|error| self.name.failed("cannot be written", error))?;
        match is_unchanged {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }

    fn changed(&self) -> Failure {
        let name = self.name.path.display();
        Failure::with_hint(
            anyhow!("{name} has changed since it was read, and is not written"),
            "run the command again; it reads the changed file",
        )
    }

    /// Writes the text. Returns false where the file has changed.
    fn write(&self, text: &str) -> io::Result<bool> {
        let mut unfinished = unfinished(&self.path)?;
        unfinished.write_all(text.as_bytes())?;
        let handle = unfinished.as_file();
        match fs::metadata(&self.path) {
            Ok(before) => keep_owner_and_mode(handle, &before)?,
            Err(_) => handle.set_permissions(Permissions::from_mode(READABLE))?,
        }
        handle.sync_all()?;
        if read(&self.path)? != self.contents {
            return Ok(false);
        }
        let persisted = match self.contents {
            Some(_) => unfinished.persist(&self.path),
            None => unfinished.persist_noclobber(&self.path),
        };
        match persisted {
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            persisted => persisted.map_err(io::Error::from)?,
        };
        // The rename itself is on the disk once the directory is. Some file systems
        // cannot do this for a directory, and the file is complete in any case.
        let _unsupported = File::open(folder(&self.path)).and_then(|it| it.sync_all());
        Ok(true)
    }
}

impl FileName {
    fn failed(&self, what: &str, error: io::Error) -> Failure {
        let flag = self.flag;
        let hint = match error.kind() {
            ErrorKind::IsADirectory => format!("{flag} takes a file in that directory"),
            _ => format!(
                "{flag} must name a file in an existing directory that this user may write to; \
                 the file of another user can be replaced by root only"
            ),
        };
        let error = anyhow::Error::new(error).context(format!("{} {what}", self.path.display()));
        Failure::with_hint(error, hint)
    }

    fn refused<T: ListDocument>(&self, error: EditError) -> Failure {
        let hint = error.hint(T::ENTRY, self.flag);
        let error = anyhow::Error::new(error);
        Failure::with_hint(error.context(self.path.display().to_string()), hint)
    }
}

/// The contents; `None` if there is no file.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(it) if !it.is_file() => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is not a regular file",
        )),
        Ok(_) => fs::read(path).map(Some),
    }
}

/// A file that root replaces must stay readable for the exporter's user.
fn keep_owner_and_mode(handle: &File, before: &Metadata) -> io::Result<()> {
    let now = handle.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        fchown(handle, Some(before.uid()), Some(before.gid()))?;
    }
    handle.set_permissions(Permissions::from_mode(before.mode() & 0o7777))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partners::tenant_file::TenantFile;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    fn open(path: &Path) -> Result<EditedFile<TenantFile>, Failure> {
        let name = FileName {
            path: path.to_owned(),
            flag: "--write",
        };
        EditedFile::open(name, true)
    }

    const ENTRY: &str = "- {name: a, tenant_id: a.example}\n";

    fn failure(result: Result<impl Sized, Failure>) -> String {
        match result.err() {
            Some(Failure::Other { error, hint }) => {
                format!("{error:#}; {}", hint.unwrap_or_default())
            }
            other => panic!("{other:?}"),
        }
    }

    fn in_folder(name: &str) -> (TempDir, PathBuf) {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join(name);
        (folder, file)
    }

    #[test]
    fn a_new_file_is_written_whole() {
        let (folder, file) = in_folder("a.yml");
        open(&file).unwrap().replace(ENTRY).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), ENTRY);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o644);
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "no temporary file is left");
    }

    #[test]
    fn mode_and_symbolic_link_stay() {
        let (folder, file) = in_folder("a.yml");
        let link = folder.path().join("link.yml");
        fs::write(&file, "# by hand\n").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        open(&link).unwrap().replace(ENTRY).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), ENTRY);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_not_replaced() {
        let (_folder, file) = in_folder("a.yml");
        let new = open(&file).unwrap();
        fs::write(&file, "# by hand\n").unwrap();
        assert!(failure(new.replace(ENTRY)).contains("has changed since"));
        let old = open(&file).unwrap();
        fs::write(&file, "# again\n").unwrap();
        assert!(failure(old.replace(ENTRY)).contains("run the command again"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "# again\n");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named_with_a_remedy() {
        let (folder, file) = in_folder("a.yml");
        let link = folder.path().join("link.yml");
        symlink(&file, &link).unwrap();
        let missing = folder.path().join("none").join("a.yml");
        fs::write(&file, "[]\n").unwrap();
        fs::remove_file(&file).unwrap();
        for (place, expected) in [
            (
                link.as_path(),
                "symbolic link to a file that does not exist",
            ),
            (missing.as_path(), "existing directory"),
            (folder.path(), "takes a file in that directory"),
            (Path::new("/dev/null"), "not a regular file"),
        ] {
            let text = failure(open(place));
            assert!(text.contains(expected), "{text}");
            assert!(text.contains(&place.display().to_string()), "{text}");
        }
        fs::write(&file, "tenants: []\n").unwrap();
        let text = failure(open(&file));
        assert!(text.contains("a.yml: line 1"), "{text}");
    }
}
