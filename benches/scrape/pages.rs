//! What a page of many tenants costs.

use crate::{large_fleet, site};
use secure_score_exporter::store::{Store, TenantState};
use secure_score_model::TenantSnapshot;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ROUNDS: usize = 21;

const PATHS: [&str; 3] = ["/", "/controls", "/acceptances"];

/// The controls on the watch list: every fiftieth.
const WATCHED_EVERY: usize = 50;

/// The time from the connection to the last byte, over loopback.
pub(crate) fn measure(tenants: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Arc::new(Store::default());
        for number in 0..tenants {
            store.publish(watching(large_fleet::shown(number)));
        }
        let address = site::start(&store).await;
        for path in PATHS {
            let mut times = Vec::new();
            let mut length = 0;
            for _ in 0..ROUNDS {
                let (taken, bytes) = timed(address, path).await;
                times.push(taken);
                length = bytes;
            }
            times.sort_unstable();
            println!(
                "{path} of {tenants} tenants: {:.1?}, {length} bytes",
                times[ROUNDS / 2]
            );
        }
    });
}

fn watching(state: TenantState) -> TenantState {
    let mut snapshot = TenantSnapshot::clone(&state.snapshot);
    for control in snapshot.controls.iter_mut().step_by(WATCHED_EVERY) {
        control.watched = true;
    }
    TenantState {
        snapshot: Arc::new(snapshot),
        ..state
    }
}

async fn timed(address: SocketAddr, path: &str) -> (Duration, usize) {
    let started = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    assert!(response.starts_with(b"HTTP/1.1 200"), "{path}");
    (started.elapsed(), response.len())
}
