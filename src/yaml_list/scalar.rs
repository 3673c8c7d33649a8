//! Scalars that every version of YAML reads as the same text.

use std::fmt::Write as _;

/// The byte order mark, which editors of Windows write.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Scalars that YAML reads as no text without quotes, in one of its versions.
const WORDS: [&str; 10] = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "~",
];

/// The text without quotes where every version of YAML reads it as text.
pub(crate) fn plain_or_quoted(text: &str) -> String {
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_number = || text.starts_with(|c: char| !c.is_ascii_alphabetic()) && text.len() < 36;
    match text.is_empty() || is_word || is_number() || !text.chars().all(is_plain) {
        true => quoted(text),
        false => text.to_owned(),
    }
}

/// The text in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            _ if is_special(c) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether YAML allows the character only as an escape, or reads it as a line break.
pub(crate) fn is_special(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | BYTE_ORDER_MARK | '\u{fffe}' | '\u{ffff}'
        )
}
