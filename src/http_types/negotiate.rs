//! Content negotiation for scrapes, probes and the API.

use super::qvalue::{Preference, Quality, preferences};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName};
use std::cmp::Reverse;

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
pub fn preferred<'r, 'a, T: Copy>(
    ranges: &'r [Preference<'a>],
    offered: &[T],
    media_type: impl Fn(T) -> MediaType,
) -> Option<(T, &'r Preference<'a>)> {
    let accepted = offered.iter().enumerate().filter_map(|(rank, offer)| {
        let (specificity, place, range) = media_type(*offer).best(ranges)?;
        let key = (range.quality, specificity, Reverse(place), Reverse(rank));
        (range.quality > 0).then_some((key, *offer, range))
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

    fn gzip(accept: &str) -> bool {
        let value = HeaderValue::from_str(accept).unwrap();
        wants_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, value)]))
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

    proptest! {
        #[test]
        fn excluded_gzip_is_never_sent(before in "[a-z*;=0-9., ]{0,40}", after in "[a-z*;=0-9., ]{0,40}") {
            let list = format!("{before},gzip;q=0,{after}");
            prop_assert!(!gzip(&list));
        }
    }
}
