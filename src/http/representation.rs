//! The format and encoding of a scrape.

use crate::http_types::{
    Body, MediaType, Response, accept, preferences, preferred, response, wants_gzip,
};
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};
use secure_score_exposition::Format;

/// How a scrape is answered.
///
/// There is no 406: a client whose preferences cannot be met gets the oldest
/// text format, since a scrape that fails over a header hides every tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Representation {
    /// The format of the lines.
    pub(super) format: Format,
    /// Whether the body is compressed.
    pub(super) gzip: bool,
    content_type: &'static str,
}

impl Representation {
    /// What the headers of a request ask for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let list = accept(headers);
        let ranges = preferences(&list);
        let best = preferred(&ranges, &FormatVersion::OFFERED, FormatVersion::media_type);
        let (version, escaping) = match best {
            Some((version, range)) => (version, range.parameter("escaping")),
            None => (FormatVersion::Text0, None),
        };
        Self {
            format: version.format(),
            gzip: wants_gzip(headers),
            content_type: version.content_type(escaping),
        }
    }

    /// The response with this body.
    pub(super) fn response(self, body: Body) -> Response {
        let content_type = HeaderValue::from_static(self.content_type);
        let mut response = response::new(StatusCode::OK, content_type, body);
        let headers = response.headers_mut();
        let vary = HeaderValue::from_static("Accept, Accept-Encoding");
        headers.insert(header::VARY, vary);
        if self.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// A version of a format, as clients name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FormatVersion {
    Text0,
    OpenMetrics1,
    OpenMetrics0,
    Text1,
}

impl FormatVersion {
    /// The order of preference for a client that accepts anything: a person
    /// with a browser or `curl` reads the old text format best.
    const OFFERED: [Self; 4] = [
        Self::Text0,
        Self::OpenMetrics1,
        Self::OpenMetrics0,
        Self::Text1,
    ];

    const fn media_type(self) -> MediaType {
        let (name, version) = match self {
            Self::Text0 => ("text/plain", "0.0.4"),
            Self::Text1 => ("text/plain", "1.0.0"),
            Self::OpenMetrics0 => ("application/openmetrics-text", "0.0.1"),
            Self::OpenMetrics1 => ("application/openmetrics-text", "1.0.0"),
        };
        MediaType {
            name,
            version: Some(version),
        }
    }

    const fn format(self) -> Format {
        match self {
            Self::Text0 | Self::Text1 => Format::Text,
            Self::OpenMetrics0 | Self::OpenMetrics1 => Format::OpenMetrics,
        }
    }

    /// Names hold letters, digits and underscores only, so both `escaping`
    /// schemes named here leave them unchanged. `dots` would double the
    /// underscores and is never claimed.
    fn content_type(self, escaping: Option<&str>) -> &'static str {
        let utf8 = escaping.is_some_and(|scheme| scheme.eq_ignore_ascii_case("allow-utf-8"));
        match (self, utf8) {
            (Self::Text0, _) => Format::Text.content_type(),
            (Self::Text1, false) => {
                "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
            }
            (Self::Text1, true) => "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
            (Self::OpenMetrics0, _) => "application/openmetrics-text; version=0.0.1; charset=utf-8",
            (Self::OpenMetrics1, false) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
            }
            (Self::OpenMetrics1, true) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{ACCEPT, ACCEPT_ENCODING};
    use proptest::prelude::*;

    const PROMETHEUS_2_42: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    const BROWSER: &str =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    fn representation(accept: &[u8]) -> Representation {
        let value = HeaderValue::from_bytes(accept);
        let both = value.map(|it| [(ACCEPT, it.clone()), (ACCEPT_ENCODING, it)]);
        let headers = both.into_iter().flatten().collect();
        Representation::of(&headers)
    }

    fn content_type(accept: &str) -> &'static str {
        representation(accept.as_bytes()).content_type
    }

    #[test]
    fn prometheus_2_and_3_get_openmetrics() {
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
    fn a_client_that_accepts_anything_or_nothing_offered_gets_the_old_text_format() {
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
        assert_eq!(Representation::of(&HeaderMap::new()).content_type, text);
    }

    #[test]
    fn the_q_values_decide_in_any_order() {
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
    fn a_q_value_of_zero_excludes_what_a_wildcard_allows() {
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
    fn the_content_type_names_the_requested_version() {
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
    fn only_escaping_schemes_that_hold_are_claimed() {
        for (asked, claimed) in [
            ("dots", "underscores"),
            ("allow-utf-8", "allow-utf-8"),
            ("<b>", "underscores"),
        ] {
            let answer = content_type(&format!("text/plain;version=1.0.0;escaping={asked}"));
            assert!(answer.ends_with(&format!("escaping={claimed}")), "{asked}");
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
        assert_eq!(Representation::of(&headers).format, Format::OpenMetrics);
    }

    proptest! {
        #[test]
        fn any_header_is_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = representation(&bytes);
        }

        #[test]
        fn any_list_of_plausible_pieces_is_answered(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "text/plain", "application/openmetrics-text", "*/*", "gzip", "identity", "*",
                    ";q=", "0", "0.5", "1", ",", ";", "=", "\"", "\\", ";version=", "1.0.0", "é", "q",
                ]),
                0..40,
            ),
        ) {
            let list = pieces.concat();
            let _ = representation(list.as_bytes());
        }

        #[test]
        fn of_two_formats_the_higher_q_value_wins(text in 1_u16..=1000, open in 1_u16..=1000) {
            prop_assume!(text != open);
            let share = |quality: u16| f32::from(quality) / 1000.0;
            let accept = format!("text/plain;q={},application/openmetrics-text;q={}", share(text), share(open));
            let expected = if text > open { Format::Text } else { Format::OpenMetrics };
            prop_assert_eq!(representation(accept.as_bytes()).format, expected);
        }
    }
}
