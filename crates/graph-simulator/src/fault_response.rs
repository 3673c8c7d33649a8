//! Responses that a fault replaces, and the delay it adds.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderName, LOCATION, RETRY_AFTER};
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::active_faults::{ActiveFaults, FaultTarget};
use crate::body::ResponseBody;
use crate::entra_error;
use crate::fault::{FaultKind, RetryAfter};
use crate::incoming::IncomingRequest;
use crate::recorded_request::Api;
use crate::reply::{Content, Outcome, Reply, RequestIds, entra_error as entra_error_json, gzip};

/// The size of the chunks of an oversized body.
const CHUNK_BYTES: usize = 64 * 1024;

/// The start of a list whose first element never comes.
const LIST_START: &[u8] = br#"{"value":["#;

/// Replies to a request unless a fault replaces the reply.
///
/// `reply` receives the fault, for those that change a reply.
pub(crate) async fn respond(
    faults: &ActiveFaults,
    target: FaultTarget<'_>,
    request: &IncomingRequest,
    reply: impl FnOnce(Option<&FaultKind>) -> Reply,
) -> Outcome {
    let fault = faults.apply(target);
    if let Some(FaultKind::Slow { millis }) = fault {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    let replaced = fault
        .as_ref()
        .and_then(|kind| replace(kind, target.api, request));
    replaced.unwrap_or_else(|| Outcome::Replied(reply(fault.as_ref())))
}

/// The outcome of a fault that replaces the whole response.
fn replace(kind: &FaultKind, api: Api, request: &IncomingRequest) -> Option<Outcome> {
    let ids = &request.ids;
    let reply = match kind {
        FaultKind::Reset => return Some(Outcome::ConnectionDropped),
        FaultKind::Throttle { retry_after } => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            let text = "Too many requests; retry later.";
            let reply = Reply::error(api, status, ids, "TooManyRequests", text);
            with_retry_after(reply, *retry_after)
        }
        FaultKind::Unavailable { retry_after } => {
            with_retry_after(failed(503, api, ids), *retry_after)
        }
        FaultKind::Status(status) | FaultKind::SelectUnsupported(status) => {
            failed(*status, api, ids)
        }
        FaultKind::Forbidden => forbidden(api, ids),
        FaultKind::NotAvailable(status) => not_available(*status, api, ids),
        FaultKind::Aadsts(number) => entra_error::reply(*number, ids),
        FaultKind::Stall => Reply::ok(Content::Raw(ResponseBody::stalled())),
        FaultKind::Malformed => text("application/json", r#"{"value":[{"id":"half of a"#),
        FaultKind::WrongContentType => text(
            "text/html; charset=utf-8",
            "<!DOCTYPE html><title>Sign in</title><p>Please sign in.",
        ),
        FaultKind::Body(body) => raw(body.clone()),
        FaultKind::EmptyBody => text("application/json", ""),
        FaultKind::EmptyValue => Reply::ok(Content::Json(json!({"value": []}))),
        FaultKind::HugeBody(bytes) => huge(*bytes),
        FaultKind::GzipBomb(bytes) => gzip_bomb(*bytes)?,
        FaultKind::Redirect(to) => redirect(to),
        FaultKind::ErrorText(text) => error_text(api, ids, text),
        FaultKind::Echo => echo(api, request),
        FaultKind::EchoPage => echo_page(&request.echo),
        FaultKind::EchoAnswer => echo_list(api, &request.echo),
        _ => return None,
    };
    Some(Outcome::Replied(reply))
}

/// An error that repeats the request.
fn echo(api: Api, request: &IncomingRequest) -> Reply {
    let echo = &request.echo;
    let text = format!("This was not understood: {echo}");
    let reply = error_text(api, &request.ids, &text);
    match api {
        Api::Token => reply,
        _ => reply.with(HeaderName::from_static("request-id"), echo),
    }
}

/// 400 with a text.
fn error_text(api: Api, ids: &RequestIds, text: &str) -> Reply {
    let status = StatusCode::BAD_REQUEST;
    match api {
        Api::Token => {
            let error = entra_error_json("invalid_request", text, Some(900_144), ids);
            Reply::json(status, error)
        }
        _ => Reply::graph_error(status, ids, "BadRequest", text),
    }
}

/// A list whose strings repeat the request.
fn echo_list(api: Api, echo: &str) -> Reply {
    let host = echo.replace([' ', ':', ';'], "-");
    let element = match api {
        Api::Recommendations => json!({
            "id": echo, "recommendationType": echo, "category": echo, "status": echo,
            "displayName": echo, "lastModifiedBy": echo, "lastModifiedDateTime": echo,
        }),
        Api::IdentityScores => {
            json!({"tenantScore": echo, "tenantMaxScore": echo, "createDateTime": echo})
        }
        Api::Customers | Api::Organization => {
            json!({"id": echo, "tenantId": echo, "displayName": echo})
        }
        Api::Relationships => json!({
            "id": echo, "displayName": echo, "status": "active", "endDateTime": echo,
            "autoExtendDuration": echo, "customer": {"tenantId": echo, "displayName": echo},
        }),
        Api::Token | Api::Scores | Api::Profiles | Api::Proxy => {
            json!({"id": "A", "title": echo, "azureTenantId": echo, "controlStateUpdates": []})
        }
    };
    Reply::ok(Content::Json(json!({
        "@odata.nextLink": format!("https://{host}/"),
        "value": [element],
    })))
}

/// The page of a proxy that repeats the request.
fn echo_page(echo: &str) -> Reply {
    let page = format!("<!DOCTYPE html><title>Blocked</title><pre>{echo}</pre>");
    Reply {
        status: StatusCode::FORBIDDEN,
        ..raw(page)
    }
}

/// 403 for a missing permission.
pub(crate) fn forbidden(api: Api, ids: &RequestIds) -> Reply {
    let (code, text) = match api {
        Api::Recommendations
        | Api::IdentityScores
        | Api::Customers
        | Api::Relationships
        | Api::Organization => (
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        ),
        Api::Token | Api::Scores | Api::Profiles | Api::Proxy => (
            "accessDenied",
            "Auth token does not contain valid permissions or user does not have valid roles.",
        ),
    };
    Reply::error(api, StatusCode::FORBIDDEN, ids, code, text)
}

/// The error of a cloud that lacks a list.
fn not_available(status: u16, api: Api, ids: &RequestIds) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
    let code = match status {
        StatusCode::BAD_REQUEST => "BadRequest",
        _ => "ResourceNotFound",
    };
    let segment = match api {
        Api::Customers => "delegatedAdminCustomers",
        Api::Relationships => "delegatedAdminRelationships",
        Api::Organization => "multiTenantOrganization",
        _ => "recommendations",
    };
    let text = format!("Resource not found for the segment '{segment}'.");
    Reply::error(api, status, ids, code, &text)
}

fn with_retry_after(reply: Reply, retry_after: RetryAfter) -> Reply {
    let value = match retry_after {
        RetryAfter::None => return reply,
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::HttpDate(seconds) => http_date(duration(seconds)),
        RetryAfter::HttpDateAgo(seconds) => http_date(-duration(seconds)),
    };
    reply.with(RETRY_AFTER, value)
}

fn duration(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn http_date(from_now: SignedDuration) -> String {
    let date = Timestamp::now()
        .saturating_add(from_now)
        .unwrap_or(Timestamp::MAX);
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&date)
        .unwrap_or_default()
}

fn failed(status: u16, api: Api, ids: &RequestIds) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = status.canonical_reason().unwrap_or("UnknownError");
    let text = "An injected fault failed the request.";
    Reply::error(api, status, ids, &code.replace(' ', ""), text)
}

fn text(content_type: &'static str, text: &'static str) -> Reply {
    Reply::ok(Content::Text { content_type, text })
}

/// A body with Graph's content type, whatever it contains.
fn raw(body: String) -> Reply {
    Reply::ok(Content::Raw(ResponseBody::complete(body)))
}

fn redirect(to: &str) -> Reply {
    let reply = Reply {
        status: StatusCode::FOUND,
        ..text("text/plain", "")
    };
    reply.with(LOCATION, to)
}

fn huge(bytes: usize) -> Reply {
    let chunk = Bytes::from(padded_list(CHUNK_BYTES));
    let body = ResponseBody::repeated(chunk, bytes.div_ceil(CHUNK_BYTES));
    Reply::ok(Content::Raw(body))
}

fn gzip_bomb(bytes: usize) -> Option<Reply> {
    let packed = gzip(&padded_list(bytes)).ok()?;
    Some(Reply::ok(Content::Gzipped(packed.into())))
}

/// The start of a list, then spaces.
fn padded_list(bytes: usize) -> Vec<u8> {
    let mut list = LIST_START.to_vec();
    list.resize(bytes.max(LIST_START.len()), b' ');
    list
}
