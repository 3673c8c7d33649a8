//! The formats that the API writes.

use crate::http_types::{MediaType, QueryError, accept, preferences, preferred};
use hyper::header::HeaderMap;

/// The parameter that names a format, for a link.
pub(super) const PARAMETER: &str = "format";

/// A format that the API writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiFormat {
    Json,
    Csv,
}

impl ApiFormat {
    /// The preferred one first.
    pub(super) const ALL: [Self; 2] = [Self::Json, Self::Csv];

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

    /// The format that a query names, which an `Accept` header does not change.
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Option<Self>, QueryError> {
        let mut given = pairs.iter().filter(|(name, _)| name == PARAMETER);
        let word = given.next().map_or("", |(_, word)| word);
        if given.next().is_some() {
            return Err(QueryError::new("format is given twice", "give it once"));
        }
        match word {
            "" => Ok(None),
            "json" => Ok(Some(Self::Json)),
            "csv" => Ok(Some(Self::Csv)),
            other => {
                let problem = format!("format {other:?} does not exist");
                Err(QueryError::new(problem, "the formats are json and csv"))
            }
        }
    }

    /// The format for an `Accept` header, of those offered, if one is acceptable.
    ///
    /// Unlike a scrape, an export in another format than the requested one would
    /// be useless.
    pub(super) fn negotiated(headers: &HeaderMap, offered: &[Self]) -> Option<Self> {
        let list = accept(headers);
        let ranges = preferences(&list);
        if ranges.is_empty() {
            return Some(Self::Json);
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
        let negotiated = |headers| ApiFormat::negotiated(&headers, &ApiFormat::ALL);
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
