//! Chance that falls the same way each time.

/// A number from 0 to 99 that depends on the words and nothing else.
///
/// FNV-1a and a final mix: the words differ in few letters, and without the
/// mix neighbours would get neighbouring numbers.
pub(crate) fn roll(words: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in words.iter().flat_map(|word| word.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    (hash ^ (hash >> 33)) % 100
}

/// The same for something that changes with time.
pub(crate) fn roll_at(words: &[&str], now: i64) -> u64 {
    let now = now.to_string();
    roll(&[words, &[&now]].concat())
}
