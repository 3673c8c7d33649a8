//! The commands of the program, one file each.

mod access_check;
mod approve;
mod atomic_file;
mod backfill;
mod check;
mod collect;
mod config_diagnostics;
mod config_source;
mod decisions;
#[cfg(feature = "demo")]
mod demo;
mod discover;
mod edited_file;
mod entra_tenants;
mod evidence;
mod exporter;
mod external_url;
mod failure;
mod header_file;
mod healthcheck;
mod init;
mod interruption;
mod listing;
mod logging;
mod privacy;
mod progress;
mod reload;
mod serve;
mod shell;
mod shell_path;
mod shipped_files;
#[cfg(feature = "demo")]
mod simulate;
mod stdout;
mod supervisor;
mod tenant_source;
mod web_config;

use crate::cli::{Cli, Command};
use crate::config::Environment;
use crate::http;
use crate::terminal::can_redraw_stderr;
use anyhow::Context as _;
use secure_score_model::Timestamp;
use std::process::ExitCode;
use std::time::SystemTime;

pub use failure::Failure;

/// Runs the command that the command line names and prints how it failed.
pub fn run(cli: Cli, environment: &Environment) -> ExitCode {
    match dispatch(cli, environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}

fn dispatch(cli: Cli, environment: &Environment) -> Result<(), Failure> {
    let shows_progress = cli.command.as_ref().is_some_and(Command::shows_progress);
    let redraws = shows_progress && can_redraw_stderr(environment);
    logging::start(&cli.log, redraws);
    match cli.command {
        None if cli.config.check => serve::check_config(&cli, environment),
        None => {
            // Taking systemd's sockets changes the process environment, so it
            // happens before the runtime starts threads.
            let from_systemd = cli.web.systemd_socket;
            let sockets = from_systemd.then(http::systemd_sockets).transpose()?;
            block_on(serve::run(&cli, environment, sockets))
        }
        #[cfg(feature = "demo")]
        Some(Command::Demo(demo)) => block_on(demo::run(&demo, environment)),
        #[cfg(feature = "demo")]
        Some(Command::Simulate(simulate)) => block_on(simulate::run(&simulate)),
        Some(Command::Discover(discover)) => {
            block_on(discover::run(&cli.config, &discover, environment))
        }
        Some(Command::Decisions(options)) => {
            block_on(decisions::run(&cli.config, &options, environment))
        }
        Some(Command::Approve(options)) => {
            block_on(approve::run(&cli.config, &options, environment))
        }
        Some(Command::Evidence(options)) => {
            block_on(evidence::run(&cli.config, &options, environment))
        }
        Some(Command::Init(init)) => init::run(&init),
        Some(Command::Collect(ref collect)) => block_on(collect::run(&cli, collect, environment)),
        Some(Command::Backfill(ref backfill)) => {
            block_on(backfill::run(&cli, backfill, environment))
        }
        Some(Command::Healthcheck(options)) => block_on(healthcheck::run(&options)),
        Some(Command::Completions { shell }) => shell::completions(shell),
        Some(Command::Man) => shell::man(),
        Some(Command::Check(check)) => block_on(check::run(&cli.config, &check, environment)),
    }
}

fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let result = runtime.block_on(command);
    runtime.shutdown_background();
    result
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
