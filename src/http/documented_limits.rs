//! The limits that `docs/reliability.md` states.

use super::concurrency::MAX_REQUESTS;
use super::server::{MAX_CONNECTIONS, MAX_HEADER_BYTES, MAX_STREAMS};
use super::site::MAX_REQUEST_BODY;
use super::timeouts::{HEAD_TIMEOUT, IDLE_TIMEOUT, WRITE_TIMEOUT};
use humantime::format_duration;

const DOCUMENT: &str = include_str!("../../docs/reliability.md");

#[test]
fn each_limit_is_the_documented_one() {
    for (limit, value) in [
        (
            "requests answered at once",
            format!("`--web.max-requests`, {MAX_REQUESTS}"),
        ),
        ("connections", MAX_CONNECTIONS.to_string()),
        (
            "a request's head",
            format!("{} KiB", MAX_HEADER_BYTES / 1024),
        ),
        (
            "a request's body",
            format!("{} KiB", MAX_REQUEST_BODY / 1024),
        ),
        (
            "the time for a head",
            format_duration(HEAD_TIMEOUT).to_string(),
        ),
        (
            "the time between two requests",
            format_duration(IDLE_TIMEOUT).to_string(),
        ),
        (
            "the time to read an answer",
            format_duration(WRITE_TIMEOUT).to_string(),
        ),
        (
            "requests at once on a connection (HTTP/2)",
            MAX_STREAMS.to_string(),
        ),
    ] {
        let row = format!("| {limit} | {value} |");
        assert!(DOCUMENT.contains(&row), "docs/reliability.md lacks: {row}");
    }
}
