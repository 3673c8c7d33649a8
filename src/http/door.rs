//! What the gate says of a request, and the headers it wants on answers.

use super::reply::{Reply, text, with};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use exporter_web_config::{Gate, Rules, Users, Verdict};
use hyper::header::{
    AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Request, StatusCode};
use zeroize::Zeroizing;

/// What a client is asked for; the realm is what a browser shows.
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"secure-score-exporter\", charset=\"UTF-8\"");

/// Lets a request in to be answered, or answers it at the door.
///
/// In the order of the family: the limit, then who it is; the headers of the
/// file go onto every answer, a refusal included.
pub(super) async fn answer<B, R: Future<Output = Reply>>(
    gate: &Gate,
    request: Request<B>,
    inside: impl FnOnce(Request<B>) -> R,
) -> Reply {
    let Some(rules) = gate.rules() else {
        return shut();
    };
    let answer = match refusal(&rules, request.headers()).await {
        Some(refusal) => refusal,
        None => inside(request).await,
    };
    adorned(answer, &rules)
}

async fn refusal(rules: &Rules, headers: &HeaderMap) -> Option<Reply> {
    if rules.flood.as_ref().is_some_and(|flood| !flood.admits()) {
        return Some(too_many());
    }
    let users = rules.users.as_ref()?;
    match verdict(users, headers).await {
        Verdict::Known => None,
        Verdict::Unknown => Some(unknown()),
        Verdict::Crowded => Some(crowded()),
    }
}

async fn verdict(users: &Users, headers: &HeaderMap) -> Verdict {
    let pair = credentials(headers);
    match pair.as_ref().and_then(|pair| pair.split_once(':')) {
        Some((user, password)) => users.know(user, password).await,
        None => Verdict::Unknown,
    }
}

/// `user:password`, where the request brings them.
fn credentials(headers: &HeaderMap) -> Option<Zeroizing<String>> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    String::from_utf8(decoded).ok().map(Zeroizing::new)
}

fn unknown() -> Reply {
    let line = "who are you? Give user and password (basic auth)\n".to_owned();
    with(
        text(StatusCode::UNAUTHORIZED, line),
        WWW_AUTHENTICATE,
        CHALLENGE,
    )
}

fn crowded() -> Reply {
    let line = "too many passwords wait to be checked; try again\n".to_owned();
    let soon = HeaderValue::from_static("1");
    with(
        text(StatusCode::SERVICE_UNAVAILABLE, line),
        RETRY_AFTER,
        soon,
    )
}

fn too_many() -> Reply {
    let line = "more requests than rate_limit of the web configuration allows\n";
    text(StatusCode::TOO_MANY_REQUESTS, line.to_owned())
}

fn shut() -> Reply {
    let line = "the web configuration is broken; the exporter's log says where\n";
    text(StatusCode::INTERNAL_SERVER_ERROR, line.to_owned())
}

fn adorned(mut answer: Reply, rules: &Rules) -> Reply {
    for (name, value) in &rules.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
