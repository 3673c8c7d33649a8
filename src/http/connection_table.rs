//! The open connections with their requests, and which of them to close for a
//! new one.

use crate::http_types::BodyGuard;
use hyper::Version;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// From the first byte of a request to the end of its head, and from opening a
/// connection to its first request. A real client needs milliseconds; one that
/// sends a byte a minute only occupies the connection.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// From one request to the next. Longer than any sensible scrape interval, so
/// that Prometheus keeps its connection and, with TLS, its handshake.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// From the first byte of a response to the last. A slower reader would keep an
/// old generation of a hundred megabytes in memory, and no Prometheus waits
/// that long.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// A response of which the client has taken less than [`MIN_PROGRESS`] for this
/// long is stalled. Its connection closes as soon as a request or a connection
/// waits for a place: a few clients that do not read must not keep every place
/// for a minute. Far longer than a pause of a network that works.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Fewer bytes are no progress, so that a client cannot keep a place by reading
/// a byte a second.
const MIN_PROGRESS: usize = 16 * 1024;

/// What a client may send beside its requests, from one to the next or to the
/// next [`MIN_PROGRESS`] of a response. HTTP/2 needs 13 bytes for each window it
/// opens and 17 for a ping; a client that sends thousands of such frames occupies
/// a processor.
pub(super) const MAX_CONTROL_BYTES: usize = 64 * 1024;

/// The open connections of a server, in the order they opened.
///
/// Idle ones cost little and may stay, but a thousand of them must not keep a
/// scrape waiting: the longest idle one is closed first.
#[derive(Debug, Default)]
pub(super) struct ConnectionTable {
    connections: Mutex<Vec<Arc<ConnectionActivity>>>,
}

/// A connection's entry in the table, removed when this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    table: Arc<ConnectionTable>,
    pub(super) activity: Arc<ConnectionActivity>,
}

impl ConnectionTable {
    /// Adds a connection that opens now.
    pub(super) fn insert(self: &Arc<Self>) -> ConnectionSlot {
        let activity = ConnectionActivity::new();
        self.connections.lock().push(Arc::clone(&activity));
        ConnectionSlot {
            table: Arc::clone(self),
            activity,
        }
    }

    /// Closes a connection, or those that are stalled, for a new one.
    pub(super) fn make_room(&self) {
        if !self.close_longest_idle() {
            self.close_stalled();
        }
    }

    /// Closes the longest idle connection; whether one is idle.
    fn close_longest_idle(&self) -> bool {
        let connections = self.connections.lock();
        let open = connections.iter().filter(|it| !it.close.is_cancelled());
        let idle = open.filter_map(|it| Some((it.idle_since()?, it)));
        if let Some((_, connection)) = idle.min_by_key(|(since, _)| *since) {
            connection.close.cancel();
            return true;
        }
        false
    }

    /// Closes the connections with a stalled response; whether there is one.
    pub(super) fn close_stalled(&self) -> bool {
        let connections = self.connections.lock();
        let mut stalled = connections.iter().filter(|it| it.is_stalled()).peekable();
        let found = stalled.peek().is_some();
        stalled.for_each(|connection| connection.close.cancel());
        found
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut connections = self.table.connections.lock();
        connections.retain(|it| !Arc::ptr_eq(it, &self.activity));
    }
}

/// The requests of one connection, as its timeouts see them.
#[derive(Debug)]
pub(super) struct ConnectionActivity {
    state: Mutex<ActivityState>,
    response_begun: Notify,
    /// Cancelled when the connection must close for a new one.
    pub(super) close: CancellationToken,
}

#[derive(Debug)]
struct ActivityState {
    /// The requests in flight, with their responses once these are ready.
    requests: BTreeMap<u64, Option<ResponseProgress>>,
    /// When a request last began or ended, or else the connection opened.
    last: Instant,
    served: bool,
    /// Then bytes between requests are control frames, not the start of a head.
    is_http2: bool,
    /// The bytes that arrived since a request began or a response progressed.
    control_bytes: usize,
}

/// How much of a response the client has taken.
#[derive(Debug)]
struct ResponseProgress {
    ready: Instant,
    /// When it last took [`MIN_PROGRESS`], or else the response was ready.
    last: Instant,
    /// What it has taken since.
    bytes: usize,
}

impl ConnectionActivity {
    /// Of a connection that opens now.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(ActivityState {
                requests: BTreeMap::new(),
                last: Instant::now(),
                served: false,
                is_http2: false,
                control_bytes: 0,
            }),
            response_begun: Notify::new(),
            close: CancellationToken::new(),
        })
    }

    /// A request begins; it ends when the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> RequestGuard {
        let mut state = self.state.lock();
        let id = state.requests.last_key_value().map_or(0, |(id, _)| id + 1);
        state.requests.insert(id, None);
        state.last = Instant::now();
        state.served = true;
        state.is_http2 = version == Version::HTTP_2;
        state.control_bytes = 0;
        RequestGuard {
            activity: Arc::clone(self),
            id,
        }
    }

    /// Ends when a response exceeds [`WRITE_TIMEOUT`].
    ///
    /// A TCP stream that is not read times out when it is written to. An HTTP/2
    /// stream whose client never opens the flow-control window is never written
    /// to, and would keep its response and its concurrency permit without end.
    pub(super) async fn response_overdue(&self) {
        loop {
            let oldest = {
                let state = self.state.lock();
                let responses = state.requests.values().flatten();
                responses.map(|response| response.ready).min()
            };
            match oldest {
                None => self.response_begun.notified().await,
                Some(since) if since.elapsed() >= WRITE_TIMEOUT => return,
                Some(since) => sleep_until(since + WRITE_TIMEOUT).await,
            }
        }
    }

    /// When a request last began or ended, or else the connection opened.
    pub(super) fn last(&self) -> Instant {
        self.state.lock().last
    }

    /// Bytes arrived from the client; whether it may send as many.
    pub(super) fn received(&self, bytes: usize) -> bool {
        let mut state = self.state.lock();
        state.control_bytes = state.control_bytes.saturating_add(bytes);
        state.control_bytes <= MAX_CONTROL_BYTES
    }

    /// Whether the client does not read a response.
    fn is_stalled(&self) -> bool {
        let state = self.state.lock();
        let mut responses = state.requests.values().flatten();
        responses.any(|response| response.last.elapsed() >= STALL_TIMEOUT)
    }

    /// Since when no request is in flight; nothing while one is.
    fn idle_since(&self) -> Option<Instant> {
        let state = self.state.lock();
        state.requests.is_empty().then_some(state.last)
    }

    /// Until when the next bytes must arrive, where the first byte after the last
    /// request arrived at `head_since`.
    pub(super) fn read_deadline(&self, head_since: Option<Instant>) -> Instant {
        let state = self.state.lock();
        if !state.served {
            return state.last + HEAD_TIMEOUT;
        }
        let idle = state.requests.is_empty();
        match head_since.filter(|since| idle && *since > state.last) {
            Some(since) if !state.is_http2 => since + HEAD_TIMEOUT,
            _ => state.last + IDLE_TIMEOUT,
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct RequestGuard {
    activity: Arc<ConnectionActivity>,
    id: u64,
}

impl RequestGuard {
    /// The response is ready, and its timeout begins.
    pub(super) fn response_ready(self) -> Self {
        let mut state = self.activity.state.lock();
        let now = Instant::now();
        let progress = ResponseProgress {
            ready: now,
            last: now,
            bytes: 0,
        };
        state.requests.insert(self.id, Some(progress));
        drop(state);
        self.activity.response_begun.notify_one();
        self
    }
}

impl BodyGuard for RequestGuard {
    fn written(&self, bytes: usize) {
        let mut state = self.activity.state.lock();
        let Some(Some(response)) = state.requests.get_mut(&self.id) else {
            return;
        };
        response.bytes += bytes;
        if response.bytes >= MIN_PROGRESS {
            response.bytes = 0;
            response.last = Instant::now();
            state.control_bytes = 0;
        }
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut state = self.activity.state.lock();
        state.requests.remove(&self.id);
        state.last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connection_closes_and_never_a_busy_one() {
        let table = Arc::new(ConnectionTable::default());
        let mut slots = Vec::new();
        for _ in 0..3 {
            slots.push(table.insert());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let busy = slots[0].activity.begin(Version::HTTP_11);
        let closed = |slots: &[ConnectionSlot]| -> Vec<bool> {
            slots
                .iter()
                .map(|it| it.activity.close.is_cancelled())
                .collect()
        };
        for expected in [[false, true, false], [false, true, true]] {
            table.make_room();
            assert_eq!(closed(&slots), expected);
        }
        table.make_room();
        assert_eq!(closed(&slots), [false, true, true], "none is idle");
        drop(busy);
        table.make_room();
        assert_eq!(closed(&slots), [true, true, true]);
        slots.pop();
        assert_eq!(table.connections.lock().len(), 2);
    }

    fn response(activity: &Arc<ConnectionActivity>) -> RequestGuard {
        activity.begin(Version::HTTP_2).response_ready()
    }

    #[tokio::test(start_paused = true)]
    async fn only_clients_that_take_next_to_nothing_are_stalled() {
        let table = Arc::new(ConnectionTable::default());
        let slots = [(); 3].map(|()| table.insert());
        // The response of the first is not ready yet.
        let _waiting = slots[0].activity.begin(Version::HTTP_2);
        let [trickling, reading] = [1, 2].map(|it| response(&slots[it].activity));
        let seconds = STALL_TIMEOUT.as_secs();
        for _ in 0..seconds {
            assert!(!table.close_stalled(), "too early");
            tokio::time::advance(Duration::from_secs(1)).await;
            trickling.written(1);
            reading.written(MIN_PROGRESS);
        }
        assert!(table.close_stalled());
        let closed = slots.each_ref().map(|it| it.activity.close.is_cancelled());
        assert_eq!(closed, [false, true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_sends_little_between_requests_and_as_it_reads() {
        let activity = ConnectionActivity::new();
        let all = MAX_CONTROL_BYTES;
        assert!(activity.received(all) && !activity.received(1));
        let response = response(&activity);
        assert!(activity.received(all) && !activity.received(1));
        response.written(MIN_PROGRESS - 1);
        assert!(!activity.received(0));
        response.written(1);
        assert!(activity.received(all) && !activity.received(1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_response_counts_however_many_follow() {
        let activity = ConnectionActivity::new();
        let _stuck = response(&activity);
        let others = Arc::clone(&activity);
        let quick = tokio::spawn(async move {
            loop {
                let response = response(&others);
                tokio::time::sleep(Duration::from_secs(1)).await;
                drop(response);
            }
        });
        let start = Instant::now();
        activity.response_overdue().await;
        assert_eq!(start.elapsed().as_secs(), WRITE_TIMEOUT.as_secs());
        quick.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn completed_responses_are_never_overdue() {
        let activity = ConnectionActivity::new();
        let watched = Arc::clone(&activity);
        let watch = tokio::spawn(async move { watched.response_overdue().await });
        for _ in 0..10 {
            let response = response(&activity);
            tokio::time::sleep(WRITE_TIMEOUT / 2).await;
            drop(response);
            tokio::time::sleep(WRITE_TIMEOUT * 2).await;
        }
        assert!(!watch.is_finished());
        let _stuck = response(&activity);
        tokio::time::sleep(WRITE_TIMEOUT + Duration::from_secs(1)).await;
        assert!(watch.is_finished());
    }
}
