//! Telling one configuration from another in a metric.

use std::fmt;

/// A short digest of the configuration's text.
///
/// It answers "do these replicas run the same configuration?" and nothing
/// more. 48 bits, because a sample is a float and holds no more than 53. Not
/// for security: whoever can write the file can make two with one fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

const BITS: u32 = 48;

impl Fingerprint {
    /// FNV-1a over the text, both halves folded together.
    pub(super) fn of(text: &str) -> Self {
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self((hash >> BITS) ^ (hash & ((1 << BITS) - 1)))
    }

    /// As a sample's value, exactly.
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_survives_being_a_sample() {
        let fingerprint = Fingerprint::of("tenants: []");
        assert_eq!(fingerprint.as_f64() as u64, fingerprint.0);
        assert_ne!(fingerprint, Fingerprint::of("tenants: [] "));
        assert_eq!(fingerprint.to_string().len(), 12);
    }
}
