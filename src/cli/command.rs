//! The sub-commands, and the flags of those that have few.

use super::approve::Approve;
use super::backfill::Backfill;
use super::collect::Collect;
use super::decisions::Decisions;
#[cfg(feature = "demo")]
use super::demo::{Demo, Simulate};
use super::discover::Discover;
use super::evidence::Evidence;
use super::init::Init;
use super::log::{LogFormat, LogLevel};
use super::number::number;
use super::web::WebFlags;
use clap::{Arg, Args, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

/// A command other than serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Run the exporter with simulated tenants; needs neither a tenant nor a configuration
    #[cfg(feature = "demo")]
    #[command(arg = unused_config_file())]
    Demo(Demo),
    /// Run only the embedded simulator of Microsoft Graph
    #[cfg(feature = "demo")]
    #[command(arg = unused_config_file())]
    Simulate(Simulate),
    /// Write a first configuration, and one for Prometheus and Alertmanager
    #[command(arg = unused_config_file())]
    Init(Init),
    /// Check the configuration, and the credential and permission of each tenant
    Check(Check),
    /// Print the customers of each partner, and add those that are not watched to a file
    Discover(Discover),
    /// List the decisions, those that expire first at the top, with what each covers now
    Decisions(Decisions),
    /// Write a decision into a file of decisions, and print which alerts it ends
    Approve(Approve),
    /// Write what was decided about a tenant in a period, for a customer or an auditor
    Evidence(Evidence),
    /// Read every tenant once and print metrics, JSON or a table
    ///
    /// On a terminal it prints the tenants and the accepted risks as tables. Into a pipe or
    /// a file it prints the metrics of /metrics, thousands of lines; --format table prints
    /// the tables there too.
    Collect(Collect),
    /// Write Graph's history as samples with timestamps
    Backfill(Backfill),
    /// Check whether the exporter on this machine responds
    #[command(arg = unused_config_file())]
    Healthcheck(Healthcheck),
    /// Print shell completions
    #[command(
        args = unused_global_flags(),
        after_long_help = "\
Example:
  secure-score-exporter completions bash \\
    > /etc/bash_completion.d/secure-score-exporter"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(
        args = unused_global_flags(),
        after_long_help = "Example:\n  secure-score-exporter man > secure-score-exporter.1"
    )]
    Man,
}

/// Flags of `check`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
Each server is tried once: name resolution, connection, proxy, TLS, and this machine's clock. Then \
each tenant: token, permission, lists, and whether the controls add up to the score. It changes \
nothing.

Examples:
  secure-score-exporter check
      Check every tenant and partner of the configuration
  secure-score-exporter check --config.file=secure-score.yml --tenant=contoso
      Check one tenant

Exit status:
  0  every tenant can be watched, and every partner read
  1  one cannot
  2  invalid flags")]
pub struct Check {
    /// Check only this tenant of the configuration; may be given several times
    #[arg(long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,
}

/// Flags of `healthcheck`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
Use the same --web.* flags as for the exporter.

Example:
  secure-score-exporter healthcheck --web.listen-address=localhost:10365

Exit status:
  0  the exporter responds
  1  it does not")]
pub struct Healthcheck {
    /// The HTTP server of the exporter.
    #[command(flatten)]
    pub web: WebFlags,

    /// The timeout in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = number(1..=60_u64, "5"), allow_negative_numbers = true)]
    pub timeout: u64,
}

impl Command {
    /// Whether it shows progress on standard error: it requests lists, prints them and
    /// ends.
    pub const fn shows_progress(&self) -> bool {
        matches!(
            self,
            Self::Check(_)
                | Self::Discover(_)
                | Self::Decisions(_)
                | Self::Approve(_)
                | Self::Evidence(_)
                | Self::Collect(_)
                | Self::Backfill(_)
        )
    }

    /// Its name on the command line.
    pub const fn name(&self) -> &'static str {
        match self {
            #[cfg(feature = "demo")]
            Self::Demo(_) => "demo",
            #[cfg(feature = "demo")]
            Self::Simulate(_) => "simulate",
            Self::Init(_) => "init",
            Self::Check(_) => "check",
            Self::Discover(_) => "discover",
            Self::Decisions(_) => "decisions",
            Self::Approve(_) => "approve",
            Self::Evidence(_) => "evidence",
            Self::Collect(_) => "collect",
            Self::Backfill(_) => "backfill",
            Self::Healthcheck(_) => "healthcheck",
            Self::Completions { .. } => "completions",
            Self::Man => "man",
        }
    }
}

/// The global flags of commands that neither read a configuration nor log. They are
/// hidden in the help, but parsed.
fn unused_global_flags() -> [Arg; 3] {
    let hidden =
        |id: &'static str, long: &'static str| Arg::new(id).long(long).global(true).hide(true);
    [
        unused_config_file(),
        hidden("level", "log.level")
            .value_parser(clap::value_parser!(LogLevel))
            .hide_possible_values(true),
        hidden("format", "log.format")
            .value_parser(clap::value_parser!(LogFormat))
            .hide_possible_values(true),
    ]
}

/// Replaces the global `--config.file` for commands that read none. It is hidden
/// in the help, but parsed, so that the error can name the command.
fn unused_config_file() -> Arg {
    Arg::new("file")
        .long("config.file")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .global(true)
        .hide(true)
}
