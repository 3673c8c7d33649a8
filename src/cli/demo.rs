//! The flags of `demo` and `simulate`.

use super::address::{AddressError, ListenAddress};
use super::number::number;
use super::web::WebFlags;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The seed of the simulated tenants, unless `--seed` names another.
pub const DEFAULT_SEED: u64 = 1;

/// Flags of `demo`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
Examples:
  secure-score-exporter demo
  secure-score-exporter demo --tenants=50 --web.listen-address=localhost:10365")]
pub struct Demo {
    /// The simulated tenants.
    #[command(flatten)]
    pub simulation: SimulationFlags,

    /// Require a user: `provider` sees every tenant, `contoso` that tenant only; the password of
    /// both is `demo`
    #[arg(long)]
    pub with_users: bool,

    /// Start Prometheus and Alertmanager too, which must be in PATH, and show the pages and mails
    /// that they send at /inbox
    #[arg(long)]
    pub full: bool,

    /// The HTTP server.
    #[command(flatten)]
    pub web: WebFlags,
}

impl Demo {
    /// The error for flags that contradict each other.
    pub(super) fn conflict(&self) -> Option<&'static str> {
        self.web.config_file.as_ref()?;
        if self.with_users {
            return Some(
                "--with-users has a web configuration of its own; remove it or --web.config.file",
            );
        }
        self.full.then_some(
            "the Prometheus of --full scrapes without TLS and password; remove it or --web.config.file",
        )
    }
}

/// Flags of `simulate`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = "\
Example:
  secure-score-exporter simulate --tenants=20 --config-dir=simulated
      Run the simulator, and write a configuration of its tenants")]
pub struct Simulate {
    /// The simulated tenants.
    #[command(flatten)]
    pub simulation: SimulationFlags,

    /// The loopback address of Graph and the token endpoint
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:10366",
          value_parser = loopback)]
    pub listen_address: SocketAddr,

    /// The loopback address of the control API
    #[arg(long = "control.listen-address", value_name = "ADDRESS",
          default_value = "127.0.0.1:10367", value_parser = loopback)]
    pub control_listen_address: SocketAddr,

    /// Write an exporter configuration for the simulated tenants into this directory
    #[arg(long, value_name = "DIR")]
    pub config_dir: Option<PathBuf>,
}

/// The simulated tenants.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Simulation")]
pub struct SimulationFlags {
    /// Serve the captured responses in this directory, or one tenant for each directory in it,
    /// instead of generated tenants
    #[arg(long, value_name = "DIR")]
    pub replay: Option<PathBuf>,

    /// The number of generated tenants
    #[arg(long, value_name = "N", default_value_t = 5, conflicts_with = "replay",
          value_parser = number(1..=10_000_u16, "5"), allow_negative_numbers = true)]
    pub tenants: u16,

    /// Equal seeds generate equal tenants
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED,
          value_parser = number(0_u64.., "1"), allow_negative_numbers = true)]
    pub seed: u64,

    /// Run no scenario: no acceptance and no change of a score
    #[arg(long)]
    pub quiet: bool,
}

impl SimulationFlags {
    /// Whether the scenario runs; captured responses do not change by themselves.
    pub const fn runs_scenario(&self) -> bool {
        !self.quiet && self.replay.is_none()
    }
}

/// An address that only this machine can reach.
fn loopback(text: &str) -> Result<SocketAddr, AddressError> {
    let address: ListenAddress = text.parse()?;
    address.loopback().ok_or(AddressError::NotLoopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_other_machines_reach_is_rejected() {
        assert!(loopback("127.0.0.1:1").is_ok());
        assert!(loopback("localhost:1").is_ok());
        for outside in ["0.0.0.0:1", ":1", "other.example:1"] {
            assert_eq!(loopback(outside), Err(AddressError::NotLoopback));
        }
    }
}
