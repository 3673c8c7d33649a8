//! The flags of `decisions`.

use super::server_url::{server_url, user_conflict};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use url::Url;

/// Flags of `decisions`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
A running exporter serves the same at /api/v1/decisions.

Example:
  secure-score-exporter decisions --tenant=contoso

Exit status:
  0  every decision is listed
  1  no tenant, or not the exporter of --url, could be read
  2  invalid flags
  3  a decision has expired while what it approved stands, or it is not known what some cover")]
pub struct Decisions {
    /// Only the decisions about this tenant, and what they cover there; may be given several times, with --url once
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

    /// Ask the running exporter at this address, with its route prefix, instead of reading the configuration
    #[arg(
        id = "decisions_url",
        long = "url",
        value_name = "URL",
        value_parser = server_url,
        conflicts_with = "decisions_state_dir"
    )]
    pub url: Option<Url>,

    /// A file of headers, one `Name: value` per line, for the exporter of --url
    #[arg(
        id = "decisions_header_file",
        long = "header-file",
        value_name = "FILE",
        requires = "decisions_url",
        conflicts_with = "decisions_state_dir"
    )]
    pub header_file: Option<PathBuf>,
}

impl Decisions {
    /// The error for a flag that conflicts with another one.
    pub(super) fn conflict(&self) -> Option<String> {
        let url = self.url.as_ref()?;
        if self.tenants.len() > 1 {
            return Some("--url takes one --tenant; run the command for each".to_owned());
        }
        user_conflict(url).map(str::to_owned)
    }
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
