//! The flags of `check`.

use clap::Args;

/// Flags of `check`.
#[derive(Debug, Clone, Args)]
pub struct Check {
    /// Check only this tenant of the configuration; may be given several times
    #[arg(long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,
}
