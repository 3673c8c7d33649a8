//! The flags of `evidence`.

use super::server_url::{server_url, user_conflict};
use clap::{ArgGroup, Args, ValueEnum};
use std::path::PathBuf;
use url::Url;

/// Flags of `evidence`.
#[derive(Debug, Clone, Args)]
#[command(
    group = ArgGroup::new("evidence_source")
        .args(["evidence_state_dir", "evidence_url"])
        .required(true),
    after_long_help = "\
A running exporter serves the same at /tenants/NAME/evidence?since=DATE&until=DATE&format=FORMAT.

Examples:
  secure-score-exporter evidence --config.file secure-score.yml \\
    --state.dir /var/lib/secure-score \\
    --tenant contoso --since 2026-07-01 --until 2026-09-30 --output contoso.html
  secure-score-exporter evidence --url http://localhost:10365 \\
    --tenant contoso --since 2026-07-01 --format csv --output contoso.csv

Exit status:
  0  the evidence is written; what is not known is in it
  1  nothing is known of the tenant, or the exporter of --url gives no evidence
  2  invalid flags or days"
)]
pub struct Evidence {
    /// The tenant, by its name in the configuration or in the exporter
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
    pub state_dir: Option<PathBuf>,

    /// Ask the running exporter at this address, with its route prefix, instead of reading its state directory
    #[arg(
        id = "evidence_url",
        long = "url",
        value_name = "URL",
        value_parser = server_url
    )]
    pub url: Option<Url>,

    /// A file of headers, one `Name: value` per line, for the exporter of --url
    #[arg(
        id = "evidence_header_file",
        long = "header-file",
        value_name = "FILE",
        requires = "evidence_url",
        conflicts_with = "evidence_state_dir"
    )]
    pub header_file: Option<PathBuf>,
}

impl Evidence {
    /// The error for a flag that conflicts with another one.
    pub(super) fn conflict(&self) -> Option<&'static str> {
        self.url.as_ref().and_then(user_conflict)
    }
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

impl EvidenceFormat {
    /// Its name in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}
