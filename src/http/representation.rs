//! The format and encoding of a scrape.

use crate::http_types::{
    Body, MediaType, Response, accept, allows_identity, preferences, preferred, response,
    wants_gzip,
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
    /// Whether the client prefers a compressed body.
    pub(super) gzip: bool,
    /// Whether the client accepts an uncompressed one.
    pub(super) identity: bool,
    content_type: &'static str,
}

impl Representation {
    /// What the headers of a request ask for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let list = accept(headers);
        let ranges = preferences(&list);
        let best = preferred(&ranges, &OFFERED, |it| MediaType {
            name: it.name,
            version: Some(it.version),
        });
        let [oldest, ..] = &OFFERED;
        let (version, escaping) = match best {
            Some((version, range)) => (version, range.parameter("escaping")),
            None => (oldest, None),
        };
        let [plain, utf8] = version.content_types;
        let wants_utf8 = escaping.is_some_and(|it| it.eq_ignore_ascii_case("allow-utf-8"));
        Self {
            format: version.format,
            gzip: wants_gzip(headers),
            identity: allows_identity(headers),
            content_type: if wants_utf8 { utf8 } else { plain },
        }
    }

    #[cfg(test)]
    pub(super) const fn gzip(format: Format, identity: bool) -> Self {
        Self {
            format,
            gzip: true,
            identity,
            content_type: format.content_type(),
        }
    }

    /// The response with this body.
    pub(super) fn response(self, encoded: EncodedBody) -> Response {
        let content_type = HeaderValue::from_static(self.content_type);
        let mut response = response::new(StatusCode::OK, content_type, encoded.body);
        let headers = response.headers_mut();
        let vary = HeaderValue::from_static("Accept, Accept-Encoding");
        headers.insert(header::VARY, vary);
        if encoded.is_gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// A body, and whether it is compressed.
pub(super) struct EncodedBody {
    pub(super) body: Body,
    pub(super) is_gzip: bool,
}

/// A version of a format, as clients name it.
struct FormatVersion {
    name: &'static str,
    version: &'static str,
    format: Format,
    /// The `Content-Type` of a response, and the one for clients that ask for
    /// `escaping=allow-utf-8`. Names hold letters, digits and underscores only,
    /// so both `escaping` schemes leave them unchanged. `dots` would double the
    /// underscores and is never claimed.
    content_types: [&'static str; 2],
}

/// The order of preference for a client that accepts anything: a person with a
/// browser or `curl` reads the old text format best.
const OFFERED: [FormatVersion; 4] = [
    FormatVersion {
        name: "text/plain",
        version: "0.0.4",
        format: Format::Text,
        content_types: [Format::Text.content_type(); 2],
    },
    FormatVersion {
        name: "application/openmetrics-text",
        version: "1.0.0",
        format: Format::OpenMetrics,
        content_types: [
            Format::OpenMetrics.content_type(),
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        ],
    },
    FormatVersion {
        name: "application/openmetrics-text",
        version: "0.0.1",
        format: Format::OpenMetrics,
        content_types: ["application/openmetrics-text; version=0.0.1; charset=utf-8"; 2],
    },
    FormatVersion {
        name: "text/plain",
        version: "1.0.0",
        format: Format::Text,
        content_types: [
            "text/plain; version=1.0.0; charset=utf-8; escaping=underscores",
            "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::ACCEPT;
    use proptest::prelude::*;

    const PROMETHEUS_2_42: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    const BROWSER: &str =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    fn representation(accept: &str) -> Representation {
        let value = HeaderValue::from_str(accept).unwrap();
        Representation::of(&HeaderMap::from_iter([(ACCEPT, value)]))
    }

    fn content_type(accept: &str) -> &'static str {
        representation(accept).content_type
    }

    #[test]
    fn the_content_type_is_what_the_client_prefers() {
        for (accept, expected) in [
            (
                PROMETHEUS_2_42,
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            ),
            (
                PROMETHEUS_3,
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
            ),
            (
                "application/openmetrics-text;q=0.4,text/plain;q=0.4",
                "application/",
            ),
            // A q-value of 0 excludes what a wildcard allows.
            ("text/plain;q=0,*/*", "application/openmetrics-text"),
            ("application/openmetrics-text;q=0,*/*;q=0.1", "text/"),
            (
                "application/openmetrics-text;version=1.0.0;q=0,application/openmetrics-text",
                "application/openmetrics-text; version=0.0.1",
            ),
            (
                "application/openmetrics-text",
                "application/openmetrics-text; version=1.0.0",
            ),
            (
                "application/openmetrics-text;version=0.0.1",
                "application/openmetrics-text; version=0.0.1",
            ),
            (
                "application/openmetrics-text; Version=\"1.0.0\"",
                "application/openmetrics-text; version=1.0.0",
            ),
            ("text/plain", "text/plain; version=0.0.4"),
            ("TEXT/Plain;version=1.0.0", "text/plain; version=1.0.0"),
            (
                "application/openmetrics-text;version=2.0.0",
                "text/plain; version=0.0.4",
            ),
        ] {
            assert!(content_type(accept).starts_with(expected), "{accept}");
        }
    }

    #[test]
    fn a_client_that_accepts_anything_or_nothing_offered_gets_the_old_text_format() {
        let text = Format::Text.content_type();
        let others = ["", "*/*", "text/*", "application/json", "*/*;q=0", ";;,=,"];
        for accept in others.into_iter().chain([BROWSER]) {
            assert_eq!(content_type(accept), text, "{accept}");
        }
        assert_eq!(Representation::of(&HeaderMap::new()).content_type, text);
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
        let lines = ["text/plain;q=0.1", "application/openmetrics-text"];
        let headers = lines.map(|line| (ACCEPT, HeaderValue::from_static(line)));
        let headers = HeaderMap::from_iter(headers);
        assert_eq!(Representation::of(&headers).format, Format::OpenMetrics);
    }

    proptest! {
        #[test]
        fn of_two_formats_the_higher_q_value_wins(text in 1_u16..=1000, open in 1_u16..=1000) {
            prop_assume!(text != open);
            let share = |quality: u16| f32::from(quality) / 1000.0;
            let (text_q, open_q) = (share(text), share(open));
            let accept = format!("text/plain;q={text_q},application/openmetrics-text;q={open_q}");
            let expected = if text > open { Format::Text } else { Format::OpenMetrics };
            prop_assert_eq!(representation(&accept).format, expected);
        }
    }
}
