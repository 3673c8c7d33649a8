//! The bodies of requests for the control API, and its errors.

use hyper::StatusCode;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::handle::HandleError;

/// Status and text of an error response.
pub(crate) struct ApiError(pub(crate) StatusCode, pub(crate) String);

pub(crate) type Result<T> = std::result::Result<T, ApiError>;

/// The response to a change.
pub(crate) fn done() -> Value {
    json!({"done": true})
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| bad_request(format!("invalid body: {error}")))
}

pub(crate) fn timestamp(key: &str, text: &str) -> Result<Timestamp> {
    text.parse().map_err(|_| {
        bad_request(format!(
            "{key}: {text:?} is not a timestamp; write it like 2026-01-02T03:04:05Z"
        ))
    })
}

pub(crate) fn not_found(text: String) -> ApiError {
    ApiError(StatusCode::NOT_FOUND, text)
}

pub(crate) fn bad_request(text: String) -> ApiError {
    ApiError(StatusCode::BAD_REQUEST, text)
}

impl From<HandleError> for ApiError {
    fn from(error: HandleError) -> Self {
        let text = error.to_string();
        match error {
            HandleError::UnknownTenant { .. }
            | HandleError::UnknownControl { .. }
            | HandleError::UnknownRecommendation { .. }
            | HandleError::UnknownResource { .. }
            | HandleError::UnknownPartner { .. }
            | HandleError::UnknownCustomer { .. }
            | HandleError::UnknownFault(_) => not_found(text),
            HandleError::NotScored { .. }
            | HandleError::NotAPercentage(_)
            | HandleError::Credential(_)
            | HandleError::Fault(_) => bad_request(text),
        }
    }
}
