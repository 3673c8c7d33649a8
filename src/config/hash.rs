//! The hash of the configuration.

use std::fmt;

/// A short digest of the configuration's text.
///
/// A metric exports it, so that replicas with different configurations can be
/// found. It has 48 bits, because a sample is a float with 53. It is no
/// protection against collisions made on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConfigHash(u64);

const BITS: u32 = 48;

impl ConfigHash {
    /// FNV-1a over the text, both halves folded together.
    pub(super) fn of(text: &str) -> Self {
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self((hash >> BITS) ^ (hash & ((1 << BITS) - 1)))
    }

    /// The value of the sample, exactly.
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }
}

impl fmt::Display for ConfigHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_exact_as_a_float() {
        let hash = ConfigHash::of("tenants: []");
        assert_eq!(hash.as_f64() as u64, hash.0);
        assert_ne!(hash, ConfigHash::of("tenants: [] "));
        assert_eq!(hash.to_string().len(), 12);
    }
}
