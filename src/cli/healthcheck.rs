//! The flags of `healthcheck`.

use super::WebFlags;
use clap::Args;

/// Flags of `healthcheck`.
#[derive(Debug, Clone, Args)]
#[command(
    after_long_help = "Give it the --web.* flags the exporter was started with.\n\nExit status:\n  0  the exporter answers\n  1  it does not"
)]
pub struct Healthcheck {
    /// Where the exporter serves.
    #[command(flatten)]
    pub web: WebFlags,

    /// Wait so many seconds for the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(1..=60))]
    pub timeout: u64,
}
