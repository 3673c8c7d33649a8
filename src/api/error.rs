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
    /// The status, what is wrong, and how to fix it.
    fn parts(&self) -> (StatusCode, String, String) {
        let (status, error, hint) = match self {
            Self::InvalidQuery(error) => (
                StatusCode::BAD_REQUEST,
                error.problem().to_owned(),
                error.remedy(),
            ),
            Self::NotFound(path) => (
                StatusCode::NOT_FOUND,
                format!("unknown path {path:?}"),
                "the paths are /api/v1/acceptances and /api/v1/tenants",
            ),
            Self::UnknownTenant { name, similar } => {
                let lists_all = "/api/v1/tenants lists all tenants";
                let hint = match similar {
                    Some(similar) => format!("did you mean {similar:?}? {lists_all}"),
                    None => lists_all.to_owned(),
                };
                return (
                    StatusCode::NOT_FOUND,
                    format!("unknown tenant {name:?}"),
                    hint,
                );
            }
            Self::Method(method) => (
                StatusCode::METHOD_NOT_ALLOWED,
                format!("{method} is not allowed here"),
                "use GET or HEAD",
            ),
            Self::NotAcceptable(offered) => {
                let error = "none of the accepted formats is available".to_owned();
                let names: Vec<_> = offered.iter().map(|it| it.name()).collect();
                let hint = format!("accept {}", names.join(" or "));
                return (StatusCode::NOT_ACCEPTABLE, error, hint);
            }
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too many large responses are in flight".to_owned(),
                "try again in a few seconds, or request one tenant",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "the response cannot be rendered".to_owned(),
                "read the exporter's log, and report this bug",
            ),
        };
        (status, error, hint.to_owned())
    }

    /// The error as a response.
    pub(super) fn response(self) -> Response {
        let (status, error, hint) = self.parts();
        let mut body = serde_json::to_vec(&ErrorDocument { error, hint }).unwrap_or_default();
        body.push(b'\n');
        let response = data(status, JSON, Bytes::from(body));
        let (name, value) = match self {
            Self::Method(_) => (header::ALLOW, "GET, HEAD"),
            Self::Busy => (header::RETRY_AFTER, "5"),
            _ => return response,
        };
        with(response, name, HeaderValue::from_static(value))
    }
}
