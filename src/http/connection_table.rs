//! The open connections, and which of them to close for a new one.

use super::timeouts::ConnectionActivity;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The open connections of a server, in the order they opened.
///
/// Idle ones cost little and may stay, but a thousand of them must not keep a
/// scrape waiting: the longest idle one is closed first.
#[derive(Debug, Default)]
pub(super) struct ConnectionTable {
    connections: Mutex<Vec<Connection>>,
}

#[derive(Debug, Clone)]
struct Connection {
    activity: Arc<ConnectionActivity>,
    close: CancellationToken,
}

/// A connection's entry in the table, removed when this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    table: Arc<ConnectionTable>,
    connection: Connection,
}

impl ConnectionTable {
    /// Adds a connection.
    pub(super) fn insert(self: &Arc<Self>, activity: Arc<ConnectionActivity>) -> ConnectionSlot {
        let connection = Connection {
            activity,
            close: CancellationToken::new(),
        };
        self.connections.lock().push(connection.clone());
        ConnectionSlot {
            table: Arc::clone(self),
            connection,
        }
    }

    /// Closes the longest idle connection, if one is idle.
    pub(super) fn close_longest_idle(&self) {
        let connections = self.connections.lock();
        let open = connections.iter().filter(|it| !it.close.is_cancelled());
        let idle = open.filter_map(|it| Some((it.activity.idle_since()?, it)));
        if let Some((_, connection)) = idle.min_by_key(|(since, _)| *since) {
            connection.close.cancel();
        }
    }
}

impl ConnectionSlot {
    /// Ends when the connection must close for a new one.
    pub(super) async fn must_close(&self) {
        self.connection.close.cancelled().await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let own = &self.connection.activity;
        let mut connections = self.table.connections.lock();
        connections.retain(|it| !Arc::ptr_eq(&it.activity, own));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connection_closes_and_never_a_busy_one() {
        let table = Arc::new(ConnectionTable::default());
        let mut slots = Vec::new();
        for _ in 0..3 {
            slots.push(table.insert(ConnectionActivity::new()));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let busy = slots[0].connection.activity.begin(hyper::Version::HTTP_11);
        let closed = |slots: &[ConnectionSlot]| -> Vec<bool> {
            let closed = slots.iter().map(|it| it.connection.close.is_cancelled());
            closed.collect()
        };
        for expected in [[false, true, false], [false, true, true]] {
            table.close_longest_idle();
            assert_eq!(closed(&slots), expected);
        }
        table.close_longest_idle();
        assert_eq!(closed(&slots), [false, true, true], "none is idle");
        drop(busy);
        table.close_longest_idle();
        assert_eq!(closed(&slots), [true, true, true]);
        slots.pop();
        assert_eq!(table.connections.lock().len(), 2);
    }
}
