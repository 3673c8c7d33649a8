//! The history that Graph keeps, as samples: blocks of Prometheus' storage, text for
//! promtool, samples for a remote-write receiver, or a comparison with a Prometheus.

mod advice;
mod blocks;
mod comparison;
mod files;
mod history;
mod manifest;
mod max_scores;
mod openmetrics;
mod reader;
mod remote_write;
mod series;
mod summary;
mod window;

use super::Failure;
use super::config_source::{self, selected_tenants};
use super::header_file;
use crate::cli::{Backfill, Cli};
use crate::config::{Config, Environment};
use crate::serde_time::Day;
use crate::tsdb::Server;
use anyhow::{Context as _, anyhow};
use reader::HistoryReader;
use secure_score_model::Timestamp;
use url::Url;
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
        let ended = backfill(&super::demo::config(&simulator), flags, environment).await;
        simulator.stop().await;
        return ended;
    }
    let config = config_source::load(&cli.config, environment)?;
    backfill(&config, flags, environment).await
}

async fn backfill(
    config: &Config,
    flags: &Backfill,
    environment: &Environment,
) -> Result<(), Failure> {
    let window = Window::new(flags, super::now());
    if window.from >= window.to {
        let first = Day::beginning(Timestamp::from_seconds(window.from));
        return Err(Failure::of_flags(
            anyhow!("--until leaves nothing to write"),
            format!("name a time after {first}, when the --days begin"),
        ));
    }
    let tenants = selected_tenants(config, &flags.tenants)?;
    let reader = |tenants| HistoryReader::new(config, tenants, (flags, window), environment);
    if let Some(url) = &flags.check {
        let server = server(url, flags, config)?;
        let mut reader = reader(tenants)?;
        comparison::run(&noted(server, &reader), &mut reader).await
    } else if let Some(url) = &flags.remote_write {
        let server = server(url, flags, config)?;
        let mut reader = reader(tenants)?;
        remote_write::run(&noted(server, &reader), &mut reader).await
    } else {
        files::run(tenants, reader, flags, window).await
    }
}

/// The server, with a progress that shows when it is asked again.
fn noted(mut server: Server, reader: &HistoryReader<'_>) -> Server {
    let steps = reader.summary.steps();
    server.note_retries(move |error| steps.retrying(error.map(ToString::to_string)));
    server
}

/// The server of `--check` or `--remote-write`. No connection is opened yet.
fn server(url: &Url, flags: &Backfill, config: &Config) -> Result<Server, Failure> {
    let headers = header_file::read(flags.header_file.as_deref())?;
    let roots = config.extra_roots.as_ref();
    let roots = roots.map_or(&[][..], |roots| &roots.certificates);
    let server = Server::new(url.clone(), headers, roots);
    Ok(server.context("the HTTP client of the server cannot be set up")?)
}
