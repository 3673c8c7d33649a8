//! HTTP requests to the server, with retries.

use crate::backoff::Backoff;
use crate::http_client::{self, Headers, HttpClient, HttpResponse, TransportError, through};
use reqwest::{Method, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use std::time::Duration;

/// A large query on a busy server takes a while.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Attempts before a request fails.
const MAX_ATTEMPTS: u32 = 7;

/// The delays between them: a server that restarts is back within half a
/// minute.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    max: MAX_DELAY,
    jitter: 0.5..=1.5,
};

/// The longest delay that a server can ask for.
const MAX_DELAY: Duration = Duration::from_secs(120);

/// The maximum size of a body. A tenant's family of 90 days has some megabytes.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// Messages of servers that do not accept old samples.
const TOO_OLD: [&str; 5] = [
    "out of bounds",
    "out-of-bounds",
    "out of order",
    "out-of-order",
    "too old",
];

/// A server, by its URL.
pub struct Server {
    http: HttpClient,
    pub(super) url: Url,
    headers: Headers,
    retry_note: RetryNote,
}

/// Called with the error after which a request is sent again, and with none when it was
/// answered.
type RetryNote = Box<dyn Fn(Option<&ServerError>) + Send + Sync>;

/// Why a request to the server failed.
#[derive(Debug, thiserror::Error)]
#[error("{server}{} {kind}", through(.proxy.as_deref()))]
pub struct ServerError {
    /// Scheme, host and port. The rest may be a secret.
    server: String,
    /// The proxy that may have given the answer.
    proxy: Option<String>,
    kind: ErrorKind,
}

#[derive(Debug, thiserror::Error)]
enum ErrorKind {
    /// There was no complete response in any attempt.
    #[error("cannot be reached ({0})")]
    Unreachable(TransportError),
    /// The server refused the request, or failed in each attempt.
    #[error("answered {}: {message}", .status.as_u16())]
    Refused {
        status: StatusCode,
        /// Its message, truncated.
        message: String,
    },
    /// The response is not one of Prometheus' API.
    #[error("gave an answer that cannot be read: {0}")]
    Unreadable(&'static str),
}

impl ServerError {
    /// The fix.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.kind {
            ErrorKind::Unreachable(error) => error
                .hint()
                .or(Some("check the address, and that the server runs")),
            ErrorKind::Refused { message, .. }
                if TOO_OLD.iter().any(|it| message.to_lowercase().contains(it)) =>
            {
                Some(
                    "let the server accept old samples: storage.tsdb.out_of_order_time_window of Prometheus, out_of_order_time_window of Mimir",
                )
            }
            ErrorKind::Refused { status, .. } => match status.as_u16() {
                401 | 403 if self.proxy.is_some() => Some(
                    "give the server's header in --header-file; if the proxy refuses, let it pass this host, or name the host in NO_PROXY",
                ),
                401 | 403 => Some("give the server's header in --header-file"),
                407 => Some(
                    "the proxy wants a user and password: HTTP_PROXY=http://USER:PASSWORD@HOST:PORT",
                ),
                404 | 405 => Some(
                    "give the whole address: --remote-write=http://HOST/api/v1/write (Mimir: /api/v1/push), --check=http://HOST:9090",
                ),
                500.. if self.proxy.is_some() => Some(
                    "if it is the proxy that fails, let it pass this host and port, or name the host in NO_PROXY",
                ),
                _ => None,
            },
            ErrorKind::Unreadable(_) => None,
        }
    }

    /// Whether a retry may succeed.
    fn is_temporary(&self) -> bool {
        match &self.kind {
            ErrorKind::Unreachable(error) => !error.is_permanent(),
            ErrorKind::Refused { status, .. } => {
                *status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
            }
            ErrorKind::Unreadable(_) => false,
        }
    }
}

impl Server {
    /// A client that trusts the system's authorities and `roots`. It does not
    /// connect yet.
    pub fn new(
        url: Url,
        headers: Headers,
        roots: &[CertificateDer<'static>],
    ) -> reqwest::Result<Self> {
        Ok(Self {
            http: HttpClient::of_server(&url, TIMEOUT, roots)?,
            url,
            headers,
            retry_note: Box::new(|_| ()),
        })
    }

    /// Notes by this function that a request is sent again, and that it was answered.
    pub fn note_retries(&mut self, note: impl Fn(Option<&ServerError>) + Send + Sync + 'static) {
        self.retry_note = Box::new(note);
    }

    /// Sends a body and returns the response. It retries temporary failures:
    /// both kinds of request are idempotent.
    pub(super) async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, &'static str)],
        body: Vec<u8>,
    ) -> Result<Vec<u8>, ServerError> {
        let body = bytes::Bytes::from(body);
        let mut attempt = 1;
        loop {
            let (error, delay) = match self.attempt(url, headers, body.clone()).await {
                Ok(response) => {
                    (self.retry_note)(None);
                    return Ok(response);
                }
                Err(failed) => failed,
            };
            if attempt >= MAX_ATTEMPTS || !error.is_temporary() {
                return Err(error);
            }
            let delay = delay.unwrap_or_else(|| BACKOFF.random_delay(attempt));
            let delay = delay.min(MAX_DELAY);
            tracing::debug!(%error, ?delay, "retrying the request");
            (self.retry_note)(Some(&error));
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    /// An error has the delay that the server asks for.
    async fn attempt(
        &self,
        url: &Url,
        headers: &[(&'static str, &'static str)],
        body: bytes::Bytes,
    ) -> Result<Vec<u8>, (ServerError, Option<Duration>)> {
        let mut request = self
            .http
            .request(Method::POST, url.clone())
            .headers(self.headers.map.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let failed = |error: TransportError| match error {
            TransportError::TooLarge => (self.unreadable("it is too large"), None),
            error => (self.error(ErrorKind::Unreachable(error)), None),
        };
        let sent = self.http.exchange(request.body(body), MAX_BODY).await;
        let HttpResponse {
            status,
            headers,
            body,
        } = sent.map_err(failed)?;
        let body = body.map_err(failed)?;
        let delay = http_client::retry_after(&headers);
        if status.is_success() {
            return Ok(body);
        }
        let message = self.message(&body);
        Err((self.error(ErrorKind::Refused { status, message }), delay))
    }

    fn error(&self, kind: ErrorKind) -> ServerError {
        let proxy = match kind {
            // The error of the connection names it.
            ErrorKind::Unreachable(_) => None,
            _ => self.http.forwarding_proxy(&self.url),
        };
        ServerError {
            server: self.url.origin().ascii_serialization(),
            proxy,
            kind,
        }
    }

    pub(super) fn unreadable(&self, what: &'static str) -> ServerError {
        self.error(ErrorKind::Unreadable(what))
    }

    fn message(&self, body: &[u8]) -> String {
        match self.headers.shown(&String::from_utf8_lossy(body)) {
            text if text.is_empty() => "nothing".to_owned(),
            text => text,
        }
    }
}
