//! Responses with the headers that all of them carry.

use super::body::Body;
use bytes::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use maud::Markup;

/// A response as the server sends it.
pub type Response = hyper::Response<Body>;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const TABLE: HeaderValue = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");

/// Pages show words that administrators of other tenants wrote, so no script
/// may run, nothing may load, and no site may frame them.
const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

const SECURITY_HEADERS: [(HeaderName, HeaderValue); 5] = [
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

/// A response with its length and the security headers.
pub fn new(status: StatusCode, content_type: HeaderValue, body: Body) -> Response {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_LENGTH, length);
    headers.extend(SECURITY_HEADERS);
    response
}

/// Data for a program, valid at this moment only.
pub fn data(status: StatusCode, content_type: HeaderValue, bytes: Bytes) -> Response {
    let response = not_stored(new(status, content_type, Body::from(bytes)));
    with(response, header::VARY, HeaderValue::from_static("Accept"))
}

/// A table to be saved under a name of plain characters.
pub fn csv(name: &str, bytes: Vec<u8>) -> Response {
    let response = not_stored(new(StatusCode::OK, TABLE, Body::from(Bytes::from(bytes))));
    match HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        Ok(attachment) => with(response, header::CONTENT_DISPOSITION, attachment),
        Err(_) => response,
    }
}

/// Lines of text, valid at this moment only.
pub fn text(status: StatusCode, lines: impl Into<String>) -> Response {
    let bytes = Bytes::from(lines.into());
    not_stored(new(status, TEXT, Body::from(bytes)))
}

/// A page, valid at this moment only.
pub fn html(status: StatusCode, markup: Markup) -> Response {
    let bytes = Bytes::from(markup.into_string());
    not_stored(new(status, HTML, Body::from(bytes)))
}

/// The style sheet. Its address names the exporter's version, so a browser may
/// cache it.
pub fn stylesheet(css: &'static str) -> Response {
    let bytes = Bytes::from_static(css.as_bytes());
    let max_age = HeaderValue::from_static("max-age=3600");
    let response = new(StatusCode::OK, CSS, Body::from(bytes));
    with(response, header::CACHE_CONTROL, max_age)
}

/// A redirect to another path of the exporter.
pub fn redirect(location: &str) -> Response {
    let response = text(StatusCode::FOUND, format!("see {location}\n"));
    match HeaderValue::from_str(location) {
        Ok(location) => with(response, header::LOCATION, location),
        Err(_) => response,
    }
}

/// 503: the request can be repeated after some seconds.
pub fn busy(lines: impl Into<String>) -> Response {
    let response = text(StatusCode::SERVICE_UNAVAILABLE, lines);
    with(response, header::RETRY_AFTER, HeaderValue::from_static("1"))
}

/// 405, with the allowed methods as `Allow` lists them.
pub fn method_not_allowed(method: &Method, allowed: &'static str) -> Response {
    let line = format!(
        "{method} is not allowed here; use {}\n",
        allowed.replace(", ", " or ")
    );
    let response = text(StatusCode::METHOD_NOT_ALLOWED, line);
    with(response, header::ALLOW, HeaderValue::from_static(allowed))
}

/// The response with one more header.
pub fn with(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

fn not_stored(response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    with(response, header::CACHE_CONTROL, no_store)
}
