//! The checksum in Prometheus' files: CRC-32 with Castagnoli's polynomial.

/// The polynomial with its bits reversed.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// The remainders of all bytes.
pub(super) struct Castagnoli([u32; 256]);

impl Castagnoli {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|byte| {
            let step = |rest: u32, _| match rest & 1 {
                0 => rest >> 1,
                _ => (rest >> 1) ^ POLYNOMIAL,
            };
            (0..8).fold(byte as u32, step)
        }))
    }

    pub(super) fn of(&self, bytes: &[u8]) -> u32 {
        let step = |rest: u32, byte: &u8| {
            let place = usize::from(rest.to_le_bytes()[0] ^ byte);
            self.0.get(place).copied().unwrap_or_default() ^ (rest >> 8)
        };
        !bytes.iter().fold(!0, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_checksum_of_the_standard() {
        let castagnoli = Castagnoli::new();
        // From RFC 3720, B.4.
        assert_eq!(castagnoli.of(&[0; 32]), 0x8A91_36AA);
        assert_eq!(castagnoli.of(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(castagnoli.of(b"123456789"), 0xE306_9283);
    }
}
