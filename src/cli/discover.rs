//! The flags of `discover`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Flags of `discover`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
Examples:
  secure-score-exporter discover
      Print the customers of every partner in the configuration
  secure-score-exporter discover --write tenants.d/customers.yml --check
      Print which entries --write would add
  secure-score-exporter discover --write tenants.d/customers.yml
      Add the customers that are not configured, for `tenant_files: [tenants.d/*.yml]`

Exit status:
  0  every list was read
  1  a list could not be read, or the file not be written
  2  invalid flags
  3  with --check: a customer is unwatched, or has no valid tenant id")]
pub struct Discover {
    /// Only the customers of this partner of the configuration; may be given several times
    #[arg(long = "partner", value_name = "NAME")]
    pub partners: Vec<String>,

    /// The output format
    #[arg(
        id = "discover_output",
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub output: DiscoverOutput,

    /// Add the unwatched customers to this file of tenants; entries and comments in it stay as they are
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,

    /// Exit with 3 if a customer is unwatched or has no valid tenant id; with --write, print the difference and write nothing
    #[arg(id = "discover_check", long = "check")]
    pub check: bool,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum DiscoverOutput {
    /// A table for a terminal.
    #[default]
    Table,
    /// One JSON document.
    Json,
}
