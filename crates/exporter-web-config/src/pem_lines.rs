use zeroize::Zeroizing;

/// It begins a file of an editor of Windows; `type A B > C` leaves it within one.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The lines of a PEM file without blanks around them, which the parsers of keys
/// do not accept. A byte order mark begins a line.
pub fn pem_lines(pem: &[u8]) -> Zeroizing<String> {
    // Comments may have another encoding; the keys are ASCII.
    let text = Zeroizing::new(String::from_utf8_lossy(pem).into_owned());
    // A buffer that grows would leave a copy of the key in memory.
    let mut lines = Zeroizing::new(String::with_capacity(text.len() + 1));
    for line in text.split(['\n', BYTE_ORDER_MARK]) {
        lines.push_str(line.trim());
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_blanks_around_it_and_a_mark_begins_one() {
        let pem = "\u{feff}-----END A-----\u{feff}  -----BEGIN B----- \r\n\t MII \r\n\r\n";
        let expected = "\n-----END A-----\n-----BEGIN B-----\nMII\n\n\n";
        assert_eq!(*pem_lines(pem.as_bytes()), expected);
    }
}
