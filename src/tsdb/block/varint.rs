//! Integers in as many bytes as they need, as Prometheus' blocks have them.

/// Appends an integer, seven bits in each byte, the lowest first.
pub(super) fn push_uvarint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// A signed integer as an unsigned one that is small where its amount is.
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}
