//! The limits that `docs/reliability.md` states.

use super::concurrency::MAX_REQUESTS;
use super::connection_table::{
    HEAD_TIMEOUT, IDLE_TIMEOUT, MAX_CONTROL_BYTES, STALL_TIMEOUT, WRITE_TIMEOUT,
};
use super::server::{MAX_CONNECTIONS, MAX_HEADER_BYTES, MAX_STREAMS};
use super::site::MAX_REQUEST_BODY;
use exporter_web_config::{MAX_HASHING, MAX_HASHING_PER_ADDRESS, MAX_QUEUED_PER_ADDRESS};
use humantime::format_duration;

const DOCUMENT: &str = include_str!("../../docs/reliability.md");

#[test]
fn each_limit_is_the_documented_one() {
    let kib = |bytes: usize| format!("{} KiB", bytes / 1024);
    let rows = [
        format!("requests answered at once | `--web.max-requests`, {MAX_REQUESTS}"),
        format!("connections | {MAX_CONNECTIONS}"),
        format!("a request's head | {}", kib(MAX_HEADER_BYTES)),
        format!("a request's body | {}", kib(MAX_REQUEST_BODY as usize)),
        format!("the time for a head | {}", format_duration(HEAD_TIMEOUT)),
        format!(
            "the time between two requests | {}",
            format_duration(IDLE_TIMEOUT)
        ),
        format!(
            "the time to read an answer | {}",
            format_duration(WRITE_TIMEOUT)
        ),
        format!(
            "the time without reading an answer | {}",
            format_duration(STALL_TIMEOUT)
        ),
        format!("requests at once on a connection (HTTP/2) | {MAX_STREAMS}"),
        format!(
            "passwords hashed at once | {MAX_HASHING}, for one address {MAX_HASHING_PER_ADDRESS}"
        ),
        format!("passwords of one address that wait | {MAX_QUEUED_PER_ADDRESS}"),
        format!(
            "bytes beside requests, from one to the next or as an answer is read | {}",
            kib(MAX_CONTROL_BYTES)
        ),
    ];
    for row in rows {
        let row = format!("| {row} |");
        assert!(DOCUMENT.contains(&row), "docs/reliability.md lacks: {row}");
    }
}
