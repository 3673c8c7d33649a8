//! Chance that always falls the same way for the same seed.

use uuid::{Builder, Uuid};

/// A number that depends on a seed and on what it is thrown for.
///
/// Not a random generator with a state: every fact of a tenant can be asked
/// for alone and in any order, so nothing needs to be stored per control.
pub(super) fn roll(seed: u64, purpose: &str, index: u64) -> u64 {
    let named = purpose
        .bytes()
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    scramble(named ^ scramble(index))
}

/// A number from `low` up to and including `high`.
pub(super) fn between(seed: u64, purpose: &str, index: u64, low: u64, high: u64) -> u64 {
    low + roll(seed, purpose, index) % (high.saturating_sub(low) + 1)
}

/// A version 4 GUID for a purpose.
pub(super) fn guid(seed: u64, purpose: &str, index: u64) -> Uuid {
    let high = roll(seed, purpose, index);
    let low = roll(high, purpose, index);
    let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
    Builder::from_random_bytes(bytes).into_uuid()
}

/// Spreads neighbouring numbers over the whole range (the finisher of SplitMix64).
pub(super) fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_throw_falls_the_same_and_another_purpose_differs() {
        assert_eq!(roll(7, "score", 3), roll(7, "score", 3));
        assert_ne!(roll(7, "score", 3), roll(7, "secret", 3));
        assert_ne!(roll(7, "score", 3), roll(8, "score", 3));
    }

    #[test]
    fn a_number_between_bounds_stays_there_and_reaches_both() {
        let seen: Vec<u64> = (0..200).map(|i| between(1, "x", i, 2, 4)).collect();
        assert!(seen.iter().all(|n| (2..=4).contains(n)));
        assert!([2, 3, 4].iter().all(|n| seen.contains(n)));
    }

    #[test]
    fn a_guid_is_a_version_4_guid() {
        assert_eq!(guid(1, "tenant", 1).get_version_num(), 4);
    }
}
