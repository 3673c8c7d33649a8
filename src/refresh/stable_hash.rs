//! A hash that is the same in every release.

use aws_lc_rs::digest::{SHA256, digest};

/// The first 64 bits of the SHA-256 of two words.
///
/// The standard library's hashers may change between releases, and replicas of
/// different versions must agree on shards and phases.
pub(super) fn stable_hash(words: [&str; 2]) -> u64 {
    let [first, second] = words;
    let text = format!("{}:{first}{second}", first.len());
    let hash = digest(&SHA256, text.as_bytes());
    let bytes = hash.as_ref().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_never_changes() {
        // printf 7:contosoprofiles | sha256sum | cut -c-16
        assert_eq!(stable_hash(["contoso", "profiles"]), 0x5395_d2b3_aa73_f901);
        assert_ne!(stable_hash(["ab", "c"]), stable_hash(["a", "bc"]));
    }
}
