//! The formats that the API writes.

use crate::http_types::{MediaType, accept, preferences, preferred};
use hyper::header::HeaderMap;

/// A format that the API writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiFormat {
    Json,
    Csv,
}

impl ApiFormat {
    /// The name that a client accepts it by.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
        }
    }

    /// The `Content-Type` of a response.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// The format for an `Accept` header, if one is acceptable.
    ///
    /// Unlike a scrape, an export in another format than the requested one would
    /// be useless.
    pub(super) fn negotiated(headers: &HeaderMap, offered: &[Self]) -> Option<Self> {
        let list = accept(headers);
        let ranges = preferences(&list);
        if ranges.is_empty() {
            return offered.first().copied();
        }
        let best = preferred(&ranges, offered, |it| MediaType {
            name: it.name(),
            version: None,
        });
        best.map(|(format, _)| *format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{ACCEPT, HeaderValue};

    #[test]
    fn the_q_values_decide_and_then_the_more_exact_name() {
        let (json, csv) = (Some(ApiFormat::Json), Some(ApiFormat::Csv));
        let negotiated =
            |headers| ApiFormat::negotiated(&headers, &[ApiFormat::Json, ApiFormat::Csv]);
        assert_eq!(negotiated(HeaderMap::new()), json);
        for (accept, expected) in [
            ("", json),
            ("*/*", json),
            ("text/html, */*;q=0.8", json),
            (";;", json),
            ("application/*", json),
            ("text/csv;q=0.1, */*;q=0.2", json),
            ("application/json, text/csv", json),
            ("text/csv", csv),
            ("TEXT/CSV; header=present", csv),
            ("text/*", csv),
            ("application/json;q=0.5, text/csv", csv),
            ("*/*, text/csv", csv),
            ("application/json;q=0, */*", csv),
            ("text/csv, application/json", csv),
            ("text/html", None),
            ("application/xml, image/*", None),
            ("*/*;q=0", None),
        ] {
            let accepts = [(ACCEPT, HeaderValue::from_static(accept))];
            assert_eq!(
                negotiated(HeaderMap::from_iter(accepts)),
                expected,
                "{accept}"
            );
        }
    }
}
