//! Makes texts from servers and users safe to print: no control characters, no
//! reversed writing, no secrets, and a limited length.

/// A piece of a secret of this many bytes is no coincidence.
const MIN_PIECE: usize = 12;

/// Replaces a text with a piece of a secret that was cut off or escaped.
const WITHHELD: &str = "<withheld, since it repeats a part of a secret>";

/// Texts are cut to this length before they are searched for secrets.
const MAX_SEARCHED: usize = 8 * 1024;

/// A text on one line: each run of blanks and control characters, such as
/// Graph's narrow no-break spaces, becomes one blank. Characters that change the
/// direction of writing are removed, because they can make one name look like
/// another.
pub fn single_line(text: &str) -> String {
    text.replace(changes_direction, "")
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A text on one line, truncated to `max` bytes.
pub fn clean_line(text: &str, max: usize) -> String {
    let clean = single_line(text);
    match prefix(&clean, max) {
        whole if whole.len() == clean.len() => clean,
        start => format!("{start}…"),
    }
}

/// The first `max` characters of a text, with a mark if there are more.
pub fn truncate(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// Whether a text is displayed as it is.
pub fn is_printable(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() || changes_direction(c))
}

fn changes_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text without these secrets and without words that look like a token: an
/// error message of a proxy may echo the request.
pub fn redact(text: &str, secrets: &[&str]) -> String {
    let mut clean = prefix(text, MAX_SEARCHED).to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        clean = clean.replace(secret, "<secret>");
    }
    if secrets.iter().any(|secret| contains_piece(&clean, secret)) {
        return WITHHELD.to_owned();
    }
    let words = clean.split(' ').map(|word| match word.contains("eyJ") {
        true => "<token>",
        false => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The longest prefix of at most `max` bytes that ends with a character.
fn prefix(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max))
        .unwrap_or_default()
}

fn contains_piece(text: &str, secret: &str) -> bool {
    let mut pieces = secret.as_bytes().windows(MIN_PIECE);
    text.len() >= MIN_PIECE
        && pieces.any(|piece| memchr::memmem::find(text.as_bytes(), piece).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_a_cut_or_escaped_secret_is_withheld() {
        let secret = "aB3~x<y&z-0123456789_tail-of-it";
        for text in [
            "what: aB3~x&lt;y&amp;z-0123456789_tail-of-it",
            "client_secret=aB3~x<y&z-0123",
            "…0123456789_tail-of-it",
        ] {
            assert_eq!(redact(text, &[secret]), WITHHELD, "{text}");
        }
        let harmless = "the secret aB3~x is wrong";
        assert_eq!(redact(harmless, &[secret]), harmless);
        let whole = format!("secret {secret} is wrong");
        assert_eq!(redact(&whole, &[secret]), "secret <secret> is wrong");
    }

    #[test]
    fn texts_become_one_printable_line() {
        assert_eq!(single_line(" a\u{202f}b\r\n\u{7}c "), "a b c");
        assert_eq!(clean_line("ääää", 5), "ää…");
        assert_eq!(single_line("moc.elive\u{202e}@a"), "moc.elive@a");
    }

    #[test]
    fn a_long_text_is_truncated_at_a_character_and_marked() {
        assert_eq!(truncate("äöü", 3), "äöü");
        assert_eq!(truncate("äöüß", 3), "äöü…");
    }

    #[test]
    fn an_echo_does_not_reveal_the_secret() {
        let echo = "bad body client_secret=hush-hush and Bearer eyJhbGciOi.x.y end";
        assert_eq!(
            redact(echo, &["hush-hush", ""]),
            "bad body client_secret=<secret> and Bearer <token> end"
        );
    }
}
