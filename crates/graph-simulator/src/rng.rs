//! Deterministic pseudo-random numbers.
//!
//! Every number depends on the seed, a purpose and an index alone, so each fact
//! of a tenant can be computed separately and in any order, and nothing is
//! stored per control. The purposes are therefore part of what a seed stands
//! for: renaming one changes the tenants of every seed.

use uuid::{Builder, Uuid};

/// A number for a purpose.
pub(crate) fn draw(seed: u64, purpose: &str, index: u64) -> u64 {
    // FNV-1a over the purpose.
    let named = purpose
        .bytes()
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    mix(named ^ mix(index))
}

/// A number from `low` to `high`, both included.
pub(crate) fn draw_between(seed: u64, purpose: &str, index: u64, low: u64, high: u64) -> u64 {
    low + draw(seed, purpose, index) % (high.saturating_sub(low) + 1)
}

/// A version 4 GUID for a purpose.
pub(crate) fn guid(seed: u64, purpose: &str, index: u64) -> Uuid {
    let high = draw(seed, purpose, index);
    let low = draw(high, purpose, index);
    let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
    Builder::from_random_bytes(bytes).into_uuid()
}

/// The finaliser of SplitMix64: similar numbers become unrelated ones.
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_depends_on_seed_and_purpose_only() {
        assert_eq!(draw(7, "score", 3), draw(7, "score", 3));
        assert_ne!(draw(7, "score", 3), draw(7, "secret", 3));
        assert_ne!(draw(7, "score", 3), draw(8, "score", 3));
    }

    #[test]
    fn a_number_between_bounds_reaches_both_and_exceeds_neither() {
        let drawn: Vec<u64> = (0..200).map(|i| draw_between(1, "x", i, 2, 4)).collect();
        assert!(drawn.iter().all(|n| (2..=4).contains(n)));
        assert!([2, 3, 4].iter().all(|n| drawn.contains(n)));
    }

    #[test]
    fn a_guid_is_a_version_4_guid() {
        assert_eq!(guid(1, "tenant", 1).get_version_num(), 4);
    }
}
