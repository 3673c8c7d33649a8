//! One refresh of every tenant: by the exporter, and by a minimal client that
//! downloads and parses the same responses. The first refresh includes the
//! tokens; further ones return unchanged data.
//!
//! `benches/compare/refresh` starts these beside its own simulator;
//! docs/performance.md has the results.
//!
//! ```console
//! $ cargo bench --bench refresh -- refresh secure-score.yml 100 8
//! $ cargo bench --bench refresh -- download secure-score.yml 100 8
//! $ cargo bench --bench refresh -- refresh-again secure-score.yml 100 8
//! $ cargo bench --bench refresh -- download-again secure-score.yml 100 8
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark stops at the first error, and prints"
)]

#[path = "refresh/download.rs"]
mod download;
#[path = "refresh/exporter.rs"]
mod exporter;

use download::Downloader;
use exporter::Running;
use secure_score_exporter::config::{self, Config, Environment};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

const USAGE: &str = "refresh|download|refresh-again|download-again CONFIG TENANTS CONCURRENCY";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let [what, file, tenants, concurrency] = arguments.as_slice() else {
        println!("{USAGE}");
        return;
    };
    let path = Path::new(file);
    let mut config: Config = config::load(path, &Environment::default()).unwrap().config;
    config.tenants.truncate(tenants.parse().unwrap());
    config.refresh.concurrency = NonZeroUsize::new(concurrency.parse().unwrap()).unwrap();
    let folder = path.parent().unwrap();
    match what.as_str() {
        "refresh" => measured(exporter::refresh(config)).await,
        "download" => {
            measured(async {
                let client = Downloader::sign_in(&config, folder).await;
                client.download().await
            })
            .await;
        }
        "refresh-again" => {
            let running = Running::start(config).await;
            measured(running.refresh()).await;
        }
        "download-again" => {
            let client = Downloader::sign_in(&config, folder).await;
            client.download().await;
            measured(client.download()).await;
        }
        other => panic!("unknown benchmark {other}; {USAGE}"),
    }
}

/// Prints the cost of some work, and its amount.
async fn measured(work: impl Future<Output = usize>) {
    let (began, before) = (Instant::now(), cpu());
    let done = work.await;
    let (wall, cpu) = (began.elapsed(), cpu() - before);
    println!(
        "{{\"wall\": {}, \"cpu\": {}, \"peak\": {}, \"resident\": {}, \"done\": {done}}}",
        wall.as_secs_f64(),
        cpu.as_secs_f64(),
        status("VmHWM:"),
        status("VmRSS:"),
    );
}

/// The CPU time of the process (Linux, in ticks of 10 ms).
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = [11, 12]
        .map(|at| fields[at].parse::<u64>().unwrap())
        .iter()
        .sum();
    Duration::from_millis(ticks * 10)
}

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kibibytes = line.split_whitespace().nth(1).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}
