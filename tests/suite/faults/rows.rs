//! Every fault that is played, and what must come of it.

use graph_simulator::{Api, Fault, FaultKind, RetryAfter};
use secure_score_model::Reason;
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// One fault.
pub(crate) struct Row {
    /// What a person calls it.
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    /// The reason it is counted under; none where it is not noticed.
    pub(crate) reason: Option<Reason>,
    pub(crate) again: Again,
}

/// Where it strikes.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// One tenant's answers.
    Answer(Fault),
    /// The way to Microsoft, which all tenants of a cloud share.
    Network(NetworkFault),
}

/// What happens on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkFault {
    NoSuchName,
    Refused,
    ResetAtOnce,
    ResetMidBody,
    Silent,
    Stuck,
    Drip,
    Garbage,
    Expired,
    WrongHost,
    UnknownAuthority,
}

/// When it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// Within the refresh that met it.
    AtOnce,
    /// Soon, and ever more slowly.
    Backoff,
    /// After so many seconds, as Microsoft said.
    AsAsked(u64),
    /// When a person has had the time to mend it.
    Rarely,
}

impl Again {
    /// The shortest and the longest first wait, for a list of an interval.
    pub(crate) fn wait(self, interval: Duration) -> (Duration, Duration) {
        let exact = match self {
            Self::AtOnce => Duration::ZERO,
            Self::Backoff => Duration::from_secs(30),
            Self::AsAsked(seconds) => Duration::from_secs(seconds),
            Self::Rarely => (interval * 2).min(Duration::from_secs(3600)),
        };
        (exact, exact.mul_f64(1.1))
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::AtOnce => "at once".to_owned(),
            Self::Backoff => "backoff".to_owned(),
            Self::AsAsked(3600) => "`Retry-After` (1 h at most)".to_owned(),
            Self::AsAsked(seconds) => format!("`Retry-After` ({seconds} s)"),
            Self::Rarely => "slow".to_owned(),
        }
    }
}

fn answer(
    name: &'static str,
    api: Api,
    what: FaultKind,
    reason: impl Into<Option<Reason>>,
    again: Again,
) -> Row {
    Row {
        name,
        place: Place::Answer(Fault::new(api, what)),
        reason: reason.into(),
        again,
    }
}

fn once(name: &'static str, api: Api, page: u32, what: FaultKind) -> Row {
    Row {
        name,
        place: Place::Answer(Fault::new(api, what).on_page(page).times(1)),
        reason: None,
        again: Again::AtOnce,
    }
}

fn throttle(retry_after: RetryAfter) -> FaultKind {
    FaultKind::Throttle { retry_after }
}

/// All of them. `elsewhere` is a host that must never hear of us.
pub(crate) fn rows(elsewhere: &str) -> Vec<Row> {
    let mut rows = of_graph(elsewhere);
    rows.extend(of_recommendations(elsewhere));
    rows.extend(of_entra(elsewhere));
    rows.extend(of_the_network());
    rows
}

fn of_graph(elsewhere: &str) -> Vec<Row> {
    use Again::{AsAsked, Backoff, Rarely};
    use Api::{Profiles, Scores};
    let there = || elsewhere.to_owned();
    vec![
        once("one 503", Profiles, 2, FaultKind::Status(503)),
        once("one connection reset", Scores, 1, FaultKind::Reset),
        once(
            "one 401 (token revoked early)",
            Profiles,
            1,
            FaultKind::Status(401),
        ),
        once(
            "one 429 with `Retry-After: 1`",
            Profiles,
            2,
            throttle(RetryAfter::Seconds(1)),
        ),
        answer(
            "400 to `$select` only",
            Profiles,
            FaultKind::SelectUnsupported(400),
            None,
            Again::AtOnce,
        ),
        answer(
            "400 echoing the request and its token",
            Profiles,
            FaultKind::Echo,
            Reason::Rejected,
            Backoff,
        ),
        answer(
            "200 echoing the request and its token",
            Profiles,
            FaultKind::EchoAnswer,
            Reason::Malformed,
            Backoff,
        ),
        answer(
            "403 from a proxy, echoing the request",
            Scores,
            FaultKind::EchoPage,
            Reason::Permission,
            Rarely,
        ),
        answer(
            "400",
            Profiles,
            FaultKind::Status(400),
            Reason::Rejected,
            Backoff,
        ),
        answer(
            "persistent 401",
            Scores,
            FaultKind::Status(401),
            Reason::Unauthorized,
            Rarely,
        ),
        answer(
            "403",
            Profiles,
            FaultKind::Forbidden,
            Reason::Permission,
            Rarely,
        ),
        answer(
            "404",
            Scores,
            FaultKind::Status(404),
            Reason::Rejected,
            Backoff,
        ),
        answer(
            "429 with `Retry-After` in seconds",
            Profiles,
            throttle(RetryAfter::Seconds(120)),
            Reason::Throttled,
            AsAsked(120),
        ),
        answer(
            "429 with `Retry-After` as a date",
            Scores,
            throttle(RetryAfter::HttpDate(300)),
            Reason::Throttled,
            AsAsked(300),
        ),
        answer(
            "429 with a past date (clock skew)",
            Profiles,
            throttle(RetryAfter::HttpDateAgo(3600)),
            Reason::Throttled,
            Backoff,
        ),
        answer(
            "429 with tomorrow's date (clock skew)",
            Profiles,
            throttle(RetryAfter::HttpDate(86_400)),
            Reason::Throttled,
            AsAsked(3600),
        ),
        answer(
            "429 without `Retry-After`",
            Profiles,
            throttle(RetryAfter::None),
            Reason::Throttled,
            Backoff,
        ),
        answer(
            "500",
            Scores,
            FaultKind::Status(500),
            Reason::Server,
            Backoff,
        ),
        answer(
            "502",
            Profiles,
            FaultKind::Status(502),
            Reason::Server,
            Backoff,
        ),
        answer(
            "503",
            Profiles,
            FaultKind::Status(503),
            Reason::Server,
            Backoff,
        ),
        answer(
            "503 with `Retry-After`",
            Scores,
            FaultKind::Unavailable {
                retry_after: RetryAfter::Seconds(120),
            },
            Reason::Server,
            AsAsked(120),
        ),
        answer(
            "504",
            Scores,
            FaultKind::Status(504),
            Reason::Server,
            Backoff,
        ),
        Row {
            name: "500 on page 2 of the catalogue",
            place: Place::Answer(Fault::new(Profiles, FaultKind::Status(500)).on_page(2)),
            reason: Some(Reason::Server),
            again: Backoff,
        },
        answer(
            "206",
            Profiles,
            FaultKind::Partial206,
            Reason::Partial,
            Backoff,
        ),
        answer(
            "redirect to another host",
            Profiles,
            FaultKind::Redirect(format!("https://{elsewhere}/")),
            Reason::Rejected,
            Backoff,
        ),
        answer(
            "response stalls after its headers",
            Profiles,
            FaultKind::Stall,
            Reason::Timeout,
            Backoff,
        ),
        answer(
            "response slower than the timeout",
            Scores,
            FaultKind::slow(Duration::from_secs(90)),
            Reason::Timeout,
            Backoff,
        ),
        answer(
            "truncated body",
            Scores,
            FaultKind::Truncated,
            Reason::Connection,
            Backoff,
        ),
        answer(
            "connection dropped without a response",
            Profiles,
            FaultKind::Reset,
            Reason::Connection,
            Backoff,
        ),
        answer(
            "truncated JSON",
            Profiles,
            FaultKind::Malformed,
            Reason::Malformed,
            Backoff,
        ),
        answer(
            "unexpected JSON shape",
            Scores,
            FaultKind::Body(r#"{"value":{"id":"x"}}"#.to_owned()),
            Reason::Malformed,
            Backoff,
        ),
        answer(
            "HTML instead of JSON",
            Scores,
            FaultKind::WrongContentType,
            Reason::Malformed,
            Backoff,
        ),
        answer(
            "empty body",
            Profiles,
            FaultKind::EmptyBody,
            Reason::Malformed,
            Backoff,
        ),
        answer(
            "report dated in the future",
            Scores,
            FaultKind::FutureReport,
            Reason::Malformed,
            Backoff,
        ),
        answer(
            "empty catalogue",
            Profiles,
            FaultKind::EmptyValue,
            Reason::Emptied,
            Backoff,
        ),
        answer(
            "empty report list",
            Scores,
            FaultKind::EmptyValue,
            Reason::Emptied,
            Backoff,
        ),
        answer(
            "100 MB body",
            Profiles,
            FaultKind::HugeBody(100 * MIB),
            Reason::TooLarge,
            Backoff,
        ),
        answer(
            "17 MB gzip bomb",
            Scores,
            FaultKind::GzipBomb(17 * MIB),
            Reason::TooLarge,
            Backoff,
        ),
        answer(
            "nextLink loop",
            Profiles,
            FaultKind::NextLinkLoop,
            Reason::Paging,
            Backoff,
        ),
        answer(
            "nextLink to another host",
            Profiles,
            FaultKind::NextLinkForeign(there()),
            Reason::Paging,
            Backoff,
        ),
        answer(
            "nextLink without TLS",
            Profiles,
            FaultKind::NextLinkHttp,
            Reason::Paging,
            Backoff,
        ),
        answer(
            "endless pages",
            Profiles,
            FaultKind::EndlessPages,
            Reason::Paging,
            Backoff,
        ),
        answer(
            "catalogue of another tenant",
            Profiles,
            FaultKind::WrongTenant,
            Reason::WrongTenant,
            Rarely,
        ),
        answer(
            "report of another tenant",
            Scores,
            FaultKind::WrongTenant,
            Reason::WrongTenant,
            Rarely,
        ),
    ]
}

/// The lists of Entra, which were read before.
fn of_recommendations(elsewhere: &str) -> Vec<Row> {
    use Again::{AsAsked, Backoff, Rarely};
    use Api::{IdentityScores, Recommendations};
    vec![
        once("one 503", Recommendations, 1, FaultKind::Status(503)),
        once("one 401", IdentityScores, 1, FaultKind::Status(401)),
        answer(
            "permission revoked (403)",
            Recommendations,
            FaultKind::Forbidden,
            Reason::Permission,
            Rarely,
        ),
        answer(
            "404",
            Recommendations,
            FaultKind::Status(404),
            Reason::Rejected,
            Backoff,
        ),
        answer(
            "400",
            IdentityScores,
            FaultKind::Status(400),
            Reason::Rejected,
            Backoff,
        ),
        answer(
            "429 with `Retry-After`",
            Recommendations,
            throttle(RetryAfter::Seconds(120)),
            Reason::Throttled,
            AsAsked(120),
        ),
        answer(
            "500",
            IdentityScores,
            FaultKind::Status(500),
            Reason::Server,
            Backoff,
        ),
        answer(
            "206",
            Recommendations,
            FaultKind::Partial206,
            Reason::Partial,
            Backoff,
        ),
        answer(
            "empty list of recommendations",
            Recommendations,
            FaultKind::EmptyValue,
            Reason::Emptied,
            Backoff,
        ),
        answer(
            "empty list of Identity Secure Scores",
            IdentityScores,
            FaultKind::EmptyValue,
            Reason::Emptied,
            Backoff,
        ),
        answer(
            "truncated JSON",
            IdentityScores,
            FaultKind::Malformed,
            Reason::Malformed,
            Backoff,
        ),
        answer(
            "17 MB gzip bomb",
            Recommendations,
            FaultKind::GzipBomb(17 * MIB),
            Reason::TooLarge,
            Backoff,
        ),
        answer(
            "nextLink to another host",
            Recommendations,
            FaultKind::NextLinkForeign(elsewhere.to_owned()),
            Reason::Paging,
            Backoff,
        ),
        answer(
            "nextLink loop",
            Recommendations,
            FaultKind::NextLinkLoop,
            Reason::Paging,
            Backoff,
        ),
        answer(
            "recommendations of another tenant",
            Recommendations,
            FaultKind::WrongTenant,
            Reason::WrongTenant,
            Rarely,
        ),
        answer(
            "ids without the tenant",
            Recommendations,
            FaultKind::BareId,
            Reason::WrongTenant,
            Rarely,
        ),
    ]
}

fn of_entra(elsewhere: &str) -> Vec<Row> {
    use Again::{AsAsked, Backoff, Rarely};
    use Api::Token;
    vec![
        answer(
            "400 echoing the request and its secret",
            Token,
            FaultKind::Echo,
            Reason::Token,
            Rarely,
        ),
        answer(
            "403 from a proxy, echoing the request",
            Token,
            FaultKind::EchoPage,
            Reason::Token,
            Rarely,
        ),
        answer(
            "wrong secret",
            Token,
            FaultKind::Aadsts(7_000_215),
            Reason::Credential,
            Rarely,
        ),
        answer(
            "expired secret",
            Token,
            FaultKind::Aadsts(7_000_222),
            Reason::Credential,
            Rarely,
        ),
        answer(
            "no consent",
            Token,
            FaultKind::Aadsts(700_016),
            Reason::Consent,
            Rarely,
        ),
        answer(
            "Conditional Access",
            Token,
            FaultKind::Aadsts(53_003),
            Reason::Policy,
            Rarely,
        ),
        answer(
            "unknown tenant",
            Token,
            FaultKind::Aadsts(90_002),
            Reason::UnknownTenant,
            Rarely,
        ),
        answer(
            "400 without a known AADSTS code",
            Token,
            FaultKind::Status(400),
            Reason::Token,
            Rarely,
        ),
        answer(
            "401 without a known AADSTS code",
            Token,
            FaultKind::Status(401),
            Reason::Credential,
            Rarely,
        ),
        answer("403", Token, FaultKind::Status(403), Reason::Token, Rarely),
        answer("404", Token, FaultKind::Status(404), Reason::Token, Rarely),
        answer(
            "429 with `Retry-After`",
            Token,
            throttle(RetryAfter::Seconds(120)),
            Reason::Throttled,
            AsAsked(120),
        ),
        answer(
            "429 without `Retry-After`",
            Token,
            throttle(RetryAfter::None),
            Reason::Throttled,
            Backoff,
        ),
        answer(
            "500",
            Token,
            FaultKind::Status(500),
            Reason::Server,
            Backoff,
        ),
        answer(
            "503",
            Token,
            FaultKind::Status(503),
            Reason::Server,
            Backoff,
        ),
        answer(
            "redirect to another host",
            Token,
            FaultKind::Redirect(format!("https://{elsewhere}/")),
            Reason::Token,
            Backoff,
        ),
        answer(
            "response stalls after its headers",
            Token,
            FaultKind::Stall,
            Reason::Timeout,
            Backoff,
        ),
        answer(
            "truncated body",
            Token,
            FaultKind::Truncated,
            Reason::Connection,
            Backoff,
        ),
        answer(
            "connection dropped without a response",
            Token,
            FaultKind::Reset,
            Reason::Connection,
            Backoff,
        ),
        answer(
            "truncated JSON",
            Token,
            FaultKind::Malformed,
            Reason::Token,
            Backoff,
        ),
        answer(
            "HTML instead of JSON",
            Token,
            FaultKind::WrongContentType,
            Reason::Token,
            Backoff,
        ),
        answer(
            "empty body",
            Token,
            FaultKind::EmptyBody,
            Reason::Token,
            Backoff,
        ),
        answer(
            "100 MB body",
            Token,
            FaultKind::HugeBody(100 * MIB),
            Reason::TooLarge,
            Backoff,
        ),
        answer(
            "token valid for 5 s only",
            Token,
            FaultKind::ShortLived(5),
            Reason::Token,
            Backoff,
        ),
        answer(
            "token valid for 30,000 years",
            Token,
            FaultKind::ExpiresIn(1_000_000_000_000_u64.into()),
            None,
            Again::AtOnce,
        ),
        answer(
            "token with a negative lifetime",
            Token,
            FaultKind::ExpiresIn((-5).into()),
            Reason::Token,
            Backoff,
        ),
        answer(
            "token with a lifetime of null",
            Token,
            FaultKind::ExpiresIn(serde_json::Value::Null),
            None,
            Again::AtOnce,
        ),
        answer(
            "token of another tenant",
            Token,
            FaultKind::WrongTenant,
            Reason::WrongTenant,
            Rarely,
        ),
        answer(
            "token without the permission",
            Token,
            FaultKind::Roles(Vec::new()),
            Reason::Permission,
            Rarely,
        ),
    ]
}

fn of_the_network() -> Vec<Row> {
    let network = |name, fault, reason| Row {
        name,
        place: Place::Network(fault),
        reason: Some(reason),
        again: Again::Backoff,
    };
    vec![
        network(
            "host name does not resolve",
            NetworkFault::NoSuchName,
            Reason::Connection,
        ),
        network(
            "connection refused",
            NetworkFault::Refused,
            Reason::Connection,
        ),
        network(
            "connection reset at once",
            NetworkFault::ResetAtOnce,
            Reason::Connection,
        ),
        network(
            "connection reset mid-response",
            NetworkFault::ResetMidBody,
            Reason::Connection,
        ),
        network("silent connection", NetworkFault::Silent, Reason::Timeout),
        network(
            "HTTP/2 connection that answers pings only",
            NetworkFault::Stuck,
            Reason::Timeout,
        ),
        network("one byte per second", NetworkFault::Drip, Reason::Timeout),
        network("no TLS", NetworkFault::Garbage, Reason::Tls),
        network("expired certificate", NetworkFault::Expired, Reason::Tls),
        network(
            "certificate of another host",
            NetworkFault::WrongHost,
            Reason::Tls,
        ),
        network(
            "certificate of an unknown authority",
            NetworkFault::UnknownAuthority,
            Reason::Tls,
        ),
    ]
}
