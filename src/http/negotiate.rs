//! What a client gets: which format, and compressed or not.
//!
//! There is no 406: a client whose wishes cannot be met gets the oldest text
//! format, uncompressed, since a scrape that fails over a header hides every
//! tenant at once.

use super::weighted::{Choice, Weight, choices};
use hyper::header::{HeaderMap, HeaderName};
use secure_score_exposition::Format;
use std::cmp::Reverse;

/// How a scrape is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Representation {
    /// The format the lines are in.
    pub(super) format: Format,
    /// The name the client asked for it by.
    pub(super) content_type: &'static str,
}

/// A format as clients name it: two of them have an older name, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Text0,
    OpenMetrics1,
    OpenMetrics0,
    Text1,
}

impl Dialect {
    /// In the order we offer them to somebody who takes anything: a person
    /// with a browser or `curl` reads the old text format best.
    const OFFERED: [Self; 4] = [
        Self::Text0,
        Self::OpenMetrics1,
        Self::OpenMetrics0,
        Self::Text1,
    ];

    const fn media(self) -> (&'static str, &'static str) {
        match self {
            Self::Text0 | Self::Text1 => ("text", "plain"),
            Self::OpenMetrics1 | Self::OpenMetrics0 => ("application", "openmetrics-text"),
        }
    }

    const fn version(self) -> &'static str {
        match self {
            Self::Text0 => "0.0.4",
            Self::Text1 | Self::OpenMetrics1 => "1.0.0",
            Self::OpenMetrics0 => "0.0.1",
        }
    }

    /// The answer in this dialect.
    ///
    /// Our names hold letters, digits and underscores only, so both `escaping`
    /// schemes named here leave them as they are. `dots` would double the
    /// underscores, and is never claimed.
    fn representation(self, escaping: Option<&str>) -> Representation {
        let utf8 = escaping.is_some_and(|scheme| scheme.eq_ignore_ascii_case("allow-utf-8"));
        let (format, content_type) = match (self, utf8) {
            (Self::Text0, _) => (Format::Text, Format::Text.content_type()),
            (Self::Text1, false) => (
                Format::Text,
                "text/plain; version=1.0.0; charset=utf-8; escaping=underscores",
            ),
            (Self::Text1, true) => (
                Format::Text,
                "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
            ),
            (Self::OpenMetrics0, _) => (
                Format::OpenMetrics,
                "application/openmetrics-text; version=0.0.1; charset=utf-8",
            ),
            (Self::OpenMetrics1, false) => (
                Format::OpenMetrics,
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            ),
            (Self::OpenMetrics1, true) => (
                Format::OpenMetrics,
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
            ),
        };
        Representation {
            format,
            content_type,
        }
    }

    /// How exactly a media range names this dialect; nothing when it does not.
    fn specificity(self, range: &Choice<'_>) -> Option<u8> {
        let (kind, subtype) = range.value.split_once('/')?;
        let (our_kind, our_subtype) = self.media();
        match (kind.trim(), subtype.trim()) {
            ("*", "*") => Some(0),
            (kind, "*") if kind.eq_ignore_ascii_case(our_kind) => Some(1),
            (kind, subtype)
                if kind.eq_ignore_ascii_case(our_kind)
                    && subtype.eq_ignore_ascii_case(our_subtype) =>
            {
                match range.parameter("version") {
                    None => Some(2),
                    Some(version) => (version == self.version()).then_some(3),
                }
            }
            _ => None,
        }
    }

    /// The range that speaks about this dialect most exactly, and how exactly.
    fn best<'r, 'a>(self, ranges: &'r [Choice<'a>]) -> Option<(u8, usize, &'r Choice<'a>)> {
        ranges
            .iter()
            .enumerate()
            .filter_map(|(place, range)| Some((self.specificity(range)?, place, range)))
            .max_by_key(|(specificity, place, _)| (*specificity, Reverse(*place)))
    }
}

/// The format for an `Accept` header.
///
/// The q-values decide. Of equals, the one named more exactly, then the one
/// named first, then the one we would rather send.
pub(super) fn representation(headers: &HeaderMap) -> Representation {
    let accept = joined(headers, &hyper::header::ACCEPT);
    let ranges = choices(&accept);
    Dialect::OFFERED
        .into_iter()
        .enumerate()
        .filter_map(|(rank, dialect)| {
            let (specificity, place, range) = dialect.best(&ranges)?;
            let key = (range.weight, specificity, Reverse(place), Reverse(rank));
            (range.weight > 0).then_some((key, dialect, range))
        })
        .max_by_key(|(key, ..)| *key)
        .map_or_else(
            || Dialect::Text0.representation(None),
            |(_, dialect, range)| dialect.representation(range.parameter("escaping")),
        )
}

/// Whether the body is to be compressed, by the `Accept-Encoding` header.
///
/// Without the header nothing is: a client that can, says so. One that refuses
/// even the plain body and offers nothing we have gets the plain body.
pub(super) fn wants_gzip(headers: &HeaderMap) -> bool {
    let accept = joined(headers, &hyper::header::ACCEPT_ENCODING);
    let codings = choices(&accept);
    let gzip = weight_of(&codings, &["gzip", "x-gzip"])
        .or_else(|| weight_of(&codings, &["*"]))
        .unwrap_or(0);
    let identity = weight_of(&codings, &["identity"]).unwrap_or(0);
    gzip > 0 && gzip >= identity
}

/// The least gladly of several mentions: whoever refuses once means it.
fn weight_of(codings: &[Choice<'_>], names: &[&str]) -> Option<Weight> {
    codings
        .iter()
        .filter(|coding| names.iter().any(|n| coding.value.eq_ignore_ascii_case(n)))
        .map(|coding| coding.weight)
        .min()
}

/// A header sent in several lines is one list. Bytes that are no text cannot
/// be part of any name we know, so it does no harm that they are replaced.
pub(super) fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
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
    use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue};
    use proptest::prelude::*;

    const PROMETHEUS_2_42: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    const BROWSER: &str =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    fn with(name: HeaderName, value: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
        headers
    }

    fn content_type(accept: &str) -> &'static str {
        representation(&with(ACCEPT, accept.as_bytes())).content_type
    }

    fn gzip(accept: &str) -> bool {
        wants_gzip(&with(ACCEPT_ENCODING, accept.as_bytes()))
    }

    #[test]
    fn prometheus_of_either_age_gets_openmetrics() {
        assert_eq!(
            content_type(PROMETHEUS_2_42),
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
        );
        assert_eq!(
            content_type(PROMETHEUS_3),
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
        );
    }

    #[test]
    fn who_takes_anything_or_nothing_of_ours_gets_the_old_text_format() {
        let text = Format::Text.content_type();
        for accept in [
            "",
            "*/*",
            BROWSER,
            "text/*",
            "application/json",
            "*/*;q=0",
            ";;,=,",
        ] {
            assert_eq!(content_type(accept), text, "{accept}");
        }
        assert_eq!(representation(&HeaderMap::new()).content_type, text);
    }

    #[test]
    fn the_weights_decide_whatever_the_order() {
        assert!(
            content_type("text/plain;q=0.4,application/openmetrics-text;q=0.5")
                .starts_with("application/")
        );
        assert!(
            content_type("application/openmetrics-text;q=0.4,text/plain;q=0.5")
                .starts_with("text/")
        );
        assert!(
            content_type("application/openmetrics-text;q=0.4,text/plain;q=0.4")
                .starts_with("application/")
        );
    }

    #[test]
    fn a_weight_of_zero_excludes_even_what_a_wildcard_allows() {
        assert!(content_type("text/plain;q=0,*/*").starts_with("application/openmetrics-text"));
        assert!(content_type("application/openmetrics-text;q=0,*/*;q=0.1").starts_with("text/"));
        assert!(
            content_type(
                "application/openmetrics-text;version=1.0.0;q=0,application/openmetrics-text"
            )
            .contains("version=0.0.1")
        );
    }

    #[test]
    fn a_version_is_answered_by_its_own_name() {
        for (accept, version) in [
            ("application/openmetrics-text", "version=1.0.0"),
            (
                "application/openmetrics-text;version=0.0.1",
                "version=0.0.1",
            ),
            (
                "application/openmetrics-text; Version=\"1.0.0\"",
                "version=1.0.0",
            ),
            ("text/plain", "version=0.0.4"),
            ("TEXT/Plain;version=1.0.0", "version=1.0.0"),
            (
                "application/openmetrics-text;version=2.0.0",
                "version=0.0.4",
            ),
        ] {
            assert!(content_type(accept).contains(version), "{accept}");
        }
    }

    #[test]
    fn only_a_true_escaping_is_claimed() {
        let asked = |scheme| {
            content_type(match scheme {
                0 => "text/plain;version=1.0.0;escaping=dots",
                1 => "text/plain;version=1.0.0;escaping=allow-utf-8",
                _ => "text/plain;version=1.0.0;escaping=<b>",
            })
        };
        assert!(asked(0).ends_with("escaping=underscores"));
        assert!(asked(1).ends_with("escaping=allow-utf-8"));
        assert!(asked(2).ends_with("escaping=underscores"));
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

    #[test]
    fn several_lines_of_a_header_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("text/plain;q=0.1"));
        headers.append(
            ACCEPT,
            HeaderValue::from_static("application/openmetrics-text"),
        );
        assert_eq!(representation(&headers).format, Format::OpenMetrics);
    }

    proptest! {
        #[test]
        fn no_header_can_stop_us(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = representation(&with(ACCEPT, &bytes));
            let _ = wants_gzip(&with(ACCEPT_ENCODING, &bytes));
        }

        #[test]
        fn no_list_of_plausible_pieces_can_stop_us(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "text/plain", "application/openmetrics-text", "*/*", "gzip", "identity", "*",
                    ";q=", "0", "0.5", "1", ",", ";", "=", "\"", "\\", ";version=", "1.0.0", "é", "q",
                ]),
                0..40,
            ),
        ) {
            let list = pieces.concat();
            let _ = representation(&with(ACCEPT, list.as_bytes()));
            let _ = wants_gzip(&with(ACCEPT_ENCODING, list.as_bytes()));
        }

        #[test]
        fn whoever_refuses_gzip_never_gets_it(before in "[a-z*;=0-9., ]{0,40}", after in "[a-z*;=0-9., ]{0,40}") {
            let list = format!("{before},gzip;q=0,{after}");
            prop_assert!(!gzip(&list));
        }

        #[test]
        fn of_two_formats_the_heavier_wins(text in 1_u16..=1000, open in 1_u16..=1000) {
            prop_assume!(text != open);
            let share = |weight: u16| f32::from(weight) / 1000.0;
            let accept = format!("text/plain;q={},application/openmetrics-text;q={}", share(text), share(open));
            let expected = if text > open { Format::Text } else { Format::OpenMetrics };
            prop_assert_eq!(representation(&with(ACCEPT, accept.as_bytes())).format, expected);
        }
    }
}
