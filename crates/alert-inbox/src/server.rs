//! The HTTP server: Alertmanager posts, a browser reads.

use crate::inbox::Inbox;
use crate::message::Content;
use crate::page_event::PageEvent;
use crate::ticket::Ticket;
use crate::view::{self, Refresh};
use crate::{PAGES_PATH, TICKETS_PATH};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The pause after a failed accept, usually for want of file descriptors.
pub(crate) const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// The maximum size of a request body.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The inbox runs no script and loads nothing from elsewhere; a mail is in a frame.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A mail has its own styles, runs no script and loads nothing. Its links open.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

type Reply = Response<Full<Bytes>>;

/// Serves until the future is dropped, with its connections.
pub(crate) async fn serve(listener: TcpListener, inbox: Arc<Inbox>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(stream, Arc::clone(&inbox)));
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, inbox: Arc<Inbox>) {
    let answer = |request| {
        let inbox = Arc::clone(&inbox);
        async move { Ok::<_, Infallible>(answer(&inbox, request).await) }
    };
    let connection =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection to the inbox failed");
    }
}

async fn answer(inbox: &Inbox, request: Request<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    match head.method {
        Method::POST => {
            let body = Limited::new(body, MAX_BODY_BYTES).collect().await;
            let body = body.map(|it| it.to_bytes()).unwrap_or_default();
            receive(inbox, path, &body)
        }
        Method::GET => show(inbox, path, head.uri.query()),
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "use GET or POST\n"),
    }
}

/// Keeps what Alertmanager posts. PagerDuty answers 202.
fn receive(inbox: &Inbox, path: &str, body: &[u8]) -> Reply {
    let content = match path {
        PAGES_PATH => PageEvent::parse(body).map(Content::Page),
        TICKETS_PATH => Ticket::parse(body).map(Content::Ticket),
        _ => return text(StatusCode::NOT_FOUND, "nothing is received here\n"),
    };
    match content {
        Some(content) => {
            inbox.receive(content, Timestamp::now());
            text(StatusCode::ACCEPTED, "received\n")
        }
        None => text(
            StatusCode::BAD_REQUEST,
            "this is no message of Alertmanager\n",
        ),
    }
}

fn show(inbox: &Inbox, path: &str, query: Option<&str>) -> Reply {
    if let Some(number) = view::mail_number(path) {
        return match inbox.message(number).map(|message| message.content) {
            Some(Content::Mail(mail)) => html(mail.html, MAIL_POLICY),
            None if inbox.has_dropped(number) => {
                text(StatusCode::NOT_FOUND, "this message is no longer kept\n")
            }
            _ => text(
                StatusCode::NOT_FOUND,
                "there is no mail with this number; see /inbox\n",
            ),
        };
    }
    match path {
        "/" => redirect(),
        view::PATH => {
            let refresh = Refresh::of_query(query);
            let page = view::page(&inbox.introduction(), &inbox.messages(), refresh);
            html(page.into_string(), PAGE_POLICY)
        }
        view::STYLE_PATH => reply(StatusCode::OK, "text/css; charset=utf-8", view::STYLE),
        _ => text(StatusCode::NOT_FOUND, "there is only /inbox\n"),
    }
}

fn redirect() -> Reply {
    let mut reply = text(StatusCode::FOUND, "see /inbox\n");
    let location = HeaderValue::from_static(view::PATH);
    reply.headers_mut().insert(header::LOCATION, location);
    reply
}

fn html(page: String, policy: &'static str) -> Reply {
    let mut reply = reply(StatusCode::OK, "text/html; charset=utf-8", page);
    let headers = reply.headers_mut();
    let policy = HeaderValue::from_static(policy);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    let origin = HeaderValue::from_static("no-referrer");
    headers.insert(header::REFERRER_POLICY, origin);
    reply
}

fn text(status: StatusCode, line: &'static str) -> Reply {
    reply(status, "text/plain; charset=utf-8", line)
}

fn reply(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    let content_type = HeaderValue::from_static(content_type);
    headers.insert(header::CONTENT_TYPE, content_type);
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    let cached = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, cached);
    reply
}
