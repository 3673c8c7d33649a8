//! Very many refreshes with scrapes in between, and the memory they take.

use crate::memory::{megabytes, resident};
use crate::{large_fleet, site};
use secure_score_exporter::store::Store;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Refreshes between two scrapes.
const SCRAPE_EVERY: u64 = 50;

/// What memory may grow by from the first quarter of the refreshes to the last,
/// by the median of each. Refreshes come here a thousand times as fast as they
/// would, so old bytes that wait for the next scrape come and go; a kilobyte
/// lost with each would be far more.
const MOST_GROWTH: f64 = 1.2;

/// How often memory is looked at, and printed.
const LOOKS: u64 = 40;

const ENCODINGS: [&str; 3] = [
    "Accept-Encoding: gzip\r\n",
    "Accept-Encoding: gzip\r\nAccept: application/openmetrics-text\r\n",
    "",
];

/// One of `per_report` refreshes brings other scores: about a hundred in real
/// life, where scores are computed once a day.
pub(crate) fn run(tenants: u64, refreshes: u64, per_report: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let grown = runtime.block_on(soak(tenants, refreshes, per_report));
    println!("in the last quarter {grown:.3} times as much as in the first");
    if grown > MOST_GROWTH {
        println!("memory grew by more than {MOST_GROWTH}");
        std::process::exit(1);
    }
}

async fn soak(tenants: u64, refreshes: u64, per_report: u64) -> f64 {
    let store = site::store_of(tenants);
    let address = site::start(&store).await;
    let mut dice = fastrand::Rng::with_seed(1);
    let mut seen = Vec::new();
    for refresh in 0..=refreshes {
        let number = dice.u64(..tenants);
        let scores = dice.u64(..per_report) == 0;
        change(&store, number, refresh, scores, dice.u16(..1000) == 0);
        if refresh % SCRAPE_EVERY == 0 {
            scrape(address, ENCODINGS[dice.usize(..3)]).await;
        }
        if refresh % (refreshes / LOOKS).max(1) == 0 {
            seen.push(resident());
            println!("{refresh} refreshes: {:.1} MB", megabytes(resident()));
        }
    }
    // The very first is from before anything was sent.
    let quarter = seen.len() / 4;
    median(&seen[seen.len() - quarter..]) / median(&seen[1..=quarter])
}

fn median(figures: &[usize]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_unstable();
    figures[figures.len() / 2] as f64
}

/// A refresh, or the removal of a tenant, who comes back with the next one.
fn change(store: &Store, number: u64, refresh: u64, scores: bool, leaves: bool) {
    let tenants = store.current();
    match tenants.find(&large_fleet::alias(number)) {
        _ if leaves => store.remove(&large_fleet::alias(number)),
        Some(known) if !scores => store.publish(large_fleet::refreshed(known, number, refresh)),
        _ => store.publish(large_fleet::tenant(number, refresh, refresh)),
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
