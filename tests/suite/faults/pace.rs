//! How fast Graph was asked, by the simulator's own book.

use graph_simulator::{Api, RecordedRequest};
use std::time::Duration;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// One tenant's requests to Graph, the token endpoint apart.
pub(crate) fn of_tenant<'a>(
    requests: &'a [RecordedRequest],
    tenant: &'a str,
) -> impl Iterator<Item = &'a RecordedRequest> {
    requests.iter().filter(move |request| {
        request.tenant.as_deref() == Some(tenant) && request.api != Some(Api::Token)
    })
}

/// The most requests that began within any minute.
pub(crate) fn most_a_minute<'a>(requests: impl Iterator<Item = &'a RecordedRequest>) -> usize {
    let mut times: Vec<Instant> = requests.map(|request| request.started).collect();
    times.sort();
    let within = |first: &Instant| {
        let end = *first + MINUTE;
        times.partition_point(|at| *at < end) - times.partition_point(|at| at < first)
    };
    times.iter().map(within).max().unwrap_or(0)
}

/// The most requests that were under way at any time.
pub(crate) fn most_at_once<'a>(requests: impl Iterator<Item = &'a RecordedRequest>) -> usize {
    let spans: Vec<(Instant, Instant)> = requests
        .map(|request| (request.started, request.finished))
        .collect();
    let at = |moment: &Instant| {
        let open = spans
            .iter()
            .filter(|(from, to)| from <= moment && moment < to);
        open.count()
    };
    spans.iter().map(|(from, _)| at(from)).max().unwrap_or(0)
}
