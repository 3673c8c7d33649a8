//! One tenant's requests to Graph: throttled, counted and traced.

use super::error::{ErrorKind, GraphError};
use super::lenient::LenientText;
use super::refresh_permit::RefreshPermit;
use super::request_history::RequestHistory;
use super::subject::Subject;
use super::wire;
use crate::credentials::Token;
use crate::http_client::{self, HttpClient, HttpResponse, MAX_BODY, MAX_MESSAGE};
use crate::telemetry::Telemetry;
use crate::text::{clean_line, is_plain_name};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Url};
use secure_score_model::{Code, Traffic};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use uuid::fmt::Hyphenated;

/// A refresh waits at most this long for one request. With a longer delay it
/// fails, and the schedule decides on the next refresh.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(10);

/// The delay after a 429 without `Retry-After`.
const DEFAULT_DELAY: Duration = Duration::from_secs(30);

/// A successful response.
pub(super) struct GraphResponse {
    subject: Subject,
    body: Vec<u8>,
    pub(super) partial: bool,
    token: Arc<Token>,
    /// What identifies the request in an error.
    ids: Vec<String>,
}

impl GraphResponse {
    /// A response to a request with the token `a token`.
    #[cfg(test)]
    pub(super) fn for_test(subject: Subject, body: &str, partial: bool) -> Self {
        Self {
            subject,
            body: body.as_bytes().to_vec(),
            partial,
            token: Arc::new(Token::for_test("a token")),
            ids: Vec::new(),
        }
    }

    /// The body, unless it contains the token.
    pub(super) fn searched(&self) -> Result<&[u8], GraphError> {
        if self.token.is_in(&self.body) {
            let error = GraphError::malformed(self.subject, "it repeats the token");
            return Err(error.with_ids(self.ids.clone()));
        }
        Ok(&self.body)
    }

    /// The body, which may contain the token: nothing of it may be kept or shown.
    pub(super) fn not_searched(&self) -> &[u8] {
        &self.body
    }
}

/// The requests of one tenant.
pub(super) struct Requests {
    http: HttpClient,
    telemetry: Arc<Telemetry>,
    history: Arc<RequestHistory>,
}

/// One of the requests that a tenant may have at one time. The semaphore is never
/// closed.
pub(super) struct RequestSlot(
    #[expect(dead_code, reason = "it frees the slot")] Option<OwnedSemaphorePermit>,
);

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

    /// Waits until the limits allow a request. Fails if Graph asked for a long
    /// delay.
    pub(super) async fn acquire_slot(
        &self,
        subject: Subject,
        permit: &mut RefreshPermit,
    ) -> Result<RequestSlot, GraphError> {
        let slot = permit.wait_for_slot(&self.history.slots).await;
        loop {
            let allowed = self.history.throttle.lock().acquire(Instant::now());
            match allowed {
                Ok(()) => return Ok(RequestSlot(slot)),
                Err(delay) if delay <= MAX_WAIT => permit.sleep(delay).await,
                Err(delay) => {
                    let error = GraphError::new(subject, ErrorKind::WaitingForRetryAfter);
                    return Err(error.with_retry_after(Some(delay)));
                }
            }
        }
    }

    /// Sends one GET, with an id by which Microsoft can find it. The slot is free
    /// again afterwards.
    pub(super) async fn send(
        &self,
        _slot: RequestSlot,
        subject: Subject,
        url: &Url,
        token: &Arc<Token>,
    ) -> Result<GraphResponse, GraphError> {
        let started = Instant::now();
        let client_request_id = uuid::Uuid::new_v4().to_string();
        let request = self
            .http
            .request(Method::GET, url.clone())
            .header(AUTHORIZATION, token.header())
            .header("client-request-id", &client_request_id)
            .header("return-client-request-id", "true");
        let request = match subject.is_of_entra() {
            // Otherwise Graph hides the words that are newer than its client.
            true => request.header("Prefer", "include-unknown-enum-members"),
            false => request,
        };
        let sent = self.http.exchange(request, MAX_BODY).await;
        let mut ids = vec![format!("client-request-id {client_request_id}")];
        let HttpResponse {
            status,
            headers,
            body,
        } = match sent {
            Ok(response) => response,
            Err(error) => {
                self.count(subject, Code::NoAnswer, started);
                let kind = ErrorKind::Transport(error);
                return Err(GraphError::new(subject, kind).with_ids(ids));
            }
        };
        if let Some(id) = request_id(&headers) {
            ids.insert(0, format!("request-id {id}"));
        }
        let status = status.as_u16();
        self.count(subject, Code::Status(status), started);
        let (kind, retry_after) = match (status, body) {
            (200 | 206, Ok(body)) => match check_media_type(&headers) {
                Ok(()) => {
                    return Ok(GraphResponse {
                        subject,
                        body,
                        partial: status == 206,
                        token: Arc::clone(token),
                        ids,
                    });
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

    fn count(&self, subject: Subject, code: Code, started: Instant) {
        self.telemetry
            .graph_request(subject.list(), started.elapsed());
        let Some(api) = subject.api() else {
            // The partner's own tenant may be watched too, and has no such list.
            return;
        };
        let mut traffic = self.history.requests.lock();
        *traffic.graph.entry((api, code)).or_default() += 1;
        traffic.throttled += u64::from(code == Code::Status(429));
    }
}

/// Graph's id of a request. It is a GUID; anything else may echo the token.
fn request_id(headers: &HeaderMap) -> Option<Hyphenated> {
    headers.get("request-id")?.to_str().ok()?.parse().ok()
}

/// Refuses a body that is not JSON.
fn check_media_type(headers: &HeaderMap) -> Result<(), String> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let Some(content_type) = content_type else {
        return Ok(());
    };
    let (media_type, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    let media_type = media_type.trim().to_ascii_lowercase();
    match media_type.contains("json") {
        true => Ok(()),
        false if is_plain_name(&media_type) => Err(format!("it is {media_type} instead of JSON")),
        false => Err("it is not JSON".to_owned()),
    }
}

fn refusal(status: u16, body: &[u8], token: &Token) -> ErrorKind {
    let body: wire::ErrorBody<'_> = serde_json::from_slice(body).unwrap_or_default();
    let clean = |text: &LenientText<'_>| {
        let text = token.redact(text.get().unwrap_or_default());
        clean_line(&text, MAX_MESSAGE).into_owned()
    };
    ErrorKind::Status {
        status,
        code: clean(&body.error.code),
        message: clean(&body.error.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    const BEARER: &str = "eyJhbGciOiJub25lIn0.eyJ0aWQiOiJ0aGlzLW9uZSJ9.c2lnbmF0dXJlLW9mLWl0";

    fn headers(id: &str, content_type: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("request-id", id.parse().unwrap());
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        headers
    }

    #[test]
    fn no_part_of_an_answer_shows_an_encoded_token() {
        let token = Token::for_test(BEARER);
        let echo = BASE64_STANDARD.encode(token.header());
        let body =
            format!(r#"{{"error": {{"code": "{echo}", "message": "No access for {echo}"}}}}"#);
        let expected = ErrorKind::Status {
            status: 403,
            code: "…".to_owned(),
            message: "No access for …".to_owned(),
        };
        assert_eq!(refusal(403, body.as_bytes(), &token), expected);
        let headers = headers(&echo, &format!("text/{echo}"));
        assert_eq!(request_id(&headers), None);
        let refused = check_media_type(&headers);
        assert_eq!(refused, Err("it is not JSON".to_owned()));
    }

    #[test]
    fn an_id_and_a_media_type_are_shown() {
        let id = "01234567-89ab-cdef-0123-456789abcdef";
        let headers = headers(id, "text/html; charset=utf-8");
        assert_eq!(request_id(&headers).unwrap().to_string(), id);
        let refused = check_media_type(&headers);
        assert_eq!(refused, Err("it is text/html instead of JSON".to_owned()));
    }
}
