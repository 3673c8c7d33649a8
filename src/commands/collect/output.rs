//! Where what was collected goes.

use crate::commands::Failure;
use std::fs::Permissions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::NamedTempFile;

/// node_exporter runs as another user and must read the file.
const READABLE: u32 = 0o644;

/// Writes to standard output, or into a file that is whole at every moment.
pub(super) fn write(file: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    match file {
        None => print(bytes),
        Some(file) => replace(file, bytes).map_err(|error| Failure::Other {
            error: anyhow::Error::new(error)
                .context(format!("{} cannot be written", file.display())),
            hint: Some(
                "let --output name a file in a directory that exists and may be written into"
                    .to_owned(),
            ),
        }),
    }
}

/// A reader that has seen enough, such as `head`, is no trouble.
fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Found),
        Err(error) => Err(anyhow::Error::new(error)
            .context("standard output cannot be written")
            .into()),
        Ok(()) => Ok(()),
    }
}

/// The new file takes the old one's name when it is complete on the disk, so
/// that a collector which reads just then reads the one or the other.
fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut unfinished = NamedTempFile::new_in(folder)?;
    unfinished.write_all(bytes)?;
    unfinished
        .as_file()
        .set_permissions(Permissions::from_mode(READABLE))?;
    unfinished.as_file().sync_all()?;
    unfinished.persist(file)?;
    Ok(())
}
