//! The format a client gets.

use crate::http::negotiate::joined;
use crate::http::weighted::{Choice, choices};
use hyper::header::{ACCEPT, HeaderMap};
use std::cmp::Reverse;

/// A format the API writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    Csv,
}

impl Media {
    /// The name a client asks for it by.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
        }
    }

    /// What an answer is labelled with.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// The format for an `Accept` header, if any will do.
    ///
    /// The q-values decide. Of equals, the one named more exactly, then the
    /// one named first, then the one offered first. Unlike a scrape, an export
    /// in another format than was asked for would be of no use.
    pub(super) fn wanted(headers: &HeaderMap, offered: &[Self]) -> Option<Self> {
        let accept = joined(headers, &ACCEPT);
        let ranges = choices(&accept);
        if ranges.is_empty() {
            return offered.first().copied();
        }
        let fitting = offered.iter().enumerate().filter_map(|(rank, media)| {
            let (specificity, place, range) = media.best(&ranges)?;
            let key = (range.weight, specificity, Reverse(place), Reverse(rank));
            (range.weight > 0).then_some((key, *media))
        });
        let best = fitting.max_by_key(|(key, _)| *key);
        best.map(|(_, media)| media)
    }

    /// The range that speaks about this format most exactly.
    fn best<'r, 'a>(self, ranges: &'r [Choice<'a>]) -> Option<(u8, usize, &'r Choice<'a>)> {
        let fitting = ranges.iter().enumerate();
        fitting
            .filter_map(|(place, range)| Some((self.specificity(range.value)?, place, range)))
            .max_by_key(|(specificity, place, _)| (*specificity, Reverse(*place)))
    }

    fn specificity(self, range: &str) -> Option<u8> {
        let (kind, subtype) = range.split_once('/')?;
        let (our_kind, our_subtype) = self.name().split_once('/')?;
        match (kind.trim(), subtype.trim()) {
            ("*", "*") => Some(0),
            (kind, "*") if kind.eq_ignore_ascii_case(our_kind) => Some(1),
            (kind, subtype)
                if kind.eq_ignore_ascii_case(our_kind)
                    && subtype.eq_ignore_ascii_case(our_subtype) =>
            {
                Some(2)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn wanted(accept: &'static str) -> Option<Media> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        Media::wanted(&headers, &[Media::Json, Media::Csv])
    }

    #[test]
    fn who_takes_anything_gets_json() {
        assert_eq!(
            Media::wanted(&HeaderMap::new(), &[Media::Json, Media::Csv]),
            Some(Media::Json)
        );
        for accept in ["", "*/*", "text/html, */*;q=0.8", ";;", "application/*"] {
            assert_eq!(wanted(accept), Some(Media::Json), "{accept}");
        }
    }

    #[test]
    fn the_weights_decide_and_then_the_more_exact_name() {
        for accept in [
            "text/csv",
            "TEXT/CSV; header=present",
            "text/*",
            "application/json;q=0.5, text/csv",
            "*/*, text/csv",
            "application/json;q=0, */*",
            "text/csv, application/json",
        ] {
            assert_eq!(wanted(accept), Some(Media::Csv), "{accept}");
        }
        assert_eq!(wanted("text/csv;q=0.1, */*;q=0.2"), Some(Media::Json));
        assert_eq!(wanted("application/json, text/csv"), Some(Media::Json));
    }

    #[test]
    fn nothing_is_sent_that_was_not_asked_for() {
        for accept in ["text/html", "application/xml, image/*", "*/*;q=0"] {
            assert_eq!(wanted(accept), None, "{accept}");
        }
    }
}
