//! The client of a running exporter, for commands.

use super::{
    Headers, HttpClient, HttpResponse, SetupError, TransportError, USER_AGENT, is_on_this_machine,
};
use crate::text::{single_line, truncate};
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Connecting takes milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The exporter answers from memory.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A thousand decisions with what they cover are some megabytes.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// The maximum length of the exporter's message, in characters.
const MAX_MESSAGE: usize = 300;

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
    #[error("answered {}: {}", .status.as_u16(), .refusal.error)]
    Refused {
        status: StatusCode,
        refusal: Refusal,
    },
    #[error("gave an answer that cannot be read")]
    Unreadable,
}

/// The body of an error response of the API.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    error: String,
    hint: String,
}

impl ExporterError {
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
                _ => "give the address of the exporter with its route prefix, such as http://localhost:10365".to_owned(),
            },
            ErrorKind::Unreadable => {
                "give the address of an exporter of this version, with its route prefix".to_owned()
            }
        }
    }
}

impl ExporterClient {
    /// A client that trusts the system's authorities. It does not connect yet.
    pub fn new(url: Url, headers: Headers) -> Result<Self, SetupError> {
        let is_plain = url.scheme() == "http";
        let http = HttpClient::new(!is_on_this_machine(&url), move || {
            let builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT)
                .referer(false)
                .user_agent(USER_AGENT);
            // Plain HTTP also works on a machine without authorities.
            Ok(match is_plain {
                true => builder.tls_certs_only([]),
                false => builder,
            })
        });
        Ok(Self {
            http: http?,
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
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
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
        let HttpResponse { status, body, .. } = response.map_err(failed)?;
        let body = body.map_err(failed)?;
        if status.is_success() {
            let document = serde_json::from_slice(&body);
            return document.map_err(|_| self.error(ErrorKind::Unreadable));
        }
        let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
        let shown = |text: &str| truncate(&single_line(&self.headers.redact(text)), MAX_MESSAGE);
        let error = match refusal.error.as_str() {
            "" => status.canonical_reason().unwrap_or("nothing").to_owned(),
            error => shown(error),
        };
        let hint = shown(&refusal.hint);
        let refusal = Refusal { error, hint };
        Err(self.error(ErrorKind::Refused { status, refusal }))
    }

    fn error(&self, kind: ErrorKind) -> ExporterError {
        ExporterError {
            server: self.url.origin().ascii_serialization(),
            kind,
        }
    }
}
