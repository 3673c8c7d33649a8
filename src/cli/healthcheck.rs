//! The flags of `healthcheck`.

use super::web::WebFlags;
use clap::Args;

/// Flags of `healthcheck`.
#[derive(Debug, Clone, Args)]
#[command(
    after_long_help = "Use the same --web.* flags as for the exporter.\n\nExit status:\n  0  the exporter responds\n  1  it does not"
)]
pub struct Healthcheck {
    /// The HTTP server of the exporter.
    #[command(flatten)]
    pub web: WebFlags,

    /// The timeout in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(1..=60))]
    pub timeout: u64,
}
