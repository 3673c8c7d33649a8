//! Content negotiation for scrapes, probes and the API: lists with q-values, as
//! `Accept` and `Accept-Encoding` hold them (RFC 9110).

use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName};
use std::borrow::Cow;
use std::cmp::Reverse;

/// A q-value in thousandths: it compares without rounding.
type Quality = u16;

const MAX_QUALITY: Quality = 1_000;

/// One element of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference<'a> {
    /// What stands before the first semicolon.
    value: &'a str,
    /// The parameters other than `q`.
    parameters: Vec<(&'a str, Cow<'a, str>)>,
    /// 0 excludes the value.
    quality: Quality,
}

impl Preference<'_> {
    /// The value of a parameter; names are case-insensitive.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }
}

/// The valid elements of a list, in their order.
///
/// An element with an invalid q-value is left out. The worst result is the
/// oldest format or an uncompressed body, which every client can read.
pub fn preferences(list: &str) -> Vec<Preference<'_>> {
    split_unquoted(list, ',')
        .filter_map(parse_element)
        .collect()
}

fn parse_element(element: &str) -> Option<Preference<'_>> {
    let mut fields = split_unquoted(element, ';').map(str::trim);
    let value = fields.next().filter(|value| !value.is_empty())?;
    let mut quality = MAX_QUALITY;
    let mut parameters = Vec::new();
    for (name, text) in fields.filter_map(|field| field.split_once('=')) {
        let (name, text) = (name.trim(), text.trim());
        if name.eq_ignore_ascii_case("q") {
            quality = parse_quality(text)?;
        } else {
            parameters.push((name, unquote(text)));
        }
    }
    Some(Preference {
        value,
        parameters,
        quality,
    })
}

/// Rounded up, so that a tiny q-value does not become 0, an exclusion.
fn parse_quality(text: &str) -> Option<Quality> {
    let share: f32 = text.parse().ok()?;
    (0.0..=1.0)
        .contains(&share)
        .then(|| (share * f32::from(MAX_QUALITY)).ceil() as Quality)
}

fn unquote(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(inner) if inner.contains('\\') => Cow::Owned(inner.replace('\\', "")),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(text),
    }
}

/// Splits at a separator that is not inside double quotes.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character| {
        if quoted && escaped {
            escaped = false;
        } else if quoted && character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        }
        !quoted && character == separator
    })
}

/// A media type that the server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaType {
    /// Such as `text/plain`.
    pub name: &'static str,
    /// The `version` parameter that a client may ask for.
    pub version: Option<&'static str>,
}

impl MediaType {
    /// How exactly a media range names this type; nothing where it does not.
    fn specificity(self, range: &Preference<'_>) -> Option<u8> {
        let (kind, subtype) = range.value.split_once('/')?;
        let (own_kind, own_subtype) = self.name.split_once('/')?;
        match (kind.trim(), subtype.trim()) {
            ("*", "*") => Some(0),
            (kind, _) if !kind.eq_ignore_ascii_case(own_kind) => None,
            (_, "*") => Some(1),
            (_, subtype) if !subtype.eq_ignore_ascii_case(own_subtype) => None,
            _ => match self.version.zip(range.parameter("version")) {
                None => Some(2),
                Some((own, version)) => (own == version).then_some(3),
            },
        }
    }

    /// The range that names this type most exactly, the first of equals.
    fn best<'r, 'a>(self, ranges: &'r [Preference<'a>]) -> Option<(u8, usize, &'r Preference<'a>)> {
        let naming = ranges.iter().enumerate();
        naming
            .filter_map(|(place, range)| Some((self.specificity(range)?, place, range)))
            .max_by_key(|(specificity, place, _)| (*specificity, Reverse(*place)))
    }
}

/// The offer that a client prefers, and the range that names it.
///
/// The highest q-value wins. Among equals the type that is named more exactly
/// wins, then the one named first, then the one offered first.
pub fn preferred<'o, 'r, 'a, T>(
    ranges: &'r [Preference<'a>],
    offered: &'o [T],
    media_type: impl Fn(&T) -> MediaType,
) -> Option<(&'o T, &'r Preference<'a>)> {
    let accepted = offered.iter().enumerate().filter_map(|(rank, offer)| {
        let (specificity, place, range) = media_type(offer).best(ranges)?;
        let key = (range.quality, specificity, Reverse(place), Reverse(rank));
        (range.quality > 0).then_some((key, offer, range))
    });
    let best = accepted.max_by_key(|(key, ..)| *key);
    best.map(|(_, offer, range)| (offer, range))
}

/// The `Accept` header of a request as one list.
pub fn accept(headers: &HeaderMap) -> String {
    joined(headers, &ACCEPT)
}

/// Whether the `Accept-Encoding` header asks for gzip.
///
/// Without the header the body is sent uncompressed, and also where neither
/// gzip nor `identity` is acceptable.
pub fn wants_gzip(headers: &HeaderMap) -> bool {
    let list = joined(headers, &ACCEPT_ENCODING);
    let codings = preferences(&list);
    let gzip = quality_of(&codings, &["gzip", "x-gzip"])
        .or_else(|| quality_of(&codings, &["*"]))
        .unwrap_or(0);
    gzip > 0 && gzip >= quality_of(&codings, &["identity"]).unwrap_or(0)
}

/// Whether the `Accept-Encoding` header allows an uncompressed body, as most do by
/// not excluding it.
pub fn allows_identity(headers: &HeaderMap) -> bool {
    let list = joined(headers, &ACCEPT_ENCODING);
    let codings = preferences(&list);
    let identity = quality_of(&codings, &["identity"]).or_else(|| quality_of(&codings, &["*"]));
    identity.is_none_or(|quality| quality > 0)
}

/// The lowest of several mentions, so that one exclusion holds.
fn quality_of(codings: &[Preference<'_>], names: &[&str]) -> Option<Quality> {
    codings
        .iter()
        .filter(|coding| names.iter().any(|n| coding.value.eq_ignore_ascii_case(n)))
        .map(|coding| coding.quality)
        .min()
}

/// A header sent in several lines is one list. Bytes that are not UTF-8 cannot
/// be part of a known name, so replacing them does no harm.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    lines.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    fn headers(accept: &str) -> HeaderMap {
        let value = HeaderValue::from_str(accept).unwrap();
        HeaderMap::from_iter([(ACCEPT_ENCODING, value)])
    }

    fn gzip(accept: &str) -> bool {
        wants_gzip(&headers(accept))
    }

    #[test]
    fn an_uncompressed_body_is_allowed_where_it_is_not_excluded() {
        for yes in ["", "gzip", "*", "gzip, identity;q=0.1", "*;q=0, identity"] {
            assert!(allows_identity(&headers(yes)), "{yes}");
        }
        for no in ["identity;q=0", "gzip, identity;q=0", "gzip, *;q=0"] {
            assert!(!allows_identity(&headers(no)), "{no}");
        }
        assert!(allows_identity(&HeaderMap::new()));
    }

    #[test]
    fn gzip_is_used_when_it_is_wanted_at_least_as_much() {
        for yes in [
            "gzip",
            "GZIP",
            "x-gzip",
            "gzip, gzip",
            "*",
            "deflate, gzip;q=0.5",
            "identity;q=0, *",
            "identity;q=0.5, gzip",
            "br;q=1, *;q=0.1",
            "gzip;q=0.001",
        ] {
            assert!(gzip(yes), "{yes}");
        }
        for no in [
            "",
            "identity",
            "gzip;q=0",
            "*;q=0",
            "gzip;q=0, *",
            "identity, gzip;q=0.5",
            "br, zstd",
            "gzip;q=maybe",
            "gzip, gzip;q=0",
            "identity;q=0",
            "gzipped",
        ] {
            assert!(!gzip(no), "{no}");
        }
    }

    fn qualities(list: &str) -> Vec<(&str, Quality)> {
        preferences(list)
            .iter()
            .map(|c| (c.value, c.quality))
            .collect()
    }

    #[test]
    fn elements_have_their_q_value_in_thousandths() {
        let missing = qualities("gzip , br;q=0.5,*; Q=0");
        assert_eq!(missing, [("gzip", 1_000), ("br", 500), ("*", 0)]);
        let invalid = "a;q=x, b;q=, c;q=1.1, d;q=-1, e;q=nan, f;q=inf, , ;q=1, g";
        assert_eq!(qualities(invalid), [("g", 1_000)]);
        assert_eq!(qualities("a;q=0.0001"), [("a", 1)], "not an exclusion");
    }

    #[test]
    fn a_comma_inside_quotes_does_not_split() {
        let list = preferences(r#"text/plain;note="a,b;c\"d";version="0.0.4", next"#);
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].parameter("NOTE"), Some(r#"a,b;c"d"#));
        assert_eq!(list[0].parameter("version"), Some("0.0.4"));
    }

    proptest! {
        #[test]
        fn excluded_gzip_is_never_sent(before in "[a-z*;=0-9., ]{0,40}", after in "[a-z*;=0-9., ]{0,40}") {
            let list = format!("{before},gzip;q=0,{after}");
            prop_assert!(!gzip(&list));
        }
    }
}
