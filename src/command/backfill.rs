//! The history Graph keeps, as samples of the past: files for promtool,
//! samples for a remote-write receiver, or a comparison with a Prometheus.

mod advice;
mod curve;
mod files;
mod manifest;
mod maxima;
mod openmetrics;
mod past;
mod reading;
mod summary;
mod window;

use super::chosen::chosen;
use super::{Failure, demo, serve, simulate};
use crate::cli::{Backfill, Cli};
use crate::config::{Config, Environment};
use crate::model::Timestamp;
use crate::simulator::{Options, Simulator};
use std::time::SystemTime;

/// The seed of `demo`, so that the curves of both join.
const DEMO_SEED: u64 = 1;

/// Reads every tenant's past and does with it what the flags say.
pub(super) async fn run(
    cli: &Cli,
    flags: &Backfill,
    environment: &Environment,
) -> Result<(), Failure> {
    if !flags.demo {
        let config = serve::load(&cli.config, environment)?;
        return backfill(&config, flags).await;
    }
    let simulator = simulated().await?;
    let config = demo::config(&simulator);
    let ended = backfill(&config, flags).await;
    simulator.stop().await;
    ended
}

async fn simulated() -> Result<Simulator, Failure> {
    simulate::start(Options {
        seed: DEMO_SEED,
        ..Options::default()
    })
    .await
}

async fn backfill(config: &Config, flags: &Backfill) -> Result<(), Failure> {
    let now = Timestamp::from(SystemTime::now());
    let window = window::Window::new(flags, now);
    let tenants = chosen(config, &flags.tenants)?;
    let all = tenants.len();
    let mut files = files::Files::open(flags, window)?;
    let pending = files.pending(tenants);
    let kept = all - pending.len();
    let mut summary = summary::Summary::of(pending.len());
    let mut reading = reading::Reading::new(config, pending, flags, (window, now))?;
    files.write(&mut reading, &mut summary).await?;
    summary.print(kept, "written")?;
    if summary.files > 0 {
        advice::print(flags)?;
    }
    summary.conclude(kept)
}
