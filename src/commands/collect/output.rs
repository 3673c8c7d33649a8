//! The output of `collect`: standard output or a file.

use crate::commands::{Failure, stdout};
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::NamedTempFile;

/// node_exporter runs as another user and must read the file.
const READABLE: u32 = 0o644;

/// Writes to standard output, or replaces the file atomically.
pub(super) fn write(file: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    match file {
        None => stdout::write(bytes),
        Some(file) => replace(file, bytes).map_err(|error| {
            let error = anyhow::Error::new(error);
            Failure::with_hint(
                error.context(format!("{} cannot be written", file.display())),
                "--output must name a file in an existing directory that may be written to",
            )
        }),
    }
}

/// Writes a new file and renames it when it is complete on the disk, so that a
/// collector never reads a part of it.
fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut new = NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.as_file()
        .set_permissions(Permissions::from_mode(READABLE))?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}
