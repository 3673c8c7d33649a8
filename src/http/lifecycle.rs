//! Telling the exporter to read its configuration again, over HTTP.

use super::reply::{self, Reply};
use hyper::header::ORIGIN;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use tokio::sync::{mpsc, oneshot};

/// Where it listens, below the prefix.
pub(super) const RELOAD_PATH: &str = "/-/reload";

/// Requests that may wait for the one before them.
const WAITING: usize = 8;

/// Who wants to know how the reading ends: nothing, or what is wrong.
pub type Asked = oneshot::Sender<Result<(), String>>;

/// Passes requests on to whoever reads the configuration.
#[derive(Debug, Clone)]
pub struct Lifecycle(mpsc::Sender<Asked>);

impl Lifecycle {
    /// A way in, and where the requests come out.
    pub fn new() -> (Self, mpsc::Receiver<Asked>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    async fn reload(&self) -> Result<(), String> {
        let (asked, answer) = oneshot::channel();
        let gone = |_| "the exporter is stopping".to_owned();
        self.0.send(asked).await.map_err(|_| gone(()))?;
        answer.await.map_err(|_| gone(()))?
    }
}

/// Answers a request for the path.
///
/// It changes something, so a page that makes a browser fetch it must not be
/// enough: only `POST` and `PUT` do it, and only without the `Origin` that each
/// browser adds to them.
pub(super) async fn answer(lifecycle: Option<&Lifecycle>, parts: &Parts) -> Reply {
    let method = &parts.method;
    let Some(lifecycle) = lifecycle else {
        let line = "reloading over HTTP is off; start with --web.enable-lifecycle\n";
        return reply::text(StatusCode::FORBIDDEN, line.to_owned());
    };
    if !matches!(*method, Method::POST | Method::PUT) {
        return reply::wants_post(method);
    }
    if parts.headers.contains_key(ORIGIN) {
        let line = "a web page cannot reload the configuration; use curl\n";
        return reply::text(StatusCode::FORBIDDEN, line.to_owned());
    }
    match lifecycle.reload().await {
        Ok(()) => reply::text(StatusCode::OK, "reloaded\n".to_owned()),
        Err(message) => reply::text(StatusCode::INTERNAL_SERVER_ERROR, format!("{message}\n")),
    }
}
