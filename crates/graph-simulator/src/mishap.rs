//! Faults that take the place of an answer.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderName, LOCATION, RETRY_AFTER};
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::body::Body;
use super::entra;
use super::fault::{RetryAfter, What};
use super::reply::{Content, Ids, Outcome, Reply, entra_error, pack};
use super::request_log::Api;

/// The size of the pieces an oversized body is made of.
const PIECE: usize = 64 * 1024;

/// The start of a list that never gets to its first element.
const OPENING: &str = r#"{"value":["#;

/// What Graph says to a token without the permission.
const FORBIDDEN: (&str, &str) = (
    "accessDenied",
    "Auth token does not contain valid permissions or user does not have valid roles.",
);

/// The answer a fault gives in place of the good one, if it is of that kind.
///
/// `asked` is the request, for those that repeat it.
pub(super) fn instead(what: &What, api: Api, ids: &Ids, asked: &str) -> Option<Outcome> {
    let reply = match what {
        What::Reset => return Some(Outcome::Dropped),
        What::Throttle { retry_after } => {
            let error = ("TooManyRequests", "Too many requests; come back later.");
            let reply = Reply::error(api, StatusCode::TOO_MANY_REQUESTS, ids, error);
            until(reply, *retry_after)
        }
        What::Unavailable { retry_after } => until(failed(503, api, ids), *retry_after),
        What::Status(status) | What::SelectUnsupported(status) => failed(*status, api, ids),
        What::Forbidden => forbidden(api, ids),
        What::Aadsts(number) => entra::refusal(*number, ids),
        What::Stall => Reply::of(Content::Raw(Body::stalled())),
        What::Malformed => text("application/json", r#"{"value":[{"id":"half of a"#),
        What::WrongContentType => text(
            "text/html; charset=utf-8",
            "<!DOCTYPE html><title>Sign in</title><p>Please sign in.",
        ),
        What::Body(text) => json_text(text),
        What::EmptyBody => text("application/json", ""),
        What::EmptyValue => Reply::of(Content::Json(json!({"value": []}))),
        What::HugeBody(bytes) => Reply::of(Content::Raw(huge(*bytes))),
        What::GzipBomb(bytes) => bomb(*bytes)?,
        What::Redirect(to) => redirect(to),
        What::Echo => echo(asked, api, ids),
        What::EchoPage => echo_page(asked),
        What::EchoAnswer => echo_answer(asked),
        _ => return None,
    };
    Some(Outcome::Answered(reply))
}

/// A refusal in the words of the interface, and what it refuses.
fn echo(asked: &str, api: Api, ids: &Ids) -> Reply {
    let text = format!("This was not understood: {asked}");
    match api {
        Api::Token => {
            let error = entra_error(("invalid_request", &text), 900_144, ids);
            Reply::json(StatusCode::BAD_REQUEST, error)
        }
        Api::Scores | Api::Profiles => {
            let reply = Reply::error(api, StatusCode::BAD_REQUEST, ids, ("BadRequest", &text));
            reply.with(HeaderName::from_static("request-id"), asked.to_owned())
        }
    }
}

/// A list whose every text is what was asked.
fn echo_answer(asked: &str) -> Reply {
    Reply::of(Content::Json(json!({
        "@odata.nextLink": format!("https://{}/", asked.replace([' ', ':', ';'], "-")),
        "value": [{"id": "A", "title": asked, "azureTenantId": asked, "controlStateUpdates": []}],
    })))
}

/// A proxy's page about a request.
fn echo_page(asked: &str) -> Reply {
    let page = format!("<!DOCTYPE html><title>Blocked</title><pre>{asked}</pre>");
    let mut reply = Reply::of(Content::Raw(Body::whole(page)));
    reply.status = StatusCode::FORBIDDEN;
    reply
}

/// 403 for want of a permission.
pub(super) fn forbidden(api: Api, ids: &Ids) -> Reply {
    Reply::error(api, StatusCode::FORBIDDEN, ids, FORBIDDEN)
}

/// The reply with a word on when to come back.
fn until(reply: Reply, retry_after: RetryAfter) -> Reply {
    match retry_after {
        RetryAfter::None => reply,
        RetryAfter::Seconds(seconds) => reply.with(RETRY_AFTER, seconds.to_string()),
        RetryAfter::HttpDate(seconds) => reply.with(RETRY_AFTER, http_date(ahead(seconds))),
        RetryAfter::HttpDateAgo(seconds) => reply.with(RETRY_AFTER, http_date(-ahead(seconds))),
    }
}

fn ahead(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn http_date(ahead: SignedDuration) -> String {
    let date = Timestamp::now()
        .saturating_add(ahead)
        .unwrap_or(Timestamp::MAX);
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&date)
        .unwrap_or_default()
}

fn failed(status: u16, api: Api, ids: &Ids) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = status
        .canonical_reason()
        .unwrap_or("UnknownError")
        .replace(' ', "");
    Reply::error(
        api,
        status,
        ids,
        (&code, "The request failed as it was told to."),
    )
}

fn text(content_type: &'static str, text: &'static str) -> Reply {
    Reply::of(Content::Text { content_type, text })
}

fn json_text(text: &str) -> Reply {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    Reply::of(Content::Raw(Body::whole(bytes)))
}

fn redirect(to: &str) -> Reply {
    let reply = Reply {
        status: StatusCode::FOUND,
        ..text("text/plain", "")
    };
    reply.with(LOCATION, to)
}

fn huge(bytes: usize) -> Body {
    let mut piece = vec![b' '; PIECE];
    piece.splice(..OPENING.len(), OPENING.bytes());
    Body::repeated(Bytes::from(piece), bytes.div_ceil(PIECE))
}

fn bomb(bytes: usize) -> Option<Reply> {
    let mut plain = vec![b' '; bytes.max(OPENING.len())];
    plain.splice(..OPENING.len(), OPENING.bytes());
    Some(Reply::of(Content::Gzipped(pack(&plain).ok()?.into())))
}
