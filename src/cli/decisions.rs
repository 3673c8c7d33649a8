//! The flags of `decisions`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Flags of `decisions`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
Example:
  secure-score-exporter decisions --tenant=contoso

Exit status:
  0  every decision is listed
  1  no tenant could be read
  2  invalid flags
  3  a decision has expired while what it approved stands, or it is not known what some cover")]
pub struct Decisions {
    /// Only what is declared on this tenant of the configuration; may be given several times
    #[arg(long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,

    /// The output format
    #[arg(
        id = "decisions_output",
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub output: DecisionsOutput,

    /// Read what is declared now from the state directory of the exporter, instead of Graph
    #[arg(id = "decisions_state_dir", long = "state.dir", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum DecisionsOutput {
    /// A table for a terminal.
    #[default]
    Table,
    /// One JSON document.
    Json,
}
