//! The HTTP transport of the crate `azure_identity`: the exporter's own clients
//! and limits.

use super::error::{TokenError, TokenErrorKind};
use super::token::MAX_LIFETIME;
use crate::http_client::{self, HttpClient as Http, HttpResponse, MAX_BODY, TransportError};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Method, Request};
use parking_lot::Mutex;
use reqwest::Url;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The address of Azure's endpoint for managed identities.
///
/// Source: "Azure Instance Metadata Service".
const METADATA_HOST: &str = "169.254.169.254";

/// The lifetime of a token whose answer does not say it: the shortest that an
/// administrator can set.
///
/// Source: "Configurable token lifetimes in the Microsoft identity platform".
const CAUTIOUS_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The form keys and the header whose values are secrets.
const SECRET_KEYS: [&str; 2] = ["client_secret", "client_assertion"];
const SECRET_HEADER: &str = "x-identity-header";

/// The servers that a credential may send requests to.
pub(super) enum Destination {
    /// Entra in one cloud, by scheme and host.
    Entra { root: String },
    /// This machine's endpoint for managed identities: Azure's fixed address,
    /// or the one that Azure's variables name.
    Identity {
        /// For simulated tenants, the server in place of the fixed address.
        simulated: Option<String>,
    },
}

/// Sends the requests of one credential and remembers how the last one ended.
///
/// The library turns a refusal that it cannot decode into an error without a
/// status, drops `Retry-After`, and retries the endpoint for managed identities
/// for a minute. The time of the next request depends on all of these.
pub(super) struct EntraTransport {
    http: Http,
    destination: Destination,
    last_error: Mutex<Option<TokenError>>,
    /// The secrets that it sent: a response may echo them.
    secrets: Mutex<Vec<Zeroizing<String>>>,
}

/// Without contents: they hold secrets.
impl fmt::Debug for EntraTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraTransport").finish_non_exhaustive()
    }
}

impl EntraTransport {
    pub(super) fn new(http: Http, destination: Destination) -> Arc<Self> {
        Arc::new(Self {
            http,
            destination,
            last_error: Mutex::default(),
            secrets: Mutex::default(),
        })
    }

    /// Why there is no token after the last exchange, if there was one.
    pub(super) fn error(&self) -> Option<TokenError> {
        self.last_error.lock().clone()
    }

    async fn exchange(&self, request: &Request) -> Result<AsyncRawResponse, TokenError> {
        let failed = |error: TransportError| match self.destination {
            Destination::Entra { .. } => TokenErrorKind::Transport(error),
            Destination::Identity { .. } => TokenErrorKind::NoIdentity(error),
        };
        let request = self.prepare(request).map_err(failed)?;
        let HttpResponse {
            status,
            headers,
            body,
        } = self
            .http
            .exchange(request, MAX_BODY)
            .await
            .map_err(failed)?;
        let body = body.map_err(failed)?;
        if status.is_success() {
            let body = match self.destination {
                Destination::Entra { .. } => with_whole_seconds(body),
                Destination::Identity { .. } => body,
            };
            let status = status.as_u16().into();
            return Ok(AsyncRawResponse::from_bytes(status, azure(&headers), body));
        }
        let secrets = self.secrets.lock();
        let secrets: Vec<&str> = secrets.iter().map(|secret| secret.as_str()).collect();
        let refused = match self.destination {
            Destination::Entra { .. } => TokenError::entra(status.as_u16(), &body, &secrets),
            Destination::Identity { .. } => TokenError::identity(status.as_u16(), &body, &secrets),
        };
        Err(refused.with_retry_after(http_client::retry_after(&headers)))
    }

    /// The URL to use for a request, if the destination allows it.
    fn url(&self, url: &Url) -> Result<Url, TransportError> {
        let parse = |root: &str| Url::parse(root).map_err(|_| TransportError::Request);
        match &self.destination {
            Destination::Entra { root } if url.origin() != parse(root)?.origin() => {
                Err(TransportError::Request)
            }
            Destination::Identity {
                simulated: Some(root),
            } if url.host_str() == Some(METADATA_HOST) => {
                let mut simulated = parse(root)?;
                simulated.set_path(url.path());
                simulated.set_query(url.query());
                Ok(simulated)
            }
            Destination::Entra { .. } | Destination::Identity { .. } => Ok(url.clone()),
        }
    }

    fn prepare(&self, request: &Request) -> Result<reqwest::RequestBuilder, TransportError> {
        let method = match request.method() {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            _ => return Err(TransportError::Request),
        };
        let mut prepared = self.http.request(method, self.url(request.url())?);
        for (name, value) in request.headers().iter() {
            if name.as_str().eq_ignore_ascii_case(SECRET_HEADER) {
                let secret = Zeroizing::new(value.as_str().to_owned());
                self.secrets.lock().push(secret);
            }
            prepared = prepared.header(name.as_str(), value.as_str());
        }
        match request.body() {
            Body::Bytes(bytes) => {
                self.secrets.lock().extend(secrets_in(bytes));
                Ok(prepared.body(bytes.clone()))
            }
            Body::SeekableStream(_) => Err(TransportError::Request),
        }
    }
}

/// Entra's answer with the two fields that the exporter needs: the token, and its
/// lifetime as a whole number that is neither negative nor very large.
///
/// Microsoft documents one, and proxies and other servers send text or a fraction,
/// which the library refuses, or so large a number that it panics. A lifetime that
/// is missing or cannot be read costs no more than itself: the token counts as
/// valid for [`CAUTIOUS_LIFETIME`].
fn with_whole_seconds(body: Vec<u8>) -> Vec<u8> {
    let Ok(fields) = serde_json::from_slice::<HashMap<String, &RawValue>>(&body) else {
        return body;
    };
    let Some(token) = fields.get("access_token") else {
        return body;
    };
    let lifetime = fields.get("expires_in").and_then(|it| seconds(it.get()));
    let lifetime = lifetime.unwrap_or(CAUTIOUS_LIFETIME.as_secs_f64());
    let lifetime = lifetime.clamp(0.0, MAX_LIFETIME.as_secs_f64());
    let answer = Answer {
        access_token: token,
        expires_in: lifetime as u64,
    };
    serde_json::to_vec(&answer).unwrap_or(body)
}

#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a RawValue,
    expires_in: u64,
}

/// A number of JSON, possibly as text.
fn seconds(json: &str) -> Option<f64> {
    let seconds = json.trim_matches('"').trim().parse().ok();
    seconds.filter(|it: &f64| it.is_finite())
}

/// The secrets of a form.
fn secrets_in(form: &[u8]) -> Vec<Zeroizing<String>> {
    let pairs = url::form_urlencoded::parse(form);
    let secrets = pairs.filter(|(key, _)| SECRET_KEYS.contains(&key.as_ref()));
    secrets
        .map(|(_, value)| Zeroizing::new(value.into_owned()))
        .collect()
}

fn azure(map: &reqwest::header::HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        if let Ok(value) = value.to_str() {
            let name = HeaderName::from(name.as_str().to_owned());
            headers.insert(name, HeaderValue::from(value.to_owned()));
        }
    }
    headers
}

#[async_trait::async_trait]
impl HttpClient for EntraTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let exchange = self.exchange(request).await;
        // The library refuses a successful response that holds no token.
        let error = match &exchange {
            Ok(_) => TokenErrorKind::Malformed("the answer holds no token").into(),
            Err(error) => error.clone(),
        };
        *self.last_error.lock() = Some(error);
        // An error rather than a response, so that the library does not retry.
        exchange.map_err(|_| Error::with_message(ErrorKind::Credential, "no token"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The token and the lifetime that the library reads, in seconds.
    fn read(answer: &str) -> (serde_json::Value, serde_json::Value) {
        let body = with_whole_seconds(answer.as_bytes().to_vec());
        let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
        (read["access_token"].clone(), read["expires_in"].clone())
    }

    #[test]
    fn a_lifetime_may_be_a_text_or_have_a_fraction() {
        for (lifetime, seconds) in [
            ("3599", 3_599),
            ("\"3599\"", 3_599),
            ("3599.75", 3_599),
            ("\" 3599.0 \"", 3_599),
            ("1000000000000", 86_400),
            ("1e300", 86_400),
            ("\"9e99\"", 86_400),
            ("-5", 0),
            ("-1e300", 0),
        ] {
            let answer = format!(
                r#"{{"access_token":"a","expires_in":{lifetime},"ext_expires_in":"x","token_type":null}}"#
            );
            assert_eq!(read(&answer), ("a".into(), seconds.into()), "{lifetime}");
        }
    }

    #[test]
    fn a_lifetime_that_cannot_be_read_costs_only_itself() {
        for lifetime in [
            "null", "1e400", "\"NaN\"", "\"inf\"", "\"soon\"", "\"\"", "[3599]", "{}", "true",
        ] {
            let answer = format!(r#"{{"expires_in":{lifetime},"access_token":"a"}}"#);
            assert_eq!(read(&answer), ("a".into(), 600.into()), "{lifetime}");
        }
        assert_eq!(read(r#"{"access_token":"a"}"#), ("a".into(), 600.into()));
        for other in ["<html>", "{}", "[]", r#"{"expires_in":3599}"#] {
            assert_eq!(with_whole_seconds(other.into()), other.as_bytes());
        }
    }
}
