use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

/// Larger than any configuration or certificate bundle. Without the limit a
/// path to `/dev/zero` would fill the memory.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Opens a file, and refuses named pipes: opening one without a writer blocks
/// for ever. `/dev/fd/N` is open already, so pipes are allowed there.
fn open_file(path: &Path) -> io::Result<File> {
    let is_inherited = path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    if is_fifo(&std::fs::metadata(path)?) && !is_inherited {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a named pipe",
        ));
    }
    File::open(path)
}

/// Reads a file of at most 4 MiB. A text becomes UTF-8 without a byte order
/// mark, whatever the editor saved.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    read_at_most(path, MAX_BYTES)
}

/// The same for a file of another size, in bytes.
pub fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_file(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(to_utf8(bytes))
}

/// Text as UTF-8 without a byte order mark. Editors and shells of Windows write
/// such a mark, or UTF-16, often without saying so. Other contents, such as
/// DER, stay as they are.
fn to_utf8(bytes: Vec<u8>) -> Vec<u8> {
    let decode = |text: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = text.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok()?;
        rest.is_empty().then(|| text.into_bytes())
    };
    let decoded = match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, text @ ..] => Some(text.to_vec()),
        [0xff, 0xfe, text @ ..] => decode(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => decode(text, u16::from_be_bytes),
        // Without a mark: the first character of a text is ASCII.
        [1..=0x7f, 0, _, 0, ..] => decode(&bytes, u16::from_le_bytes),
        [0, 1..=0x7f, 0, _, ..] => decode(&bytes, u16::from_be_bytes),
        _ => None,
    };
    decoded.unwrap_or(bytes)
}

/// Why a file cannot be read, in the same words on every platform.
pub fn io_reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::IsADirectory => "it is a directory",
        io::ErrorKind::InvalidInput => "it is a named pipe",
        io::ErrorKind::FileTooLarge => "it is larger than 4 MiB",
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
        assert_eq!(io_reason(&error), "it is larger than 4 MiB");
    }

    #[test]
    fn a_text_of_any_encoding_becomes_utf_8_without_a_mark() {
        let text = "key: \u{e4}\u{1f511} \n";
        let utf_16 = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect();
        let (le, be): (Vec<u8>, Vec<u8>) = (utf_16(u16::to_le_bytes), utf_16(u16::to_be_bytes));
        for bytes in [
            text.as_bytes().to_vec(),
            ["\u{feff}", text].concat().into_bytes(),
            [&[0xff, 0xfe], &*le].concat(),
            [&[0xfe, 0xff], &*be].concat(),
            le,
            be,
        ] {
            assert_eq!(to_utf8(bytes), text.as_bytes());
        }
    }

    #[test]
    fn other_contents_stay_as_they_are() {
        for bytes in [&b"\x30\x82\x09\x00\x02"[..], b"\xff\xfea", b"", b"a\0"] {
            assert_eq!(to_utf8(bytes.to_vec()), bytes);
        }
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
