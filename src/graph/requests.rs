//! One tenant's requests to Graph: paced, counted and traced.

use super::LONGEST_MESSAGE;
use super::error::{Fault, GraphError, Subject, Trace};
use super::http::{self, Broken};
use super::loose::Text;
use super::text::printable;
use super::throttle::Throttle;
use super::token::Token;
use super::turn::RefreshPermit;
use super::wire;
use crate::retry_after::retry_after;
use crate::telemetry::Telemetry;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use secure_score_model::{Api, Code, Traffic};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Waits up to this are spent inside a refresh; for longer ones the refresh
/// ends and the schedule says when the next one is.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The pause taken when Graph throttles and does not say for how long.
const UNTOLD_PAUSE: Duration = Duration::from_secs(30);

/// A successful exchange.
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    pub(super) partial: bool,
}

/// What one tenant asks of Graph.
pub(super) struct Requests {
    http: reqwest::Client,
    telemetry: Arc<Telemetry>,
    throttle: Mutex<Throttle>,
    traffic: Mutex<Traffic>,
}

impl Requests {
    pub(super) fn new(http: reqwest::Client, telemetry: Arc<Telemetry>) -> Self {
        Self {
            http,
            telemetry,
            throttle: Mutex::default(),
            traffic: Mutex::default(),
        }
    }

    /// The requests made so far.
    pub(super) fn traffic(&self) -> Traffic {
        lock(&self.traffic).clone()
    }

    /// Waits until a request is allowed, or gives up when that takes long.
    pub(super) async fn claim(
        &self,
        subject: Subject,
        turn: &mut RefreshPermit,
    ) -> Result<(), GraphError> {
        loop {
            let claim = lock(&self.throttle).claim(Instant::now());
            match claim {
                Ok(()) => return Ok(()),
                Err(wait) if wait <= LONGEST_PAUSE => turn.pause(wait).await,
                Err(wait) => {
                    return Err(GraphError::new(subject, Fault::Held).retry_after(Some(wait)));
                }
            }
        }
    }

    /// One GET, with the ids by which Microsoft can find it.
    pub(super) async fn send(
        &self,
        subject: Subject,
        url: &Url,
        token: &Token,
    ) -> Result<Answer, GraphError> {
        let api = api(subject);
        let started = Instant::now();
        let client_request_id = uuid::Uuid::new_v4().to_string();
        let sent = self
            .http
            .get(url.clone())
            .header(AUTHORIZATION, token.header())
            .header("client-request-id", &client_request_id)
            .header("return-client-request-id", "true")
            .send()
            .await;
        let mut trace = Trace {
            client_request_id: Some(client_request_id),
            request_id: None,
        };
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                self.count(api, Code::NoAnswer, started);
                let fault = Fault::Broken(Broken::of(&error));
                return Err(GraphError::new(subject, fault).traced(trace));
            }
        };
        trace.request_id = header(response.headers(), "request-id", token);
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = http::body(response).await;
        self.count(api, Code::Status(status), started);
        let failed = |fault| GraphError::new(subject, fault).traced(trace);
        match (status, body) {
            (200 | 206, Ok(body)) if token.is_in(&body) => {
                Err(failed(Fault::Malformed("it repeats the token".to_owned())))
            }
            (200 | 206, Ok(body)) => {
                check_content_type(&headers, token)
                    .map_err(|what| failed(Fault::Malformed(what)))?;
                Ok(Answer {
                    body,
                    partial: status == 206,
                })
            }
            (200 | 206, Err(broken)) => Err(failed(Fault::Broken(broken))),
            (_, body) => {
                let wait = self.hold(status, &headers);
                let fault = refusal(status, &body.unwrap_or_default(), token);
                Err(failed(fault).retry_after(wait))
            }
        }
    }

    /// Notes what a refusal says about when to come back.
    fn hold(&self, status: u16, headers: &HeaderMap) -> Option<Duration> {
        let told = headers
            .get(RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, jiff::Timestamp::now()));
        let wait = match status {
            429 => Some(told.unwrap_or(UNTOLD_PAUSE)),
            500..=599 => told,
            _ => None,
        }?;
        lock(&self.throttle).hold(Instant::now(), wait);
        Some(wait)
    }

    fn count(&self, api: Api, code: Code, started: Instant) {
        self.telemetry.graph_request(api, started.elapsed());
        let mut traffic = lock(&self.traffic);
        *traffic.graph.entry((api, code)).or_default() += 1;
        traffic.throttled += u64::from(code == Code::Status(429));
    }
}

fn api(subject: Subject) -> Api {
    match subject {
        Subject::Report => Api::Scores,
        Subject::Catalogue | Subject::Token => Api::Profiles,
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a header says, which may repeat ours.
fn header(headers: &HeaderMap, name: &str, token: &Token) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(printable(&token.scrub(value), LONGEST_MESSAGE))
}

fn check_content_type(headers: &HeaderMap, token: &Token) -> Result<(), String> {
    match header(headers, CONTENT_TYPE.as_str(), token) {
        Some(kind) if !kind.to_ascii_lowercase().contains("json") => {
            Err(format!("it is {kind} instead of JSON"))
        }
        _ => Ok(()),
    }
}

fn refusal(status: u16, body: &[u8], token: &Token) -> Fault {
    let failure: wire::Failure<'_> = serde_json::from_slice(body).unwrap_or_default();
    let text = |text: &Text<'_>| {
        let told = token.scrub(text.get().unwrap_or_default());
        printable(&told, LONGEST_MESSAGE)
    };
    Fault::Status {
        status,
        code: text(&failure.error.code),
        message: text(&failure.error.message),
    }
}
