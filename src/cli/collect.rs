//! The flags of `collect`.

use super::number::number;
use clap::{Args, ValueEnum};
use secure_score_model::Category;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Flags of `collect`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
Examples:
  secure-score-exporter collect
      Print the tenants, then the risks that are accepted
  secure-score-exporter collect --category=Identity --accepted --last=3
      Print the identity controls whose risk is or was accepted lately
  secure-score-exporter collect \\
    --output=/var/lib/node_exporter/textfile/secure_score.prom
      Write metrics for node_exporter's textfile collector

Exit status:
  0  every tenant was read
  1  nothing was read
  2  invalid flags
  3  some tenants could not be read; the others are printed")]
pub struct Collect {
    /// Read only this tenant of the configuration; may be given several times
    #[arg(long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,

    /// The output format [default: table on a terminal or with --controls, --category or --accepted, else prometheus]
    #[arg(
        id = "collect_format",
        long = "format",
        value_enum,
        value_name = "FORMAT"
    )]
    pub format: Option<CollectFormat>,

    /// Write to this file atomically instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// All controls and recommendations in place of the tenants and the accepted risks
    #[arg(long, conflicts_with = "accepted")]
    pub controls: bool,

    /// Only controls and recommendations of this category; may be given several times
    #[arg(long = "category", value_name = "CATEGORY")]
    pub categories: Vec<Category>,

    /// Only controls whose risk is accepted and recommendations set aside, or that were in one of the last states (--last)
    #[arg(long)]
    pub accepted: bool,

    /// How many of the last states --accepted covers [default: the current one]
    #[arg(long, value_name = "N", requires = "accepted",
          value_parser = number(NonZeroUsize::MIN.., "3"), allow_negative_numbers = true)]
    pub last: Option<NonZeroUsize>,

    /// More columns: points, impact, cost, implementation status and the link to the fix
    #[arg(long)]
    pub wide: bool,

    /// When the table has colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CollectFormat {
    /// The tenants' metrics, as in /metrics.
    Prometheus,
    /// One JSON document.
    Json,
    /// A table for a terminal.
    Table,
}

/// When the table has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Collect {
    /// Whether flags select controls.
    pub fn selects_controls(&self) -> bool {
        self.controls || !self.categories.is_empty() || self.accepted
    }

    /// The error for a flag that conflicts with another one.
    pub(super) fn conflict(&self) -> Option<&'static str> {
        match self.format {
            Some(CollectFormat::Prometheus | CollectFormat::Json) if self.controls => {
                Some("--controls needs --format table; metrics and JSON have every control")
            }
            Some(CollectFormat::Prometheus) if self.selects_controls() => Some(
                "--category and --accepted select rows of a table or of JSON; `controls` in the configuration selects series",
            ),
            Some(CollectFormat::Prometheus | CollectFormat::Json) if self.wide => {
                Some("--wide needs --format table; JSON has every column")
            }
            _ => None,
        }
    }
}
