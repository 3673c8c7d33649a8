//! The HTTP transport of the crate `azure_identity`: the exporter's own clients
//! and limits.

use super::TokenError;
use crate::http_client::{self, TransportError};
use azure_core::Bytes;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Method, Request};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use parking_lot::Mutex;
use reqwest::Url;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The address of Azure's endpoint for managed identities.
///
/// Source: "Azure Instance Metadata Service".
const METADATA_HOST: &str = "169.254.169.254";

/// The form keys and the header whose values are secrets.
const SECRET_KEYS: [&str; 2] = ["client_secret", "client_assertion"];
const SECRET_HEADER: &str = "x-identity-header";

/// The servers that a credential may send requests to.
#[derive(Debug, Clone)]
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

/// Sends the requests of one credential and remembers the last outcome.
///
/// The library turns a refusal that it cannot decode into an error without a
/// status, drops `Retry-After`, and retries the endpoint for managed identities
/// for a minute. The time of the next request depends on all of these.
pub(super) struct EntraTransport {
    http: reqwest::Client,
    destination: Destination,
    last: Mutex<Option<Exchange>>,
    secrets: Mutex<Vec<Zeroizing<String>>>,
}

/// Without contents: they hold secrets.
impl fmt::Debug for EntraTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraTransport").finish_non_exhaustive()
    }
}

/// The end of an exchange.
#[derive(Clone)]
enum Exchange {
    Response {
        status: u16,
        retry_after: Option<Duration>,
        /// The body of an error. That of a success contains the token and is
        /// not kept.
        error_body: Vec<u8>,
    },
    Failure(TransportError),
}

/// The last exchange of a credential, with the secrets that it sent: the
/// response may echo them.
pub(super) struct Outcome {
    destination: Destination,
    exchange: Exchange,
    secrets: Vec<Zeroizing<String>>,
}

impl From<Outcome> for TokenError {
    fn from(outcome: Outcome) -> Self {
        let secrets: Vec<&str> = outcome.secrets.iter().map(|it| it.as_str()).collect();
        match (outcome.destination, outcome.exchange) {
            (Destination::Entra { .. }, Exchange::Failure(error)) => Self::transport(error),
            (Destination::Identity { .. }, Exchange::Failure(error)) => Self::no_identity(error),
            (_, Exchange::Response { status, .. }) if (200..300).contains(&status) => {
                Self::malformed("the answer holds no token")
            }
            (
                destination,
                Exchange::Response {
                    status,
                    retry_after,
                    error_body,
                },
            ) => match destination {
                Destination::Entra { .. } => Self::entra(status, &error_body, &secrets),
                Destination::Identity { .. } => Self::identity(status, &error_body, &secrets),
            }
            .with_retry_after(retry_after),
        }
    }
}

impl EntraTransport {
    pub(super) fn new(http: reqwest::Client, destination: Destination) -> Arc<Self> {
        Arc::new(Self {
            http,
            destination,
            last: Mutex::default(),
            secrets: Mutex::default(),
        })
    }

    /// The last exchange, if there was one.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        Some(Outcome {
            destination: self.destination.clone(),
            exchange: self.last.lock().clone()?,
            secrets: self.secrets.lock().clone(),
        })
    }

    async fn exchange(&self, request: &Request) -> Result<(u16, Headers, Vec<u8>), TransportError> {
        let response = self.prepare(request)?.send().await?;
        let status = response.status().as_u16();
        let retry_after = http_client::retry_after(response.headers());
        let headers = headers(response.headers());
        let body = http_client::read_body(response).await?;
        let success = (200..300).contains(&status);
        *self.last.lock() = Some(Exchange::Response {
            status,
            retry_after,
            error_body: if success { Vec::new() } else { body.clone() },
        });
        Ok((status, headers, body))
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

/// The secrets of a form, in each encoding that an error message may use.
fn secrets_in(form: &[u8]) -> Vec<Zeroizing<String>> {
    let pairs = url::form_urlencoded::parse(form);
    let secret = pairs.filter(|(key, _)| SECRET_KEYS.contains(&key.as_ref()));
    let values = secret.flat_map(|(_, value)| {
        let escaped: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let encoded = BASE64_STANDARD.encode(value.as_bytes());
        [value.into_owned(), escaped, encoded]
    });
    values.map(Zeroizing::new).collect()
}

fn headers(map: &reqwest::header::HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        if let Ok(value) = value.to_str() {
            headers.insert(
                HeaderName::from(name.as_str().to_owned()),
                HeaderValue::from(value.to_owned()),
            );
        }
    }
    headers
}

#[async_trait::async_trait]
impl HttpClient for EntraTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let error = match self.exchange(request).await {
            Ok((status, headers, body)) if (200..300).contains(&status) => {
                let body = Bytes::from(body);
                return Ok(AsyncRawResponse::from_bytes(status.into(), headers, body));
            }
            // An error rather than a response, so that the library does not
            // retry.
            Ok((status, ..)) => format!("refused with status {status}"),
            Err(error) => {
                *self.last.lock() = Some(Exchange::Failure(error));
                error.to_string()
            }
        };
        Err(Error::with_message(ErrorKind::Credential, error))
    }
}
