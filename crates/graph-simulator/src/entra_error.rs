//! Entra's errors, by AADSTS number.

use hyper::StatusCode;

use crate::reply::{Reply, RequestIds, entra_error};

/// The error response of an AADSTS number.
pub(crate) fn reply(number: u32, ids: &RequestIds) -> Reply {
    let (status, code, text) = description(number);
    let text = format!("AADSTS{number}: {text}.");
    Reply::entra_json(status, entra_error(code, &text, Some(number), ids))
}

/// Status, `error` and text of an AADSTS number.
#[rustfmt::skip]
fn description(number: u32) -> (StatusCode, &'static str, &'static str) {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    const DENIED: StatusCode = StatusCode::UNAUTHORIZED;
    const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
    match number {
        50_013 => (DENIED, "invalid_client", "The assertion is not signed by its issuer"),
        50_027 => (DENIED, "invalid_client", "The assertion is not a JWT"),
        50_196 => (BAD, "invalid_grant", "The client requests tokens in a loop"),
        53_000 | 53_003 | 530_003 => (BAD, "invalid_grant", "A Conditional Access policy blocks the token"),
        65_001 => (BAD, "invalid_grant", "No administrator of the tenant has consented to the application"),
        70_003 => (BAD, "unsupported_grant_type", "The grant type is not supported"),
        70_011 => (BAD, "invalid_scope", "The scope is not valid; it must end in /.default"),
        70_021 | 700_211..=700_213 => (DENIED, "invalid_client", "No federated identity matches the assertion"),
        90_002 => (BAD, "invalid_request", "The tenant was not found"),
        90_006 | 90_033 => (UNAVAILABLE, "temporarily_unavailable", "The service is temporarily unavailable"),
        500_011 | 650_052 => (BAD, "invalid_resource", "The resource was not found in the tenant"),
        700_016 => (BAD, "unauthorized_client", "The application was not found in the tenant"),
        700_021 => (DENIED, "invalid_client", "The client assertion is of another application"),
        700_023 => (DENIED, "invalid_client", "The client assertion has another audience"),
        700_024 => (DENIED, "invalid_client", "The client assertion is outside its time range"),
        700_027 => (DENIED, "invalid_client", "The client assertion has an invalid signature or format"),
        900_023 => (BAD, "invalid_request", "The tenant is neither a GUID nor a domain"),
        900_144 => (BAD, "invalid_request", "A parameter of the form is missing"),
        900_561 => (BAD, "invalid_request", "The endpoint accepts POST only"),
        1_000_502 => (DENIED, "invalid_client", "The certificate has expired"),
        7_000_112 => (BAD, "unauthorized_client", "The application is disabled"),
        7_000_215 => (DENIED, "invalid_client", "The client secret is wrong; send its value, not its id"),
        7_000_218 => (DENIED, "invalid_client", "A client secret or assertion is required"),
        7_000_222 => (DENIED, "invalid_client", "The client secret has expired"),
        7_000_229 => (BAD, "unauthorized_client", "The application has no service principal in the tenant"),
        _ => (BAD, "invalid_request", "The request was rejected"),
    }
}
