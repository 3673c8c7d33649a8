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

    const fn media_type(self) -> MediaType {
        MediaType {
            name: self.name(),
            version: None,
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
        preferred(&ranges, offered, Self::media_type).map(|(format, _)| format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{ACCEPT, HeaderValue};

    const BOTH: [ApiFormat; 2] = [ApiFormat::Json, ApiFormat::Csv];

    fn negotiated(accept: &'static str) -> Option<ApiFormat> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        ApiFormat::negotiated(&headers, &BOTH)
    }

    #[test]
    fn a_client_that_accepts_anything_gets_json() {
        let absent = ApiFormat::negotiated(&HeaderMap::new(), &BOTH);
        assert_eq!(absent, Some(ApiFormat::Json));
        for accept in ["", "*/*", "text/html, */*;q=0.8", ";;", "application/*"] {
            assert_eq!(negotiated(accept), Some(ApiFormat::Json), "{accept}");
        }
    }

    #[test]
    fn the_q_values_decide_and_then_the_more_exact_name() {
        for accept in [
            "text/csv",
            "TEXT/CSV; header=present",
            "text/*",
            "application/json;q=0.5, text/csv",
            "*/*, text/csv",
            "application/json;q=0, */*",
            "text/csv, application/json",
        ] {
            assert_eq!(negotiated(accept), Some(ApiFormat::Csv), "{accept}");
        }
        for accept in ["text/csv;q=0.1, */*;q=0.2", "application/json, text/csv"] {
            assert_eq!(negotiated(accept), Some(ApiFormat::Json), "{accept}");
        }
    }

    #[test]
    fn no_format_is_sent_that_is_not_acceptable() {
        for accept in ["text/html", "application/xml, image/*", "*/*;q=0"] {
            assert_eq!(negotiated(accept), None, "{accept}");
        }
    }
}
