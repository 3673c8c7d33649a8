//! Files that are replaced atomically.

use std::fs::Permissions;
use std::io::{self, BufWriter, IntoInnerError, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::{Builder, NamedTempFile};

/// Mode of a file that programs of another user read: promtool, node_exporter.
pub(super) const READABLE: u32 = 0o644;

/// Mode of a file for this user only.
pub(super) const PRIVATE: u32 = 0o600;

/// The name of an incomplete file begins with this.
pub(super) const UNFINISHED: &str = ".unfinished-";

/// Large enough for long writes: a file can have millions of short lines.
const BUFFER: usize = 256 * 1024;

/// Writes a new file and renames it when it is complete on the disk, so that a
/// reader never sees a part of it.
pub(super) fn replace<T>(
    file: &Path,
    mode: u32,
    write: impl FnOnce(&mut BufWriter<NamedTempFile>) -> io::Result<T>,
) -> io::Result<T> {
    let mut out = BufWriter::with_capacity(BUFFER, unfinished(file)?);
    let written = write(&mut out)?;
    out.flush()?;
    let unfinished = out.into_inner().map_err(IntoInnerError::into_error)?;
    let handle = unfinished.as_file();
    handle.set_permissions(Permissions::from_mode(mode))?;
    handle.sync_all()?;
    unfinished.persist(file)?;
    Ok(written)
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
