//! Error responses of the API.

use super::format::ApiFormat;
use crate::http_types::response::{data, with};
use crate::http_types::{QueryError, Response};
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static(ApiFormat::Json.content_type());

/// Why a request fails, and how to fix it: the body of an error response.
#[derive(Debug, Serialize)]
pub(super) struct ApiError {
    #[serde(skip)]
    status: StatusCode,
    error: String,
    hint: String,
    /// One more header of the response.
    #[serde(skip)]
    header: Option<(HeaderName, &'static str)>,
}

impl From<QueryError> for ApiError {
    fn from(QueryError { problem, remedy }: QueryError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, problem, remedy)
    }
}

impl ApiError {
    /// What is wrong, and how to fix it.
    pub(super) fn new(
        status: StatusCode,
        error: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            status,
            error: error.into(),
            hint: hint.into(),
            header: None,
        }
    }

    /// A bug.
    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the response cannot be rendered",
            "read the exporter's log, and report this bug",
        )
    }

    /// The error with one more header.
    pub(super) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The error as a response.
    pub(super) fn response(self) -> Response {
        let mut body = serde_json::to_vec(&self).unwrap_or_default();
        body.push(b'\n');
        let response = data(self.status, JSON, Bytes::from(body));
        match self.header {
            Some((name, value)) => with(response, name, HeaderValue::from_static(value)),
            None => response,
        }
    }
}
