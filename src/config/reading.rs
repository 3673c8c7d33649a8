//! Files, read within bounds.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// No configuration and no list of certificates comes near this; a path to
/// `/dev/zero` must not fill the memory.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Opens a file.
///
/// A named pipe is refused, since opening one that nobody writes to would wait
/// for ever; what a shell hands over as `/dev/fd/N` is open already.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let handed_over = path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    if std::fs::metadata(path)?.file_type().is_fifo() && !handed_over {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a named pipe",
        ));
    }
    File::open(path)
}

/// Reads a file to its end.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is larger than 4 MiB",
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_file_is_refused() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 4 MiB");
    }

    #[test]
    fn a_pipe_nobody_writes_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert_eq!(read(&pipe).unwrap_err().to_string(), "it is a named pipe");
    }
}
