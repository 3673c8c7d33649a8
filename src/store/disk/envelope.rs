//! The first line of a state file: program, version and checksum.

use aws_lc_rs::digest::{SHA256, digest};

/// Identifies the exporter's state files.
const MAGIC: &str = "secure-score-exporter state";

/// The version of the contents. A file of another version is not read; its
/// tenant is fetched again.
const VERSION: &str = "1";

/// Why a file is not a valid state file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum EnvelopeError {
    #[error("it is not a state file of this exporter")]
    Foreign,
    #[error("it was written by another version")]
    OtherVersion,
    #[error("it is damaged or incomplete")]
    Damaged,
}

/// The first line for these contents.
pub(super) fn head(contents: &[u8]) -> String {
    format!("{MAGIC} {VERSION} {}\n", checksum(contents))
}

/// The contents of a valid file.
pub(super) fn open(file: &[u8]) -> Result<&[u8], EnvelopeError> {
    let end = file.iter().position(|byte| *byte == b'\n');
    let (head, contents) = end
        .and_then(|end| Some((file.get(..end)?, file.get(end + 1..)?)))
        .ok_or(EnvelopeError::Foreign)?;
    let head = std::str::from_utf8(head).map_err(|_| EnvelopeError::Foreign)?;
    let rest = head.strip_prefix(MAGIC).ok_or(EnvelopeError::Foreign)?;
    // Exactly one blank before each word, so that no changed byte goes unnoticed.
    let mut words = rest.split(' ').skip(1);
    match (words.next(), words.next(), words.next()) {
        (Some(VERSION), Some(sum), None) if sum == checksum(contents) => Ok(contents),
        (Some(VERSION) | None, ..) => Err(EnvelopeError::Damaged),
        (Some(_), ..) => Err(EnvelopeError::OtherVersion),
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

    fn file(contents: &[u8]) -> Vec<u8> {
        [head(contents).as_bytes(), contents].concat()
    }

    #[test]
    fn a_file_that_is_not_valid_gives_the_reason() {
        assert_eq!(open(b""), Err(EnvelopeError::Foreign));
        assert_eq!(open(b"{\"a\": 1}\n"), Err(EnvelopeError::Foreign));
        let other = format!("{MAGIC} 0 abc\n{{}}");
        assert_eq!(open(other.as_bytes()), Err(EnvelopeError::OtherVersion));
        let cut = format!("{MAGIC}\n");
        assert_eq!(open(cut.as_bytes()), Err(EnvelopeError::Damaged));
    }

    proptest! {
        #[test]
        fn a_valid_file_opens_and_a_damaged_one_does_not(
            contents in prop::collection::vec(any::<u8>(), 0..200),
            place in any::<prop::sample::Index>(),
            flip in 1_u8..,
        ) {
            let valid = file(&contents);
            prop_assert_eq!(open(&valid), Ok(&contents[..]));
            let mut damaged = valid.clone();
            let place = place.index(valid.len());
            damaged[place] ^= flip;
            prop_assert!(open(&damaged).is_err());
            prop_assert!(open(&valid[..place]).is_err());
        }
    }
}
