//! Web configuration: rejects requests, and adds its headers to responses.

use crate::http_types::Response;
use crate::http_types::response::{text, with};
use exporter_web_config::{AccessControl, Refusal};
use hyper::Request;

/// The name that browsers show when they ask for the password.
const REALM: &str = "secure-score-exporter";

/// Answers a request with `respond` if the web configuration allows it.
pub(super) async fn answer<B, R: Future<Output = Response>>(
    access: &AccessControl,
    request: Request<B>,
    respond: impl FnOnce(Request<B>) -> R,
) -> Response {
    access.guard(request, refuse, respond).await
}

fn refuse(refusal: Refusal) -> Response {
    let response = text(refusal.status(), refusal.message().to_owned());
    match refusal.header(REALM) {
        Some((name, value)) => with(response, name, value),
        None => response,
    }
}
