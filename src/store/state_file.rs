//! A file of the state directory. Its first line has the version and the SHA-256
//! of the rest. With them the exporter recognizes a damaged file, a file of
//! another version, and a file of another program.

use aws_lc_rs::digest::{SHA256, digest};
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Only the owner has access.
pub(super) const PRIVATE_FILE: u32 = 0o600;

/// Identifies the exporter's state files.
const MAGIC: &str = "secure-score-exporter state";

/// The version of the contents. A file of another version is not read; its
/// tenant is fetched again.
const VERSION: &str = "1";

/// Why a file is not a valid state file.
const FOREIGN: &str = "it is not a state file of this exporter";
const OTHER_VERSION: &str = "it was written by another version";
const DAMAGED: &str = "it is damaged or incomplete";

/// Whether a file is a state file of this exporter, in any version: another
/// program may use the same name.
pub(super) fn is_own(path: &Path) -> io::Result<bool> {
    let mut start = [0; MAGIC.len()];
    let read = File::open(path)?.read_exact(&mut start);
    Ok(read.is_ok() && start == *MAGIC.as_bytes())
}

/// Replaces a file; [`sync_directory`] makes it durable.
///
/// The new file is complete on the disk before it gets the old one's name, so
/// that a power failure leaves either the old or the new one.
pub(super) fn replace(file: &Path, json: &[u8]) -> io::Result<()> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let mut new = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE_FILE)
        .open(&unfinished)?;
    new.write_all(head(json).as_bytes())?;
    new.write_all(json)?;
    new.sync_all()?;
    fs::rename(&unfinished, file)
}

/// Makes the names of the files in a directory durable.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// The first line for these contents.
fn head(contents: &[u8]) -> String {
    format!("{MAGIC} {VERSION} {}\n", checksum(contents))
}

/// Parses the contents of a file. The error is why it is not valid.
pub(super) fn parse<T: DeserializeOwned>(file: &[u8]) -> Result<T, String> {
    let json = contents(file)?;
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

/// The contents of a valid file, or why it is not valid.
fn contents(file: &[u8]) -> Result<&[u8], &'static str> {
    let mut lines = file.splitn(2, |byte| *byte == b'\n');
    let (Some(head), Some(contents)) = (lines.next(), lines.next()) else {
        return Err(FOREIGN);
    };
    let head = std::str::from_utf8(head).map_err(|_| FOREIGN)?;
    let rest = head.strip_prefix(MAGIC).ok_or(FOREIGN)?;
    // Exactly one blank before each word, so that no changed byte goes unnoticed.
    let mut words = rest.split(' ').skip(1);
    match (words.next(), words.next(), words.next()) {
        (Some(VERSION), Some(sum), None) if sum == checksum(contents) => Ok(contents),
        (Some(VERSION) | None, ..) => Err(DAMAGED),
        (Some(_), ..) => Err(OTHER_VERSION),
    }
}

fn checksum(contents: &[u8]) -> String {
    let tag = digest(&SHA256, contents);
    tag.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(text: &[u8]) -> Vec<u8> {
        [head(text).as_bytes(), text].concat()
    }

    #[test]
    fn a_file_that_is_not_valid_gives_the_reason() {
        assert_eq!(contents(b""), Err(FOREIGN));
        assert_eq!(contents(b"{\"a\": 1}\n"), Err(FOREIGN));
        let other = format!("{MAGIC} 0 abc\n{{}}");
        assert_eq!(contents(other.as_bytes()), Err(OTHER_VERSION));
        let cut = format!("{MAGIC}\n");
        assert_eq!(contents(cut.as_bytes()), Err(DAMAGED));
    }

    proptest! {
        #[test]
        fn a_valid_file_opens_and_a_damaged_one_does_not(
            text in prop::collection::vec(any::<u8>(), 0..200),
            place in any::<prop::sample::Index>(),
            flip in 1_u8..,
        ) {
            let valid = file(&text);
            prop_assert_eq!(contents(&valid), Ok(&text[..]));
            let mut damaged = valid.clone();
            let place = place.index(valid.len());
            damaged[place] ^= flip;
            prop_assert!(contents(&damaged).is_err());
            prop_assert!(contents(&valid[..place]).is_err());
        }
    }
}
