//! The flags of `collect`.

use clap::{Args, ValueEnum};
use secure_score_model::Category;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Flags of `collect`.
#[derive(Debug, Clone, Args)]
#[command(
    after_long_help = "Exit status:\n  0  every tenant was read\n  1  nothing was read\n  2  a flag was wrong\n  3  some tenants could not be read; the rest is shown"
)]
pub struct Collect {
    /// Read only this tenant of the configuration; may be given several times
    #[arg(long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,

    /// The form of what is printed [default: table on a terminal or where controls are chosen, else prometheus]
    #[arg(
        id = "collect_format",
        long = "format",
        value_enum,
        value_name = "FORMAT"
    )]
    pub format: Option<CollectFormat>,

    /// Write into this file, whole or not at all, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Only controls of this category; may be given several times
    #[arg(long = "category", value_name = "CATEGORY")]
    pub categories: Vec<Category>,

    /// Only controls whose risk is accepted, or was among the last states (--last)
    #[arg(long)]
    pub accepted: bool,

    /// How many of the last states --accepted looks at [default: the present one]
    #[arg(long, value_name = "N", requires = "accepted")]
    pub last: Option<NonZeroUsize>,

    /// More columns: points, what is to be done and where
    #[arg(long)]
    pub wide: bool,

    /// Whether the table has colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
}

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CollectFormat {
    /// The families of the tenants, as /metrics has them.
    Prometheus,
    /// One JSON document.
    Json,
    /// For a person.
    Table,
}

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Collect {
    /// Whether only some controls are wanted.
    pub fn chooses_rows(&self) -> bool {
        !self.categories.is_empty() || self.accepted
    }

    /// A flag that makes no sense beside another one, and why.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        match self.format {
            Some(CollectFormat::Prometheus) if self.chooses_rows() => Some(
                "--category and --accepted choose rows of a table or of JSON; the series are chosen by `controls` in the configuration",
            ),
            Some(CollectFormat::Prometheus | CollectFormat::Json) if self.wide => {
                Some("--wide is for --format table; JSON has every column")
            }
            _ => None,
        }
    }
}
