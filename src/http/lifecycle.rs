//! Reloading the configuration over HTTP.

use crate::http_types::{Response, response};
use hyper::header::ORIGIN;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use tokio::sync::{mpsc, oneshot};

/// Its path, below the prefix.
pub(super) const RELOAD_PATH: &str = "/-/reload";

/// Reload requests that may wait for the one before them.
const QUEUED: usize = 8;

/// Receives the outcome of a reload: nothing, or the error.
pub type ReloadRequest = oneshot::Sender<Result<(), String>>;

/// Sends reload requests to the loop that loads the configuration.
#[derive(Debug, Clone)]
pub struct Lifecycle(mpsc::Sender<ReloadRequest>);

impl Lifecycle {
    /// The sender of requests, and their receiver.
    pub fn new() -> (Self, mpsc::Receiver<ReloadRequest>) {
        let (sender, receiver) = mpsc::channel(QUEUED);
        (Self(sender), receiver)
    }

    async fn reload(&self) -> Result<(), String> {
        let (request, outcome) = oneshot::channel();
        let stopping = || "the exporter is stopping".to_owned();
        self.0.send(request).await.map_err(|_| stopping())?;
        outcome.await.map_err(|_| stopping())?
    }
}

/// Answers a request for [`RELOAD_PATH`].
///
/// A web page must not be able to make a browser reload the configuration: only
/// `POST` and `PUT` do it, and only without the `Origin` that browsers add.
pub(super) async fn respond(lifecycle: Option<&Lifecycle>, parts: &Parts) -> Response {
    let Some(lifecycle) = lifecycle else {
        let line = "reloading over HTTP is off; start with --web.enable-lifecycle\n";
        return response::text(StatusCode::FORBIDDEN, line);
    };
    if !matches!(parts.method, Method::POST | Method::PUT) {
        return response::method_not_allowed(&parts.method, "POST, PUT");
    }
    if parts.headers.contains_key(ORIGIN) {
        let line = "a web page cannot reload the configuration; use curl\n";
        return response::text(StatusCode::FORBIDDEN, line);
    }
    match lifecycle.reload().await {
        Ok(()) => response::text(StatusCode::OK, "reloaded\n"),
        Err(message) => response::text(StatusCode::INTERNAL_SERVER_ERROR, format!("{message}\n")),
    }
}
