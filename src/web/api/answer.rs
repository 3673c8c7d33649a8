//! JSON answers.

use super::Refusal;
use crate::web::reply::{Reply, data};
use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What is said where there is no answer.
#[derive(Serialize)]
struct ErrorAnswer<'a> {
    error: &'a str,
    hint: &'a str,
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Reply, Refusal> {
    match serde_json::to_vec(value) {
        Ok(bytes) => Ok(data(StatusCode::OK, JSON, bytes)),
        Err(_) => Err(Refusal {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            error: "the answer cannot be written".to_owned(),
            hint: "this is a fault of the exporter; please report it".to_owned(),
        }),
    }
}

/// A refusal as JSON.
pub(super) fn failed(refusal: Refusal) -> Reply {
    let answer = ErrorAnswer {
        error: &refusal.error,
        hint: &refusal.hint,
    };
    let bytes = serde_json::to_vec(&answer).unwrap_or_default();
    data(refusal.status, JSON, bytes)
}
