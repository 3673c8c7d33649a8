//! The sub-commands.

use super::{Backfill, Check, Collect, Healthcheck, unused_config_file};
#[cfg(feature = "demo")]
use super::{Demo, Simulate};
use clap::Subcommand;
use clap_complete::Shell;

/// What to do instead of serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Show everything with simulated tenants; needs neither tenant nor configuration
    #[cfg(feature = "demo")]
    #[command(arg = unused_config_file())]
    Demo(Demo),
    /// Run the embedded stand-in for Microsoft Graph alone
    #[cfg(feature = "demo")]
    #[command(arg = unused_config_file())]
    Simulate(Simulate),
    /// Check configuration, credential and permission of each tenant
    Check(Check),
    /// Read every tenant once and print metrics, JSON or a table
    Collect(Collect),
    /// Write the history Graph keeps as samples of the past
    Backfill(Backfill),
    /// Ask the exporter on this machine whether it answers
    #[command(arg = unused_config_file())]
    Healthcheck(Healthcheck),
    /// Print the completions of a shell
    #[command(arg = unused_config_file())]
    Completions {
        /// Of which shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(arg = unused_config_file())]
    Man,
}

impl Command {
    /// The word that was typed.
    pub const fn name(&self) -> &'static str {
        match self {
            #[cfg(feature = "demo")]
            Self::Demo(_) => "demo",
            #[cfg(feature = "demo")]
            Self::Simulate(_) => "simulate",
            Self::Check(_) => "check",
            Self::Collect(_) => "collect",
            Self::Backfill(_) => "backfill",
            Self::Healthcheck(_) => "healthcheck",
            Self::Completions { .. } => "completions",
            Self::Man => "man",
        }
    }
}
