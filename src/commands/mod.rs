//! What the program can be told to do, one file each.

mod backfill;
mod check;
mod chosen;
mod collect;
#[cfg(feature = "demo")]
mod demo;
mod exporter;
mod healthcheck;
mod logging;
mod persons;
mod print;
mod reload;
mod serve;
mod shell;
#[cfg(feature = "demo")]
mod simulate;
mod stop;
mod supervisor;
mod web_config;

use crate::cli::{Cli, Command};
use crate::config::Environment;
use crate::diagnostics;
use crate::http::{self, WebError};
use crate::http_client::SetupError;
use crate::store::disk::DirectoryError;
use std::process::ExitCode;
use strict_yaml::ConfigErrors;

/// The exit status of a command that did a part of its work. 2 is that of a
/// wrong flag.
const PARTLY: u8 = 3;

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// The configuration; nothing was started.
    Config(ConfigErrors),
    /// Anything else, with what to do about it.
    Other {
        /// What happened.
        error: anyhow::Error,
        /// What to do about it, where something can be done.
        hint: Option<String>,
    },
    /// The command ran, and what it found is reason enough for a script to
    /// stop. It has said so itself.
    Found,
    /// Some of what was asked for was done, and the command has said what was
    /// not.
    Partly,
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Config(errors)
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::Other {
            hint: Some(error.hint().to_owned()),
            error: error.into(),
        }
    }
}

impl From<WebError> for Failure {
    fn from(error: WebError) -> Self {
        Self::Other {
            hint: error.hint().map(str::to_owned),
            error: error.into(),
        }
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        Self::Other {
            hint: Some(error.hint().to_owned()),
            error: error.into(),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other { error, hint: None }
    }
}

/// Runs what the command line says, and reports how it ended.
pub fn run(cli: Cli, environment: &Environment) -> ExitCode {
    match dispatch(cli, environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure);
            match failure {
                Failure::Partly => ExitCode::from(PARTLY),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn dispatch(cli: Cli, environment: &Environment) -> Result<(), Failure> {
    logging::start(&cli.log);
    match cli.command {
        None if cli.config.check => serve::check_config(&cli, environment),
        None => {
            // Before the runtime, hence other threads.
            let asked = cli.web.systemd_socket;
            let handed_over = asked.then(http::handed_over).transpose()?;
            block_on(serve::run(&cli, environment, handed_over))
        }
        #[cfg(feature = "demo")]
        Some(Command::Demo(demo)) => block_on(demo::run(&demo)),
        #[cfg(feature = "demo")]
        Some(Command::Simulate(simulate)) => block_on(simulate::run(&simulate)),
        Some(Command::Collect(ref collect)) => block_on(collect::run(&cli, collect, environment)),
        Some(Command::Backfill(ref backfill)) => {
            block_on(backfill::run(&cli, backfill, environment))
        }
        Some(Command::Healthcheck(asked)) => block_on(healthcheck::run(&asked)),
        Some(Command::Completions { shell }) => shell::completions(shell),
        Some(Command::Man) => shell::man(),
        Some(Command::Check(check)) => block_on(check::run(&cli.config, &check, environment)),
    }
}

fn tell(failure: &Failure) {
    match failure {
        Failure::Config(errors) => diagnostics::config_errors(errors),
        Failure::Other { error, hint } => diagnostics::error(error.as_ref(), hint.as_deref()),
        Failure::Found | Failure::Partly => {}
    }
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    use anyhow::Context as _;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let ended = runtime.block_on(work);
    runtime.shutdown_background();
    ended
}
