//! The first line of a file of state: what follows, and that it is whole.

use aws_lc_rs::digest::{SHA256, digest};

/// Which program's file this is.
const MAGIC: &str = "secure-score-exporter state";

/// The version of what follows the line. A file of another version is of no
/// use: what it holds is fetched again within the hour.
const VERSION: &str = "1";

/// Why a file is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("it is no file of this exporter's")]
    Foreign,
    #[error("it was written by another version")]
    OtherVersion,
    #[error("it is damaged or incomplete")]
    Damaged,
}

/// The line before these contents.
pub(super) fn head(contents: &[u8]) -> String {
    format!("{MAGIC} {VERSION} {}\n", checksum(contents))
}

/// The contents of a whole file.
pub(super) fn open(file: &[u8]) -> Result<&[u8], Broken> {
    let end = file.iter().position(|byte| *byte == b'\n');
    let (head, contents) = end
        .and_then(|end| Some((file.get(..end)?, file.get(end + 1..)?)))
        .ok_or(Broken::Foreign)?;
    let head = std::str::from_utf8(head).map_err(|_| Broken::Foreign)?;
    let rest = head.strip_prefix(MAGIC).ok_or(Broken::Foreign)?;
    // One blank before each word, and no other kind of it.
    let mut words = rest.split(' ').skip(1);
    match (words.next(), words.next(), words.next()) {
        (Some(VERSION), Some(sum), None) if sum == checksum(contents) => Ok(contents),
        (Some(VERSION) | None, ..) => Err(Broken::Damaged),
        (Some(_), ..) => Err(Broken::OtherVersion),
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
    fn what_is_not_ours_is_told_apart() {
        assert_eq!(open(b""), Err(Broken::Foreign));
        assert_eq!(open(b"{\"a\": 1}\n"), Err(Broken::Foreign));
        let other = format!("{MAGIC} 0 abc\n{{}}");
        assert_eq!(open(other.as_bytes()), Err(Broken::OtherVersion));
        let cut = format!("{MAGIC}\n");
        assert_eq!(open(cut.as_bytes()), Err(Broken::Damaged));
    }

    proptest! {
        #[test]
        fn a_whole_file_opens_and_a_damaged_one_does_not(
            contents in prop::collection::vec(any::<u8>(), 0..200),
            place in any::<prop::sample::Index>(),
            flip in 1_u8..,
        ) {
            let whole = file(&contents);
            prop_assert_eq!(open(&whole), Ok(&contents[..]));
            let mut damaged = whole.clone();
            let place = place.index(whole.len());
            damaged[place] ^= flip;
            prop_assert!(open(&damaged).is_err());
            prop_assert!(open(&whole[..place]).is_err());
        }
    }
}
