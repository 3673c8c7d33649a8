//! One refresh of every tenant: through the exporter, and as the least that
//! must be done to have read the same answers.
//!
//! `benches/compare/refresh` starts these beside a simulator of its own; see
//! docs/performance.md for what it found.
//!
//! ```console
//! $ cargo bench --bench refresh -- refresh secure-score.yml 100 8
//! $ cargo bench --bench refresh -- download secure-score.yml 100 8
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement stops at the first surprise, and prints"
)]

#[path = "refresh/download.rs"]
mod download;
#[path = "refresh/exporter.rs"]
mod exporter;

use secure_score_exporter::config::{self, Config, Environment};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let [what, file, tenants, concurrency] = arguments.as_slice() else {
        println!("refresh|download CONFIG TENANTS CONCURRENCY");
        return;
    };
    let path = Path::new(file);
    let mut config: Config = config::load(path, &Environment::default()).unwrap().config;
    config.tenants.truncate(tenants.parse().unwrap());
    config.refresh.concurrency = NonZeroUsize::new(concurrency.parse().unwrap()).unwrap();
    let (began, before) = (Instant::now(), cpu());
    let held = match what.as_str() {
        "refresh" => exporter::refresh(config).await,
        "download" => download::all(&config, path.parent().unwrap()).await,
        other => panic!("{other}? refresh or download"),
    };
    let (wall, cpu) = (began.elapsed(), cpu() - before);
    println!(
        "{{\"wall\": {}, \"cpu\": {}, \"peak\": {}, \"resident\": {}, \"held\": {held}}}",
        wall.as_secs_f64(),
        cpu.as_secs_f64(),
        status("VmHWM:"),
        status("VmRSS:"),
    );
}

/// What the process has used of the processors (Linux, in ticks of 10 ms).
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

/// A line of what the system says of the process, bytes.
fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kibibytes = line.split_whitespace().nth(1).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}
