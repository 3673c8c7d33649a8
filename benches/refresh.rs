//! One refresh of every tenant: by the exporter, and by a minimal client that
//! downloads and parses the same responses. The first refresh includes the
//! tokens; further ones return unchanged data, or after a change of both lists of each
//! tenant, for which the control API of the simulator is asked.
//!
//! `benches/compare/refresh` starts these beside its own simulator;
//! docs/performance.md has the results.
//!
//! ```console
//! $ cargo bench --bench refresh -- refresh secure-score.yml 100 8
//! $ cargo bench --bench refresh -- download secure-score.yml 100 8
//! $ cargo bench --bench refresh -- refresh-again secure-score.yml 100 8
//! $ cargo bench --bench refresh -- refresh-changed secure-score.yml 100 8 http://127.0.0.1:10367
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
use exporter::{Running, TIMES};
use secure_score_exporter::config::{self, Config, Environment};
use std::iter::Sum;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

const USAGE: &str = "refresh|download|refresh-again|refresh-changed|download-again CONFIG TENANTS \
    CONCURRENCY [CONTROL-API]";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let [what, file, tenants, concurrency, control_api @ ..] = arguments.as_slice() else {
        println!("{USAGE}");
        return;
    };
    let path = Path::new(file);
    let mut config: Config = config::load(path, &Environment::default()).unwrap().config;
    config.tenants.truncate(tenants.parse().unwrap());
    config.refresh.concurrency = NonZeroUsize::new(concurrency.parse().unwrap()).unwrap();
    let folder = path.parent().unwrap();
    match what.as_str() {
        "refresh" => print(measured(exporter::refresh(config)).await),
        "download" => {
            let download = async {
                let client = Downloader::sign_in(&config, folder).await;
                client.download().await
            };
            print(measured(download).await);
        }
        "refresh-again" | "refresh-changed" => {
            let tenants = config.tenants.len();
            let running = Running::start(config).await;
            let mut costs = Vec::new();
            for time in 0..TIMES {
                if let Some(control_api) = control_api.first() {
                    running.change(control_api, time % 2 == 0).await;
                }
                running.due().await;
                let refresh = async {
                    running.refresh().await;
                    tenants
                };
                costs.push(measured(refresh).await);
            }
            print(costs.into_iter().sum());
        }
        "download-again" => {
            let client = Downloader::sign_in(&config, folder).await;
            client.download().await;
            let mut costs = Vec::new();
            for _ in 0..TIMES {
                let download = async {
                    client.download().await;
                    config.tenants.len()
                };
                costs.push(measured(download).await);
            }
            print(costs.into_iter().sum());
        }
        other => panic!("unknown benchmark {other}; {USAGE}"),
    }
}

/// The cost of some work, and its amount.
#[derive(Default)]
struct Cost {
    wall: Duration,
    cpu: Duration,
    done: usize,
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |sum, it| Self {
            wall: sum.wall + it.wall,
            cpu: sum.cpu + it.cpu,
            done: sum.done + it.done,
        })
    }
}

async fn measured(work: impl Future<Output = usize>) -> Cost {
    let (began, before) = (Instant::now(), cpu());
    let done = work.await;
    Cost {
        wall: began.elapsed(),
        cpu: cpu() - before,
        done,
    }
}

fn print(cost: Cost) {
    println!(
        "{{\"wall\": {}, \"cpu\": {}, \"peak\": {}, \"resident\": {}, \"done\": {}}}",
        cost.wall.as_secs_f64(),
        cost.cpu.as_secs_f64(),
        status("VmHWM:"),
        status("VmRSS:"),
        cost.done,
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
