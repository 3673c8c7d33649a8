//! A request as the endpoints read it.

use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::http::request::Parts;

use crate::reply::RequestIds;

/// A request without its body.
pub(crate) struct IncomingRequest {
    pub(crate) head: Parts,
    pub(crate) ids: RequestIds,
    /// Scheme, host and port as the client sent them; links stay on that host.
    pub(crate) base: String,
    /// What the echo faults repeat: the headers, and a token request's body.
    pub(crate) echo: String,
}

impl IncomingRequest {
    pub(crate) fn new(head: Parts) -> Self {
        Self {
            ids: RequestIds::new(&head.headers),
            base: base(&head),
            echo: headers_on_one_line(&head),
            head,
        }
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Whether the header `Prefer` names a preference.
    pub(crate) fn prefers(&self, preference: &str) -> bool {
        let values = self.head.headers.get_all("prefer").iter();
        let values = values.filter_map(|value| value.to_str().ok());
        let mut preferences = values.flat_map(|value| value.split([',', ';']));
        preferences.any(|it| it.trim().eq_ignore_ascii_case(preference))
    }

    pub(crate) fn query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }
}

fn base(head: &Parts) -> String {
    let authority = head.uri.authority().map(|authority| authority.as_str());
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    format!("https://{}", authority.or(host).unwrap_or("localhost"))
}

/// One line, since a client that logs an error logs its first line.
fn headers_on_one_line(head: &Parts) -> String {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}; ", String::from_utf8_lossy(value.as_bytes()))
    };
    head.headers.iter().map(line).collect()
}
