//! The client of a running exporter, for commands.

use super::{Headers, HttpClient, HttpResponse, SetupError, TransportError};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The exporter answers from memory.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A thousand decisions with what they cover are some megabytes.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// What an exporter answers on a path that one of its flags disables.
const DISABLED: &str = "disabled by ";

/// A running exporter, by its URL with the route prefix.
pub struct ExporterClient {
    http: HttpClient,
    url: Url,
    headers: Headers,
}

/// Why a request to the exporter failed.
#[derive(Debug, thiserror::Error)]
#[error("the exporter at {server} {kind}")]
pub struct ExporterError {
    /// Scheme, host and port. The rest may be a secret.
    server: String,
    kind: ErrorKind,
}

#[derive(Debug, thiserror::Error)]
enum ErrorKind {
    #[error("cannot be reached ({0})")]
    Unreachable(TransportError),
    #[error("answered {}: {}", .status.as_u16(), .refusal.problem(*.status))]
    Refused {
        status: StatusCode,
        refusal: Refusal,
    },
    #[error("gave an answer that cannot be read")]
    Unreadable,
    #[error("is too old: it has no {0}")]
    TooOld(&'static str),
}

/// What an error response says; a page says nothing that can be read.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    error: String,
    hint: String,
}

impl Refusal {
    /// The body of an error response of the API, or the line of another one.
    fn of(headers: &HeaderMap, body: &[u8]) -> Self {
        let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        match content_type.is_some_and(|it| it.starts_with(b"text/plain")) {
            true => Self {
                error: String::from_utf8_lossy(body).trim().to_owned(),
                hint: String::new(),
            },
            false => serde_json::from_slice(body).unwrap_or_default(),
        }
    }

    fn problem(&self, status: StatusCode) -> &str {
        match self.error.as_str() {
            "" => status.canonical_reason().unwrap_or("nothing"),
            error => error,
        }
    }
}

impl ExporterError {
    /// Whether the server has no such path, and does not say why.
    pub fn is_unexplained_not_found(&self) -> bool {
        match &self.kind {
            ErrorKind::Refused { status, refusal } => {
                *status == StatusCode::NOT_FOUND && refusal.error.is_empty()
            }
            _ => false,
        }
    }

    /// Whether it is an error that the API of an exporter explains.
    pub fn is_of_api(&self) -> bool {
        matches!(&self.kind, ErrorKind::Refused { refusal, .. } if !refusal.hint.is_empty())
    }

    /// The fix.
    pub fn hint(&self) -> String {
        match &self.kind {
            ErrorKind::Unreachable(error) => error
                .hint()
                .unwrap_or("check the address, and that the exporter runs")
                .to_owned(),
            ErrorKind::Refused { status, refusal } => match status.as_u16() {
                401 => "give an Authorization header in --header-file".to_owned(),
                _ if !refusal.hint.is_empty() => refusal.hint.clone(),
                403 => "give the Authorization header of a user to whom `access` grants the tenant in --header-file".to_owned(),
                404 if refusal.error.starts_with(DISABLED) => {
                    "start the exporter without this flag, or name its --state.dir".to_owned()
                }
                429 | 503 => "try again in a minute".to_owned(),
                _ => "give the address of the exporter with its route prefix, such as http://localhost:10365".to_owned(),
            },
            ErrorKind::Unreadable => {
                "give the address of an exporter of this version, with its route prefix".to_owned()
            }
            ErrorKind::TooOld(_) => "update the exporter to the version of this program".to_owned(),
        }
    }
}

impl ExporterClient {
    /// A client that trusts the system's authorities. It does not connect yet.
    pub fn new(url: Url, headers: Headers) -> Result<Self, SetupError> {
        Ok(Self {
            http: HttpClient::of_server(&url, TIMEOUT, &[])?,
            url,
            headers,
        })
    }

    /// The document at a path of the API.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<T, ExporterError> {
        let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
        let body = self.bytes(&segments, parameters).await?;
        serde_json::from_slice(&body).map_err(|_| self.unreadable())
    }

    /// The body at the path of these segments.
    pub async fn bytes(
        &self,
        segments: &[&str],
        parameters: &[(&str, &str)],
    ) -> Result<Vec<u8>, ExporterError> {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url.set_query(None);
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        let request = self
            .http
            .request(Method::GET, url)
            .headers(self.headers.map.clone());
        let failed = |error| self.error(ErrorKind::Unreachable(error));
        let response = self.http.exchange(request, MAX_BODY).await;
        let HttpResponse {
            status,
            headers,
            body,
        } = response.map_err(failed)?;
        let body = body.map_err(failed)?;
        if status.is_success() {
            return Ok(body);
        }
        let Refusal { error, hint } = Refusal::of(&headers, &body);
        let refusal = Refusal {
            error: self.headers.shown(&error),
            hint: self.headers.shown(&hint),
        };
        Err(self.error(ErrorKind::Refused { status, refusal }))
    }

    /// The error for a document that is not the one that was requested.
    pub fn unreadable(&self) -> ExporterError {
        self.error(ErrorKind::Unreadable)
    }

    /// The error for an exporter that lacks what was requested.
    pub fn too_old(&self, lacks: &'static str) -> ExporterError {
        self.error(ErrorKind::TooOld(lacks))
    }

    fn error(&self, kind: ErrorKind) -> ExporterError {
        ExporterError {
            server: self.url.origin().ascii_serialization(),
            kind,
        }
    }
}
