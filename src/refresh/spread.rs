//! Numbers made of names: spread evenly, and the same for ever.

use aws_lc_rs::digest::{SHA256, digest};

/// A number that depends on nothing but these words.
///
/// The standard library's hashers promise nothing across releases, and every
/// replica of whatever age must come to the same result.
pub(super) fn number(words: [&str; 2]) -> u64 {
    let [first, second] = words;
    let text = format!("{}:{first}{second}", first.len());
    let tag = digest(&SHA256, text.as_bytes());
    let bytes = tag.as_ref().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_every_release() {
        assert_eq!(number(["contoso", "profiles"]), NUMBER);
        assert_ne!(number(["ab", "c"]), number(["a", "bc"]));
    }

    /// printf 7:contosoprofiles | sha256sum | cut -c-16
    const NUMBER: u64 = 0x5395_d2b3_aa73_f901;
}
