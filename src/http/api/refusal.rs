//! Why a request gets no answer, and what would be answered.

use super::media::Media;
use crate::http::query::BadQuery;
use crate::http::reply::{Reply, data, with};
use bytes::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Method, StatusCode};
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static(Media::Json.content_type());

/// A request without an answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A query that was not understood.
    Query(BadQuery),
    /// No such address.
    NotFound(String),
    /// No such tenant.
    NoTenant {
        /// As it was asked for.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// Only looking is allowed here.
    Method(Method),
    /// None of these formats is accepted.
    NotAcceptable(&'static [Media]),
    /// Too many large answers are under way.
    Busy,
    /// A fault of ours.
    Internal,
}

/// The body of a refusal.
#[derive(Serialize)]
struct Told {
    error: String,
    hint: String,
}

impl From<BadQuery> for Refusal {
    fn from(bad: BadQuery) -> Self {
        Self::Query(bad)
    }
}

impl Refusal {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Query(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) | Self::NoTenant { .. } => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error(&self) -> String {
        match self {
            Self::Query(bad) => bad.wrong().to_owned(),
            Self::NotFound(path) => format!("there is nothing at {path:?}"),
            Self::NoTenant { name, .. } => format!("no tenant {name:?} is watched here"),
            Self::Method(method) => format!("{method} is not allowed here"),
            Self::NotAcceptable(_) => "none of the accepted formats can be written".to_owned(),
            Self::Busy => "too many large answers are being sent".to_owned(),
            Self::Internal => "the answer could not be made".to_owned(),
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Query(bad) => bad.remedy().to_owned(),
            Self::NotFound(_) => "there are /api/v1/acceptances and /api/v1/tenants".to_owned(),
            Self::NoTenant {
                nearest: Some(nearest),
                ..
            } => format!("did you mean {nearest:?}? /api/v1/tenants lists all"),
            Self::NoTenant { nearest: None, .. } => {
                "/api/v1/tenants lists those that are".to_owned()
            }
            Self::Method(_) => "use GET or HEAD".to_owned(),
            Self::NotAcceptable(offered) => {
                let names: Vec<_> = offered.iter().map(|it| it.name()).collect();
                format!("accept {}", names.join(" or "))
            }
            Self::Busy => "try again in a few seconds, or ask for one tenant".to_owned(),
            Self::Internal => "the log may say more; please report it".to_owned(),
        }
    }

    /// The refusal as it is sent.
    pub(super) fn reply(self) -> Reply {
        let told = Told {
            error: self.error(),
            hint: self.hint(),
        };
        let mut body = serde_json::to_vec(&told).unwrap_or_default();
        body.push(b'\n');
        let answer = data(self.status(), JSON, Bytes::from(body));
        match self {
            Self::Method(_) => with(answer, header::ALLOW, HeaderValue::from_static("GET, HEAD")),
            Self::Busy => with(answer, header::RETRY_AFTER, HeaderValue::from_static("5")),
            _ => answer,
        }
    }
}
