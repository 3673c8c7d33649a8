//! The flags of `evidence`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Flags of `evidence`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
A running exporter serves the same at /tenants/NAME/evidence?since=DATE&until=DATE&format=FORMAT.

Example:
  secure-score-exporter evidence --config.file secure-score.yml \\
    --state.dir /var/lib/secure-score \\
    --tenant contoso --since 2027-01-01 --until 2027-03-31 --output contoso.html

Exit status:
  0  the evidence is written; what is not known is in it
  1  nothing is known of the tenant, or a day is invalid
  2  invalid flags")]
pub struct Evidence {
    /// The tenant of the configuration
    #[arg(long, value_name = "NAME")]
    pub tenant: String,

    /// The first day, UTC
    #[arg(long, value_name = "DATE")]
    pub since: String,

    /// The last day, UTC [default: today]
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,

    /// The format: a page to be printed, a table, or the data with their SHA-256
    #[arg(
        id = "evidence_format",
        long = "format",
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub format: EvidenceFormat,

    /// Write to this file atomically instead of standard output; only its owner may read it
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// The state directory of the exporter, which may run
    #[arg(id = "evidence_state_dir", long = "state.dir", value_name = "DIR")]
    pub state_dir: PathBuf,
}

/// The format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum EvidenceFormat {
    /// One page in HTML.
    #[default]
    Html,
    /// A row for each score, declaration, open control and gap.
    Csv,
    /// One JSON document.
    Json,
}
