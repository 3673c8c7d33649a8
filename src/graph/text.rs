//! Texts and dates from outside, made fit to print.

use secure_score_model::Timestamp;

/// What a date of Graph's says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Date {
    /// A moment.
    At(Timestamp),
    /// The zero date of .NET, which means that there is none.
    Never,
    /// No date.
    Unreadable,
}

/// Secure Score began in 2017; what lies outside these years is a fault.
const BELIEVABLE_YEARS: std::ops::Range<i16> = 2010..2150;

/// Reads an RFC 3339 date with any number of fractional digits; one without
/// an offset is UTC, as all of Graph's are.
pub(super) fn date(text: &str) -> Date {
    if text.starts_with("0001-01-01") {
        return Date::Never;
    }
    let parsed = text.parse::<jiff::Timestamp>().or_else(|_| {
        let civil: jiff::civil::DateTime = text.parse()?;
        Ok::<_, jiff::Error>(civil.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
    });
    match parsed {
        Ok(time) if believable(time) => i64::try_from(time.as_nanosecond())
            .map_or(Date::Unreadable, |nanos| {
                Date::At(Timestamp::from_nanos(nanos))
            }),
        _ => Date::Unreadable,
    }
}

fn believable(time: jiff::Timestamp) -> bool {
    BELIEVABLE_YEARS.contains(&time.to_zoned(jiff::tz::TimeZone::UTC).year())
}

/// A text without control characters and with plain blanks, at most `longest`
/// bytes.
pub(super) fn printable(text: &str, longest: usize) -> String {
    let clean = tidy(text);
    match start(&clean, longest) {
        whole if whole.len() == clean.len() => clean,
        cut => format!("{cut}…"),
    }
}

/// A text on one line: every run of blanks and control characters, Graph's
/// narrow no-break spaces among them, becomes one blank. Characters that turn
/// the direction of writing go: with them a name can be made to read as
/// another.
pub(super) fn tidy(text: &str) -> String {
    text.replace(turns_writing, "")
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a text shows as what it is, wherever it is printed.
pub(super) fn is_printable(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() || turns_writing(c))
}

fn turns_writing(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A piece of a secret this long, in bytes, is no accident.
const TELLING: usize = 12;

/// What is told in place of a text that holds a piece of a secret: cut off, or
/// escaped in a way that left the piece alone.
const WITHHELD: &str = "<withheld, since it repeats a part of a secret>";

/// Of more than this nothing is told, so nothing is searched either.
const LONGEST_SEARCHED: usize = 8 * 1024;

/// The first bytes of a text, up to where a character ends.
fn start(text: &str, longest: usize) -> &str {
    let ends = (0..=longest.min(text.len())).rev();
    let mut starts = ends.filter_map(|end| text.get(..end));
    starts.next().unwrap_or_default()
}

fn is_pieced(text: &str, secret: &str) -> bool {
    let mut pieces = secret.as_bytes().windows(TELLING);
    text.len() >= TELLING
        && pieces.any(|piece| memchr::memmem::find(text.as_bytes(), piece).is_some())
}

/// A text without what must not be told: secrets that are known, and whatever
/// looks like a token. A proxy in between may echo a request in its refusal.
pub(super) fn scrubbed(text: &str, secrets: &[&str]) -> String {
    let mut clean = start(text, LONGEST_SEARCHED).to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        clean = clean.replace(secret, "<secret>");
    }
    if secrets.iter().any(|secret| is_pieced(&clean, secret)) {
        return WITHHELD.to_owned();
    }
    let words = clean.split(' ').map(|word| match word.contains("eyJ") {
        true => "<token>",
        false => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_cut_or_escaped_takes_its_text_with_it() {
        let secret = "aB3~x<y&z-0123456789_tail-of-it";
        for text in [
            "what: aB3~x&lt;y&amp;z-0123456789_tail-of-it",
            "client_secret=aB3~x<y&z-0123",
            "…0123456789_tail-of-it",
        ] {
            assert_eq!(scrubbed(text, &[secret]), WITHHELD, "{text}");
        }
        let harmless = "the secret aB3~x is wrong";
        assert_eq!(scrubbed(harmless, &[secret]), harmless);
        let whole = format!("secret {secret} is wrong");
        assert_eq!(scrubbed(&whole, &[secret]), "secret <secret> is wrong");
    }

    fn at(text: &str) -> i64 {
        match date(text) {
            Date::At(time) => time.nanos(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn seven_fractional_digits_keep_their_order() {
        assert_eq!(
            at("2026-11-20T08:15:30.1234568Z") - at("2026-11-20T08:15:30.1234567Z"),
            100
        );
    }

    #[test]
    fn a_date_without_an_offset_is_utc() {
        assert_eq!(at("2026-11-20T08:15:30"), at("2026-11-20T08:15:30Z"));
        assert_eq!(at("2026-11-20T10:15:30+02:00"), at("2026-11-20T08:15:30Z"));
    }

    #[test]
    fn the_zero_date_is_none_and_garbage_is_unreadable() {
        assert_eq!(date("0001-01-01T00:00:00Z"), Date::Never);
        for garbage in [
            "",
            "yesterday",
            "9999-12-31T00:00:00Z",
            "1970-01-01T00:00:00Z",
        ] {
            assert_eq!(date(garbage), Date::Unreadable, "{garbage}");
        }
    }

    #[test]
    fn texts_become_one_printable_line() {
        assert_eq!(tidy(" a\u{202f}b\r\n\u{7}c "), "a b c");
        assert_eq!(printable("ääää", 5), "ää…");
        assert_eq!(tidy("moc.elive\u{202e}@a"), "moc.elive@a");
    }

    #[test]
    fn an_echo_does_not_tell_the_secret() {
        let echo = "bad body client_secret=hush-hush and Bearer eyJhbGciOi.x.y end";
        let told = scrubbed(echo, &["hush-hush", ""]);
        assert_eq!(
            told,
            "bad body client_secret=<secret> and Bearer <token> end"
        );
    }
}
