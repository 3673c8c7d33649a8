use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

/// Larger than any configuration or certificate bundle. Without the limit a
/// path to `/dev/zero` would fill the memory.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Opens a file, and refuses named pipes: opening one without a writer blocks
/// for ever. `/dev/fd/N` is open already, so pipes are allowed there.
pub fn open_file(path: &Path) -> io::Result<File> {
    let is_inherited = path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    if is_fifo(&std::fs::metadata(path)?) && !is_inherited {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a named pipe",
        ));
    }
    File::open(path)
}

/// Reads a file of at most 4 MiB.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_file(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is larger than 4 MiB",
        ));
    }
    Ok(bytes)
}

/// Why a file cannot be read, in the same words on every platform.
pub fn io_reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::IsADirectory => "it is a directory",
        io::ErrorKind::InvalidInput => "it is a named pipe",
        io::ErrorKind::InvalidData => "it is larger than 4 MiB",
        _ => "input/output error",
    }
}

/// Whether every user of the machine may read the file.
pub fn is_world_readable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|it| has_world_read_bit(&it))
}

#[cfg(unix)]
fn has_world_read_bit(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(metadata) & 0o004 != 0
}

#[cfg(unix)]
fn is_fifo(metadata: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())
}

#[cfg(not(unix))]
fn has_world_read_bit(_: &Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn is_fifo(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_file_is_refused() {
        let error = read_file(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 4 MiB");
    }

    #[test]
    fn a_named_pipe_without_a_writer_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert_eq!(
            read_file(&pipe).unwrap_err().to_string(),
            "it is a named pipe"
        );
    }
}
