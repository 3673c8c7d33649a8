//! Error responses of the API.

use super::format::ApiFormat;
use crate::http_types::response::{data, with};
use crate::http_types::{QueryError, Response};
use bytes::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Method, StatusCode};
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static(ApiFormat::Json.content_type());

/// Why a request fails.
#[derive(Debug)]
pub(super) enum ApiError {
    /// The query is not valid.
    InvalidQuery(QueryError),
    /// No such path.
    NotFound(String),
    /// No such tenant.
    UnknownTenant {
        /// As requested.
        name: String,
        /// The most similar alias.
        similar: Option<String>,
    },
    /// Only `GET` and `HEAD` are allowed.
    Method(Method),
    /// None of these formats is acceptable.
    NotAcceptable(&'static [ApiFormat]),
    /// Too many large responses are in flight.
    Busy,
    /// A bug.
    Internal,
}

/// The body of an error response.
#[derive(Serialize)]
struct ErrorDocument {
    error: String,
    hint: String,
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        Self::InvalidQuery(error)
    }
}

impl ApiError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::InvalidQuery(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) | Self::UnknownTenant { .. } => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error(&self) -> String {
        match self {
            Self::InvalidQuery(error) => error.problem().to_owned(),
            Self::NotFound(path) => format!("unknown path {path:?}"),
            Self::UnknownTenant { name, .. } => format!("unknown tenant {name:?}"),
            Self::Method(method) => format!("{method} is not allowed here"),
            Self::NotAcceptable(_) => "none of the accepted formats is available".to_owned(),
            Self::Busy => "too many large responses are in flight".to_owned(),
            Self::Internal => "the response cannot be rendered".to_owned(),
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::InvalidQuery(error) => error.remedy().to_owned(),
            Self::NotFound(_) => "the paths are /api/v1/acceptances and /api/v1/tenants".to_owned(),
            Self::UnknownTenant { similar, .. } => match similar {
                Some(similar) => {
                    format!("did you mean {similar:?}? /api/v1/tenants lists all tenants")
                }
                None => "/api/v1/tenants lists all tenants".to_owned(),
            },
            Self::Method(_) => "use GET or HEAD".to_owned(),
            Self::NotAcceptable(offered) => {
                let names: Vec<_> = offered.iter().map(|it| it.name()).collect();
                format!("accept {}", names.join(" or "))
            }
            Self::Busy => "try again in a few seconds, or request one tenant".to_owned(),
            Self::Internal => "read the exporter's log, and report this bug".to_owned(),
        }
    }

    /// The error as a response.
    pub(super) fn response(self) -> Response {
        let document = ErrorDocument {
            error: self.error(),
            hint: self.hint(),
        };
        let mut body = serde_json::to_vec(&document).unwrap_or_default();
        body.push(b'\n');
        let response = data(self.status(), JSON, Bytes::from(body));
        let (name, value) = match self {
            Self::Method(_) => (header::ALLOW, "GET, HEAD"),
            Self::Busy => (header::RETRY_AFTER, "5"),
            _ => return response,
        };
        with(response, name, HeaderValue::from_static(value))
    }
}
