//! How azure_identity reaches Entra: through our client, within our limits.

use super::http::{self, Broken};
use super::throttle::retry_after;
use azure_core::Bytes;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Method, Request};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Carries one credential's requests, and remembers how the last one ended.
///
/// The library turns a refusal it cannot decode into an error without a
/// status, and drops `Retry-After`; both decide when we may ask again.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    last: Mutex<Option<Ending>>,
}

/// How an exchange with Entra ended.
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
    pub(super) fn new(http: reqwest::Client) -> Self {
        Self {
            http,
            last: Mutex::new(None),
        }
    }

    /// How the last exchange ended, if there was one.
    pub(super) fn last(&self) -> Option<Ending> {
        self.lock().clone()
    }

    fn remember(&self, ending: Ending) {
        *self.lock() = Some(ending);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Ending>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn prepare(&self, request: &Request) -> Result<reqwest::RequestBuilder, Broken> {
        let method = match request.method() {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            _ => return Err(Broken::Request),
        };
        let mut prepared = self.http.request(method, request.url().clone());
        for (name, value) in request.headers().iter() {
            prepared = prepared.header(name.as_str(), value.as_str());
        }
        match request.body() {
            Body::Bytes(bytes) => Ok(prepared.body(bytes.clone())),
            Body::SeekableStream(_) => Err(Broken::Request),
        }
    }
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
            Ok((status, headers, body)) => Ok(AsyncRawResponse::from_bytes(
                status.into(),
                headers,
                Bytes::from(body),
            )),
            Err(broken) => {
                self.remember(Ending::Broken(broken));
                Err(Error::with_message(ErrorKind::Io, broken.to_string()))
            }
        }
    }
}
