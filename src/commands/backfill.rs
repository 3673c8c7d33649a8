//! The history that Graph keeps, as samples: files for promtool, samples for a
//! remote-write receiver, or a comparison with a Prometheus.

mod advice;
mod check;
mod comparison;
mod files;
mod history;
mod manifest;
mod max_scores;
mod openmetrics;
mod reader;
mod receiver;
mod remote_write;
mod series;
mod summary;
mod window;

use super::Failure;
use super::config_source;
use super::selected_tenants::selected_tenants;
use crate::cli::{Backfill, Cli};
use crate::config::{Config, Environment};
use files::Files;
use reader::HistoryReader;
use secure_score_model::Timestamp;
use std::time::SystemTime;
use summary::Summary;
use window::Window;

/// Reads every tenant's history and writes, sends or compares it.
pub(super) async fn run(
    cli: &Cli,
    flags: &Backfill,
    environment: &Environment,
) -> Result<(), Failure> {
    #[cfg(feature = "demo")]
    if flags.demo {
        let simulator = super::demo::simulator_of_default_seed().await?;
        let ended = backfill(&super::demo::config(&simulator), flags).await;
        simulator.stop().await;
        return ended;
    }
    let config = config_source::load(&cli.config, environment)?;
    backfill(&config, flags).await
}

async fn backfill(config: &Config, flags: &Backfill) -> Result<(), Failure> {
    let now = Timestamp::from(SystemTime::now());
    let window = Window::new(flags, now);
    let tenants = selected_tenants(config, &flags.tenants)?;
    let reader = |tenants| HistoryReader::new(config, tenants, flags, (window, now));
    let labels_and_window = (&*flags.labels, window);
    if let Some(url) = &flags.check {
        let server = receiver::server(url, flags, config)?;
        let mut summary = Summary::new(tenants.len());
        let sound = check::check(
            &server,
            &mut reader(tenants)?,
            labels_and_window,
            &mut summary,
        )
        .await?;
        summary.conclude(0)?;
        return if sound { Ok(()) } else { Err(Failure::Found) };
    }
    if let Some(url) = &flags.remote_write {
        let server = receiver::server(url, flags, config)?;
        let mut summary = Summary::new(tenants.len());
        remote_write::send(
            &server,
            &mut reader(tenants)?,
            labels_and_window,
            &mut summary,
        )
        .await?;
        summary.print(0, "sent")?;
        if !summary.is_idle() {
            advice::notes(flags)?;
        }
        return summary.conclude(0);
    }
    let mut files = Files::open(flags, window)?;
    let all = tenants.len();
    let pending = files.pending(tenants);
    let kept = all - pending.len();
    let mut summary = Summary::new(pending.len());
    files.write(&mut reader(pending)?, &mut summary).await?;
    summary.print(kept, "written")?;
    if summary.files > 0 {
        advice::print(flags)?;
    }
    summary.conclude(kept)
}
