//! One tenant's requests to Graph: throttled, counted and traced.

use super::error::{ErrorKind, GraphError, Subject};
use super::lenient::LenientText;
use super::refresh_permit::RefreshPermit;
use super::request_history::RequestHistory;
use super::wire;
use crate::credentials::Token;
use crate::http_client::{self, HttpClient, HttpResponse, MAX_BODY, MAX_MESSAGE};
use crate::telemetry::Telemetry;
use crate::text::clean_line;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Url};
use secure_score_model::{Api, Code, Traffic};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A refresh waits at most this long for one request. With a longer delay it
/// fails, and the schedule decides on the next refresh.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(10);

/// The delay after a 429 without `Retry-After`.
const DEFAULT_DELAY: Duration = Duration::from_secs(30);

/// A successful response.
pub(super) struct GraphResponse {
    pub(super) body: Vec<u8>,
    pub(super) partial: bool,
}

/// The requests of one tenant.
pub(super) struct Requests {
    http: HttpClient,
    telemetry: Arc<Telemetry>,
    history: Arc<RequestHistory>,
}

impl Requests {
    pub(super) fn new(
        http: HttpClient,
        telemetry: Arc<Telemetry>,
        history: Arc<RequestHistory>,
    ) -> Self {
        Self {
            http,
            telemetry,
            history,
        }
    }

    /// The requests made so far, those for tokens included.
    pub(super) fn traffic(&self) -> Traffic {
        self.history.traffic()
    }

    /// Waits until the limits allow a request. Fails if that takes too long.
    pub(super) async fn acquire_slot(
        &self,
        subject: Subject,
        permit: &mut RefreshPermit,
    ) -> Result<(), GraphError> {
        loop {
            let slot = self.history.throttle.lock().acquire(Instant::now());
            match slot {
                Ok(()) => return Ok(()),
                Err(delay) if delay <= MAX_WAIT => permit.sleep(delay).await,
                Err(delay) => {
                    let error = GraphError::new(subject, ErrorKind::WaitingForRetryAfter);
                    return Err(error.with_retry_after(Some(delay)));
                }
            }
        }
    }

    /// Sends one GET, with an id by which Microsoft can find it.
    pub(super) async fn send(
        &self,
        subject: Subject,
        url: &Url,
        token: &Token,
    ) -> Result<GraphResponse, GraphError> {
        let api = match subject {
            Subject::Report => Api::Scores,
            Subject::Catalogue | Subject::Token => Api::Profiles,
        };
        let started = Instant::now();
        let client_request_id = uuid::Uuid::new_v4().to_string();
        let request = self
            .http
            .request(Method::GET, url.clone())
            .header(AUTHORIZATION, token.header())
            .header("client-request-id", &client_request_id)
            .header("return-client-request-id", "true");
        let sent = self.http.exchange(request, MAX_BODY).await;
        let mut ids = vec![format!("client-request-id {client_request_id}")];
        let HttpResponse {
            status,
            headers,
            body,
        } = match sent {
            Ok(response) => response,
            Err(error) => {
                self.count(api, Code::NoAnswer, started);
                let kind = ErrorKind::Transport(error);
                return Err(GraphError::new(subject, kind).with_ids(ids));
            }
        };
        if let Some(id) = header(&headers, "request-id", token) {
            ids.insert(0, format!("request-id {id}"));
        }
        let status = status.as_u16();
        self.count(api, Code::Status(status), started);
        let (kind, retry_after) = match (status, body) {
            (200 | 206, Ok(body)) => match check_body(&headers, &body, token) {
                Ok(()) => {
                    let partial = status == 206;
                    return Ok(GraphResponse { body, partial });
                }
                Err(what) => (ErrorKind::Malformed(what), None),
            },
            (200 | 206, Err(error)) => (ErrorKind::Transport(error), None),
            (_, body) => {
                let delay = self.apply_retry_after(status, &headers);
                (refusal(status, &body.unwrap_or_default(), token), delay)
            }
        };
        let error = GraphError::new(subject, kind).with_ids(ids);
        Err(error.with_retry_after(retry_after))
    }

    /// Delays further requests as a refusal demands.
    fn apply_retry_after(&self, status: u16, headers: &HeaderMap) -> Option<Duration> {
        let header = http_client::retry_after(headers);
        let delay = match status {
            429 => header.unwrap_or(DEFAULT_DELAY),
            500..=599 => header?,
            _ => return None,
        };
        self.history.throttle.lock().delay(Instant::now(), delay);
        Some(delay)
    }

    fn count(&self, api: Api, code: Code, started: Instant) {
        self.telemetry.graph_request(api, started.elapsed());
        let mut traffic = self.history.requests.lock();
        *traffic.graph.entry((api, code)).or_default() += 1;
        traffic.throttled += u64::from(code == Code::Status(429));
    }
}

/// The value of a header, which may echo the token.
fn header(headers: &HeaderMap, name: &str, token: &Token) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(clean_line(&token.redact(value), MAX_MESSAGE))
}

/// Refuses a body that is not JSON, or that contains the token.
fn check_body(headers: &HeaderMap, body: &[u8], token: &Token) -> Result<(), String> {
    if token.is_in(body) {
        return Err("it repeats the token".to_owned());
    }
    match header(headers, CONTENT_TYPE.as_str(), token) {
        Some(kind) if !kind.to_ascii_lowercase().contains("json") => {
            Err(format!("it is {kind} instead of JSON"))
        }
        _ => Ok(()),
    }
}

fn refusal(status: u16, body: &[u8], token: &Token) -> ErrorKind {
    let body: wire::ErrorBody<'_> = serde_json::from_slice(body).unwrap_or_default();
    let clean = |text: &LenientText<'_>| {
        let text = token.redact(text.get().unwrap_or_default());
        clean_line(&text, MAX_MESSAGE)
    };
    ErrorKind::Status {
        status,
        code: clean(&body.error.code),
        message: clean(&body.error.message),
    }
}
