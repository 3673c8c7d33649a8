//! Web configuration: rejects requests, and adds its headers to responses.

use super::reply::{Reply, text, with};
use exporter_web_config::{AccessControl, Refusal};
use hyper::Request;

/// The name that browsers show when they ask for the password.
const REALM: &str = "secure-score-exporter";

/// Answers a request with `respond` if the web configuration allows it.
pub(super) async fn answer<B, R: Future<Output = Reply>>(
    access: &AccessControl,
    request: Request<B>,
    respond: impl FnOnce(Request<B>) -> R,
) -> Reply {
    access.guard(request, refuse, respond).await
}

fn refuse(refusal: Refusal) -> Reply {
    let reply = text(refusal.status(), refusal.message().to_owned());
    match refusal.header(REALM) {
        Some((name, value)) => with(reply, name, value),
        None => reply,
    }
}
