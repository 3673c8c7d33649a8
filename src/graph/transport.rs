//! How azure_identity reaches Entra, and a machine's own endpoint: through our
//! clients, within our limits.

use super::http::{self, Broken};
use crate::retry_after::retry_after;
use azure_core::Bytes;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Method, Request};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Url;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// Where Azure tells a machine who it is.
///
/// Source: "Azure Instance Metadata Service".
const METADATA_HOST: &str = "169.254.169.254";

/// The keys of a form, and the header, whose values must not be told.
const SECRET_KEYS: [&str; 2] = ["client_secret", "client_assertion"];
const SECRET_HEADER: &str = "x-identity-header";

/// Where a credential's requests may go.
#[derive(Debug, Clone)]
pub(super) enum Destination {
    /// Entra's hosts in one cloud, and nowhere else.
    Entra {
        /// Scheme and host.
        root: String,
    },
    /// This machine's endpoint for managed identities: Azure's fixed address,
    /// or what its variables name.
    Machine {
        /// Who plays that fixed address for simulated tenants.
        played_by: Option<String>,
    },
}

/// Who was asked for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// Entra.
    Entra,
    /// The endpoint for managed identities.
    Machine,
}

/// Carries one credential's requests, and remembers how the last one ended.
///
/// The library turns a refusal it cannot decode into an error without a
/// status, drops `Retry-After`, and asks a managed identity's endpoint again
/// for a minute; all that decides when we may ask again.
pub(super) struct Transport {
    http: reqwest::Client,
    destination: Destination,
    last: Mutex<Option<Ending>>,
    secrets: Mutex<Vec<Zeroizing<String>>>,
}

/// Says nothing of what it carried.
impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// How the last exchange ended, and what its answer may echo.
pub(super) struct Ended {
    pub(super) peer: Peer,
    pub(super) ending: Ending,
    /// What was sent and must not be told.
    pub(super) secrets: Vec<Zeroizing<String>>,
}

/// How an exchange ended.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    /// With an answer.
    Answered {
        status: u16,
        retry_after: Option<Duration>,
        /// What a refusal said; the body of a success holds the token and is
        /// never kept.
        refusal: Vec<u8>,
    },
    /// Without one.
    Broken(Broken),
}

impl Transport {
    pub(super) fn new(http: reqwest::Client, destination: Destination) -> Self {
        Self {
            http,
            destination,
            last: Mutex::default(),
            secrets: Mutex::default(),
        }
    }

    /// How the last exchange ended, if there was one.
    pub(super) fn ended(&self) -> Option<Ended> {
        Some(Ended {
            peer: match self.destination {
                Destination::Entra { .. } => Peer::Entra,
                Destination::Machine { .. } => Peer::Machine,
            },
            ending: lock(&self.last).clone()?,
            secrets: lock(&self.secrets).clone(),
        })
    }

    fn remember(&self, ending: Ending) {
        *lock(&self.last) = Some(ending);
    }

    async fn exchange(&self, request: &Request) -> Result<(u16, Headers, Vec<u8>), Broken> {
        let response = self
            .prepare(request)?
            .send()
            .await
            .map_err(|e| Broken::of(&e))?;
        let status = response.status().as_u16();
        let wait = response
            .headers()
            .get(reqwest::header::RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, jiff::Timestamp::now()));
        let headers = headers(response.headers());
        let body = http::body(response).await?;
        let success = (200..300).contains(&status);
        self.remember(Ending::Answered {
            status,
            retry_after: wait,
            refusal: if success { Vec::new() } else { body.clone() },
        });
        Ok((status, headers, body))
    }

    /// The way to where a request may go.
    fn way(&self, url: &Url) -> Result<Url, Broken> {
        match &self.destination {
            Destination::Entra { root } => {
                let root = Url::parse(root).map_err(|_| Broken::Request)?;
                match url.origin() == root.origin() {
                    true => Ok(url.clone()),
                    false => Err(Broken::Request),
                }
            }
            Destination::Machine {
                played_by: Some(root),
            } if url.host_str() == Some(METADATA_HOST) => {
                let path = url.path().to_owned();
                let mut played = Url::parse(root).map_err(|_| Broken::Request)?;
                played.set_path(&path);
                played.set_query(url.query());
                Ok(played)
            }
            Destination::Machine { .. } => Ok(url.clone()),
        }
    }

    fn prepare(&self, request: &Request) -> Result<reqwest::RequestBuilder, Broken> {
        let method = match request.method() {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            _ => return Err(Broken::Request),
        };
        let mut prepared = self.http.request(method, self.way(request.url())?);
        for (name, value) in request.headers().iter() {
            if name.as_str().eq_ignore_ascii_case(SECRET_HEADER) {
                lock(&self.secrets).push(Zeroizing::new(value.as_str().to_owned()));
            }
            prepared = prepared.header(name.as_str(), value.as_str());
        }
        match request.body() {
            Body::Bytes(bytes) => {
                lock(&self.secrets).extend(secrets_in(bytes));
                Ok(prepared.body(bytes.clone()))
            }
            Body::SeekableStream(_) => Err(Broken::Request),
        }
    }
}

/// The secrets of a form: as they are, as they are written in it, and as a log
/// of somebody's might write them.
fn secrets_in(form: &[u8]) -> Vec<Zeroizing<String>> {
    let pairs = url::form_urlencoded::parse(form);
    let secret = pairs.filter(|(key, _)| SECRET_KEYS.contains(&key.as_ref()));
    let values = secret.flat_map(|(_, value)| {
        let written: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let encoded = BASE64_STANDARD.encode(value.as_bytes());
        [value.into_owned(), written, encoded]
    });
    values.map(Zeroizing::new).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
impl HttpClient for Transport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        match self.exchange(request).await {
            // A refusal is told as such at once, lest the library ask again.
            Ok((status, ..)) if !(200..300).contains(&status) => Err(Error::with_message(
                ErrorKind::Credential,
                format!("refused with status {status}"),
            )),
            Ok((status, headers, body)) => Ok(AsyncRawResponse::from_bytes(
                status.into(),
                headers,
                Bytes::from(body),
            )),
            Err(broken) => {
                self.remember(Ending::Broken(broken));
                Err(Error::with_message(
                    ErrorKind::Credential,
                    broken.to_string(),
                ))
            }
        }
    }
}
