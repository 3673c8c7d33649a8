//! Very many refreshes with scrapes in between, and the memory they take.

use crate::memory::{megabytes, resident};
use crate::{crowd, site};
use secure_score_exporter::store::Store;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Refreshes between two scrapes.
const SCRAPE_EVERY: u64 = 50;

/// What memory may grow by after the first tenth of the refreshes: what an
/// allocator's arenas need to settle, far less than one leak would take.
const MOST_GROWTH: f64 = 1.15;

const ENCODINGS: [&str; 3] = [
    "Accept-Encoding: gzip\r\n",
    "Accept-Encoding: gzip\r\nAccept: application/openmetrics-text\r\n",
    "",
];

pub(crate) fn run(tenants: u64, refreshes: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let grown = runtime.block_on(soak(tenants, refreshes));
    println!("the most after the first tenth: {grown:.3} times as much as then");
    if grown > MOST_GROWTH {
        println!("memory grew by more than {MOST_GROWTH}");
        std::process::exit(1);
    }
}

async fn soak(tenants: u64, refreshes: u64) -> f64 {
    let store = site::crowded(tenants);
    let address = site::start(&store).await;
    let mut dice = fastrand::Rng::with_seed(1);
    let (mut settled, mut most) = (0, 0);
    for refresh in 0..=refreshes {
        let number = dice.u64(..tenants);
        change(&store, number, refresh, &mut dice);
        if refresh % SCRAPE_EVERY == 0 {
            scrape(address, ENCODINGS[dice.usize(..3)]).await;
        }
        if refresh % (refreshes / 20).max(1) == 0 {
            let now = resident();
            println!("{refresh} refreshes: {:.1} MB", megabytes(now));
            match refresh * 10 <= refreshes {
                true => settled = settled.max(now),
                false => most = most.max(now),
            }
        }
    }
    most as f64 / settled as f64
}

/// One of ten refreshes brings other scores; one of a thousand is the removal
/// of the tenant.
fn change(store: &Store, number: u64, refresh: u64, dice: &mut fastrand::Rng) {
    let tenants = store.current();
    match (dice.u16(..1000), tenants.find(&crowd::alias(number))) {
        (0, _) => store.remove(&crowd::alias(number)),
        (100.., Some(known)) => store.publish(crowd::refreshed(known, number, refresh)),
        _ => store.publish(crowd::tenant(number, refresh, refresh)),
    }
}

async fn scrape(address: SocketAddr, headers: &str) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 64 * 1024];
    while stream.read(&mut buffer).await.unwrap() > 0 {}
}
