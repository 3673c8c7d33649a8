//! The response to a refused request: a line for programs, a page for browsers.

use crate::http_types::{MediaType, Response, accept, preferences, preferred, response};
use crate::views;
use hyper::StatusCode;
use hyper::header::HeaderMap;

const TYPES: [MediaType; 2] = [
    MediaType {
        name: "text/plain",
        version: None,
    },
    MediaType {
        name: "text/html",
        version: None,
    },
];

/// Whether a client prefers a page, as browsers do.
pub(super) fn prefers_page(headers: &HeaderMap) -> bool {
    let list = accept(headers);
    let best = preferred(&preferences(&list), &TYPES, |it| *it).map(|(it, _)| it.name);
    best == Some("text/html")
}

/// The response with this line.
pub(super) fn respond(status: StatusCode, line: &str, is_page: bool) -> Response {
    match is_page {
        true => response::html(status, views::refused(status.as_u16(), line.trim_end())),
        false => response::text(status, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{ACCEPT, HeaderValue};

    #[test]
    fn only_a_client_that_names_html_gets_a_page() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/plain, text/html", false),
            (
                "application/openmetrics-text;version=1.0.0,*/*;q=0.1",
                false,
            ),
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
        ] {
            let accepts = [(ACCEPT, HeaderValue::from_static(accept))];
            let headers = HeaderMap::from_iter(accepts);
            assert_eq!(prefers_page(&headers), expected, "{accept}");
        }
    }
}
