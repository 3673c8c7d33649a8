//! The name of a block: a ULID, 26 characters of a time and a number.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The bits of the number.
const NUMBER: u32 = 80;

/// The characters, five bits in each.
const LENGTH: u32 = 26;

/// The ULID of a time in milliseconds and of the beginning of a digest.
pub(super) fn of(time: i64, digest: &[u8]) -> String {
    let number = digest.iter().take(NUMBER as usize / 8);
    let number = number.fold(0, |sum: u128, byte| sum << 8 | u128::from(*byte));
    let all = (time as u128) << NUMBER | number;
    let places = (0..LENGTH).rev();
    let digits = places.filter_map(|place| ALPHABET.get((all >> (5 * place)) as usize % 32));
    digits.map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_ulid_of_the_specification() {
        // The time of the specification's example, and the largest number.
        assert_eq!(
            of(1_469_918_176_385, &[0; 32]),
            "01ARYZ6S410000000000000000"
        );
        assert_eq!(of(0, &[0xFF; 32]), "0000000000ZZZZZZZZZZZZZZZZ");
    }
}
