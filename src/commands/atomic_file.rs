//! Files that are replaced atomically.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, ErrorKind, IntoInnerError};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// Mode of a file that programs of another user read: promtool, node_exporter.
pub(super) const READABLE: u32 = 0o644;

/// Mode of a file for this user only.
pub(super) const PRIVATE: u32 = 0o600;

/// The name of an incomplete file begins with this.
pub(super) const UNFINISHED: &str = ".unfinished-";

const DANGLING: &str = "it is a symbolic link to a file that does not exist: \
    create that file, or remove the link";

/// Large enough for long writes: a file can have millions of short lines.
const BUFFER: usize = 256 * 1024;

/// Writes a new file and renames it when it is complete on the disk, so that a
/// reader never sees a part of it. Symbolic links stay. A device, a pipe and what is
/// named below `/dev` are not replaced: what is written goes into them.
pub(super) fn replace<T>(
    file: &Path,
    mode: u32,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> io::Result<T> {
    let target = behind_links(file)?;
    if is_stream(file) {
        let stream = OpenOptions::new().append(true).open(file)?;
        return buffered(stream, write).map(|(written, _)| written);
    }
    let file = target;
    let (unfinished, name) = unfinished(&file)?.into_parts();
    let (written, unfinished) = buffered(unfinished, write)?;
    unfinished.set_permissions(Permissions::from_mode(mode))?;
    unfinished.sync_all()?;
    name.persist(&file)?;
    Ok(written)
}

/// Fails early where the file could not be replaced later.
pub(super) fn check_replaceable(file: &Path) -> io::Result<()> {
    let target = behind_links(file)?;
    match is_stream(file) {
        true => Ok(()),
        false => unfinished(&target).map(|_| ()),
    }
}

/// Whether what is written goes into what is there: `/dev/stdout` may lead to a file to
/// which the shell appends.
pub(super) fn is_stream(file: &Path) -> bool {
    file.starts_with("/dev") || fs::metadata(file).is_ok_and(|it| !it.is_file())
}

fn buffered<T>(
    file: File,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> io::Result<(T, File)> {
    let mut out = BufWriter::with_capacity(BUFFER, file);
    let written = write(&mut out)?;
    let file = out.into_inner().map_err(IntoInnerError::into_error)?;
    Ok((written, file))
}

/// The file behind symbolic links, which may not exist yet.
///
/// A device or a pipe keeps its name: `/dev/stdout` may lead to a pipe, which has none.
pub(super) fn behind_links(file: &Path) -> io::Result<PathBuf> {
    match fs::metadata(file) {
        Ok(found) if found.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(found) if found.is_file() => fs::canonicalize(file),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match fs::symlink_metadata(file).is_ok() {
                true => Err(io::Error::new(ErrorKind::NotFound, DANGLING)),
                false => Ok(file.to_owned()),
            }
        }
        found => found.map(|_| file.to_owned()),
    }
}

/// A temporary file in the directory of this one.
pub(super) fn unfinished(file: &Path) -> io::Result<NamedTempFile> {
    Builder::new().prefix(UNFINISHED).tempfile_in(folder(file))
}

/// The directory of a file.
pub(super) fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::{FileTypeExt as _, symlink};
    use std::process::Command;
    use tempfile::TempDir;

    fn write(file: &Path) -> io::Result<()> {
        replace(file, READABLE, |out| out.write_all(b"new"))
    }

    #[test]
    fn a_pipe_is_written_and_not_replaced() {
        let folder = TempDir::new().unwrap();
        let pipe = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let link = folder.path().join("link");
        symlink(&pipe, &link).unwrap();
        for name in [&pipe, &link] {
            // With a writer of its own, the reader waits for no other.
            let reader = OpenOptions::new().read(true).write(true).open(&pipe);
            write(name).unwrap();
            assert!(fs::metadata(name).unwrap().file_type().is_fifo());
            let mut read = [0; 3];
            reader.unwrap().read_exact(&mut read).unwrap();
            assert_eq!(&read, b"new");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_to_which_the_shell_appends_keeps_what_it_has() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "old ").unwrap();
        let opened = OpenOptions::new().append(true).open(&file).unwrap();
        let name = format!("/dev/fd/{}", opened.as_raw_fd());
        write(Path::new(&name)).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "old new");
    }

    #[test]
    fn a_symbolic_link_stays_and_its_file_is_replaced() {
        let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let (file, link) = (elsewhere.path().join("file"), folder.path().join("link"));
        symlink(&file, &link).unwrap();
        let error = write(&link).unwrap_err().to_string();
        assert!(error.contains("remove the link"), "{error}");
        fs::write(&file, "old and longer").unwrap();
        write(&link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }

    #[test]
    fn a_directory_is_not_replaced() {
        let folder = TempDir::new().unwrap();
        let error = write(folder.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IsADirectory);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
