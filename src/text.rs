//! Makes texts from servers and users safe to print: no control characters, no
//! reversed writing, no secrets, and a limited length.

use std::borrow::Cow;
use url::Url;

/// A piece of a secret of this many bytes is no coincidence.
const MIN_PIECE: usize = 12;

/// Replaces a text with a piece of a secret that was cut off.
const WITHHELD: &str = "<withheld, since it repeats a part of a secret>";

/// Replaces what is left out of a text.
const OMITTED: &str = "…";

/// Texts are cut to this length before they are searched for secrets.
const MAX_SEARCHED: usize = 8 * 1024;

/// The letters of a word; few English words are longer.
const MAX_WORD: usize = 16;

/// The digits of Entra's error numbers; a `u32` has no more.
const MAX_NUMBER: usize = 10;

/// A text on one line: each run of blanks and control characters, such as
/// Graph's narrow no-break spaces, becomes one blank. Characters that change the
/// direction of writing are removed, because they can make one name look like
/// another.
pub fn single_line(text: &str) -> Cow<'_, str> {
    if is_single_line(text) {
        return text.into();
    }
    text.replace(changes_direction, "")
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .into()
}

/// Whether a text is ASCII and one line already, as nearly all of Graph's texts are.
fn is_single_line(text: &str) -> bool {
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    let has_two_blanks = pairs.fold(false, |any, (a, b)| any | (*a == b' ') & (*b == b' '));
    is_visible(text) && !has_two_blanks && !text.starts_with(' ') && !text.ends_with(' ')
}

/// Whether a text consists of visible ASCII characters and blanks.
fn is_visible(text: &str) -> bool {
    // Without an early end, so that many bytes are compared at once.
    let bytes = text.bytes();
    bytes.fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// A text on one line, truncated to `max` bytes.
pub fn clean_line(text: &str, max: usize) -> Cow<'_, str> {
    cut(single_line(text), max)
}

/// The first `max` bytes of a text, with a mark if there are more.
pub fn cut<'a>(text: impl Into<Cow<'a, str>>, max: usize) -> Cow<'a, str> {
    let text = text.into();
    match prefix(&text, max) {
        whole if whole.len() == text.len() => text,
        start => format!("{start}…").into(),
    }
}

/// The first `max` characters of a text, with a mark if there are more.
pub fn truncate(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// A number with its noun: `1 tenant`, `3 tenants`.
pub fn count(number: impl ToString, one: &str) -> String {
    let number = number.to_string();
    let noun = noun(&number, one);
    format!("{number} {noun}")
}

/// The noun for a number: the plural, unless the number is 1.
pub fn noun(number: impl ToString, one: &str) -> String {
    match number.to_string().as_str() {
        "1" => one.to_owned(),
        _ => format!("{one}s"),
    }
}

/// The first `max` names, and how many follow: `a, b and 3 more`.
pub fn named(names: impl ExactSizeIterator<Item = impl ToString>, max: usize) -> String {
    let more = names.len().saturating_sub(max);
    let shown: Vec<String> = names.take(max).map(|name| name.to_string()).collect();
    let shown = shown.join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Whether a text is displayed as it is.
pub fn is_printable(text: &str) -> bool {
    is_visible(text) || !text.contains(|c: char| c.is_control() || changes_direction(c))
}

fn changes_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An answer's text without the secrets that were sent: the server, or a proxy
/// before it, may echo the request in any encoding. So only plain words are left
/// of it, and Entra's error numbers. Where no secret was sent, everything is left
/// but words that look like a token.
pub fn redact(text: &str, secrets: &[&str]) -> String {
    let mut clean = prefix(text, MAX_SEARCHED).to_owned();
    let secrets = || secrets.iter().filter(|secret| !secret.is_empty());
    if secrets().next().is_none() {
        let words = clean.split(' ').map(|word| match word.contains("eyJ") {
            true => "<token>",
            false => word,
        });
        return words.collect::<Vec<_>>().join(" ");
    }
    for secret in secrets() {
        clean = clean.replace(secret, OMITTED);
    }
    if secrets().any(|secret| contains_piece(&clean, secret)) {
        return WITHHELD.to_owned();
    }
    plain_words(&clean)
}

/// The plain words of a text, with a mark for the others.
fn plain_words(text: &str) -> String {
    let text = single_line(text);
    let mut words: Vec<&str> = text
        .split(' ')
        .map(|word| {
            let bare = word.trim_matches(['.', ',', ':', ';', '!', '?', '(', ')', '\'', '"']);
            match is_plain(bare) || is_entra_number(bare) {
                true => word,
                false => OMITTED,
            }
        })
        .collect();
    words.dedup_by(|word, before| *word == OMITTED && *before == OMITTED);
    words.join(" ")
}

/// Whether a name, such as a host or a media type, consists of plain words.
pub fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.split(['.', '-', '/', '+']).all(is_plain)
}

/// Whether a word is one of a language, or several as in `AccessDenied` or
/// `invalid_client`: ASCII letters, and capitals only where a word begins. Bytes
/// in an encoding have digits, other characters or capitals elsewhere, or are
/// longer.
fn is_plain(word: &str) -> bool {
    let mut letters = 0;
    for byte in word.bytes() {
        letters = match byte {
            b'a'..=b'z' if letters < MAX_WORD => letters + 1,
            b'A'..=b'Z' if letters != 1 => 1,
            b'_' if letters > 1 => 0,
            _ => return false,
        };
    }
    letters > 1 || word.len() <= 1
}

/// Whether a word is a number such as `AADSTS700016`.
fn is_entra_number(word: &str) -> bool {
    word.strip_prefix("AADSTS").is_some_and(|number| {
        (1..=MAX_NUMBER).contains(&number.len()) && number.bytes().all(|it| it.is_ascii_digit())
    })
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

/// An address, if it is a web address, which is safe in a link:
/// `javascript:` would run in the page, and a user name before an `@` would look
/// like the host.
pub fn web_url(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let anonymous = url.username().is_empty() && url.password().is_none();
    let is_web = matches!(url.scheme(), "https" | "http") && url.has_host() && anonymous;
    is_web.then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_noun_in_the_right_number() {
        assert_eq!(count(0, "tenant"), "0 tenants");
        assert_eq!(count(1, "tenant"), "1 tenant");
        assert_eq!(count(21_u64, "day"), "21 days");
        assert_eq!(count("0.5", "point"), "0.5 points");
        assert_eq!(noun(1, "claim"), "claim");
        assert_eq!(noun(2, "claim"), "claims");
    }
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    /// As Entra creates them.
    const SECRET: &str = "aB3~x<y&z-0123456789_tail-of-it.Kq8Q~Ww";

    fn in_base64(text: &str) -> String {
        BASE64_STANDARD.encode(text)
    }

    #[test]
    fn an_echoed_secret_is_left_out_in_every_encoding() {
        let each = |encode: &dyn Fn(u8) -> String| SECRET.bytes().map(encode).collect::<String>();
        let forms = [
            SECRET.to_owned(),
            in_base64(SECRET),
            in_base64(&format!(".{SECRET}")),
            in_base64(&format!("..{SECRET}")),
            in_base64(&format!("grant_type=x&client_secret={SECRET}&scope=y")),
            in_base64(&format!("an-id:{SECRET}")),
            BASE64_URL_SAFE_NO_PAD.encode(SECRET),
            each(&|byte| format!("{byte:02x}")),
            each(&|byte| format!("{byte:02X}")),
            each(&|byte| format!("%{byte:02X}")),
            each(&|byte| format!("&#{byte};")),
            each(&|byte| format!("&#x{byte:x};")),
            each(&|byte| format!("\\u{byte:04x}")),
            SECRET.replace('<', "&lt;").replace('&', "&amp;"),
            SECRET.chars().rev().collect(),
        ];
        for form in forms {
            for echo in [
                form.clone(),
                format!("client_secret={form}&scope=y"),
                format!("'{form}'."),
                form.chars().skip(2).collect(),
                form.chars().take(form.len() - 2).collect(),
            ] {
                let shown = redact(&format!("AADSTS900144: {echo} is wrong"), &[SECRET]);
                assert!(
                    ["AADSTS900144: … is wrong", WITHHELD].contains(&shown.as_str()),
                    "{echo}: {shown}"
                );
            }
        }
    }

    #[test]
    fn a_secret_of_plain_words_is_left_out_as_it_is() {
        let secret = "correct horse battery staple";
        for (echo, shown) in [
            (
                "the word correct horse battery staple is wrong",
                "the word … is wrong",
            ),
            ("the word correct horse batt", WITHHELD),
        ] {
            assert_eq!(redact(echo, &[secret]), shown);
        }
    }

    #[test]
    fn what_a_server_says_in_words_is_shown() {
        let text = "AADSTS700016: Application with identifier '11111111-2222-3333-4444-555555555555' was not found in the directory 'Contoso'. This can happen (AccessDenied).";
        let shown = "AADSTS700016: Application with identifier … was not found in the directory 'Contoso'. This can happen (AccessDenied).";
        assert_eq!(redact(text, &[SECRET]), shown);
        assert_eq!(redact(text, &[]), text);
        for code in [
            "invalid_client",
            "InvalidAuthenticationToken",
            "accessDenied",
            "a",
        ] {
            assert_eq!(redact(code, &[SECRET]), code);
        }
        for other in [
            "aB",
            "ABc",
            "a_b",
            "_",
            "AADSTS",
            "AADSTS12345678901",
            "ünder",
        ] {
            assert_eq!(redact(other, &[SECRET]), OMITTED, "{other}");
        }
        assert!(is_plain_name("application/octet-stream") && is_plain_name("evil.example"));
        assert!(!is_plain_name("") && !is_plain_name("a1.example"));
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
    fn where_no_secret_was_sent_only_tokens_are_replaced() {
        let text = "Identity 42 not found: Bearer eyJhbGciOi.x.y end";
        let shown = "Identity 42 not found: Bearer <token> end";
        assert_eq!(redact(text, &[""]), shown);
    }

    #[test]
    fn only_a_web_address_is_safe_in_a_link() {
        for address in ["https://security.microsoft.com/x?y#z", "HTTP://a.example"] {
            assert!(web_url(address).is_some(), "{address}");
        }
        for address in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//a.example",
            "https://",
            "https://microsoft.com@evil.example/",
            "",
        ] {
            assert!(web_url(address).is_none(), "{address}");
        }
    }
}
