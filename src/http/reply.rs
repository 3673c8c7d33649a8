//! Responses with the headers every one of them carries.

use super::body::Body;
use bytes::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use maud::Markup;

/// A response as the server sends it.
pub type Reply = Response<Body>;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");

/// Nothing may run, load or frame the pages, whatever gets into them: they
/// show words that administrators of other tenants wrote.
const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

const GUARDS: [(HeaderName, HeaderValue); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// A response with its length, and the guards that keep a browser from doing
/// more with it than showing it.
pub(super) fn reply(status: StatusCode, content_type: HeaderValue, body: Body) -> Reply {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    for (name, value) in GUARDS {
        headers.insert(name, value);
    }
    *reply.body_mut() = body;
    reply
}

/// Data for a program, true at this moment only.
pub(super) fn data(status: StatusCode, content_type: HeaderValue, bytes: Bytes) -> Reply {
    let answer = reply(status, content_type, Body::from(bytes));
    with(
        momentary(answer),
        header::VARY,
        HeaderValue::from_static("Accept"),
    )
}

/// A few lines of text, true at this moment only.
pub(super) fn text(status: StatusCode, lines: String) -> Reply {
    momentary(reply(status, TEXT, Body::from(Bytes::from(lines))))
}

/// A page, true at this moment only.
pub(super) fn page(status: StatusCode, markup: Markup) -> Reply {
    let bytes = Bytes::from(markup.into_string());
    momentary(reply(status, HTML, Body::from(bytes)))
}

/// The style of the pages. Its address names the version, so it may be kept.
pub(super) fn stylesheet(sheet: &'static str) -> Reply {
    let bytes = Bytes::from_static(sheet.as_bytes());
    let kept = HeaderValue::from_static("max-age=3600");
    with(
        reply(StatusCode::OK, CSS, Body::from(bytes)),
        header::CACHE_CONTROL,
        kept,
    )
}

/// To another path of ours.
pub(super) fn redirect(location: &str) -> Reply {
    let answer = text(StatusCode::FOUND, format!("see {location}\n"));
    match HeaderValue::from_str(location) {
        Ok(location) => with(answer, header::LOCATION, location),
        Err(_) => answer,
    }
}

/// Only looking is allowed here.
pub(super) fn method_not_allowed(method: &Method) -> Reply {
    let answer = text(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{method} is not allowed here; use GET or HEAD\n"),
    );
    with(answer, header::ALLOW, HeaderValue::from_static("GET, HEAD"))
}

/// Here something is done, and not only looked at.
pub(super) fn wants_post(method: &Method) -> Reply {
    let answer = text(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{method} is not allowed here; use POST or PUT\n"),
    );
    with(answer, header::ALLOW, HeaderValue::from_static("POST, PUT"))
}

/// Somebody switched it off.
pub(super) fn switched_off(flag: &str) -> Reply {
    text(
        StatusCode::NOT_FOUND,
        format!("switched off here by {flag}\n"),
    )
}

/// The request does not say whom it means, or says it twice.
pub(super) fn no_host() -> Reply {
    let line = "name one Host, as HTTP/1.1 demands\n";
    text(StatusCode::BAD_REQUEST, line.to_owned())
}

/// The request brings a body, and nothing here reads one.
pub(super) fn too_large() -> Reply {
    let answer = text(
        StatusCode::PAYLOAD_TOO_LARGE,
        "nothing here takes a request body\n".to_owned(),
    );
    with(
        answer,
        header::CONNECTION,
        HeaderValue::from_static("close"),
    )
}

/// The same answer without its body: the headers stay, the length included.
pub(super) fn head_only(answer: Reply) -> Reply {
    answer.map(|_| Body::empty())
}

/// The answer with one more header.
pub(super) fn with(mut answer: Reply, name: HeaderName, value: HeaderValue) -> Reply {
    answer.headers_mut().insert(name, value);
    answer
}

fn momentary(answer: Reply) -> Reply {
    with(
        answer,
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store"),
    )
}
