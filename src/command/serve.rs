//! The exporter with a configuration of the user's.

use super::Failure;
use super::exporter::Exporter;
use super::print::{line, tenants};
use crate::cli::{ConfigFlags, WebFlags};
use crate::config::{self, Config, Environment, Faults};
use crate::report;

/// Serves until asked to stop.
pub(super) async fn run(
    config: &ConfigFlags,
    web: &WebFlags,
    environment: &Environment,
) -> Result<(), Failure> {
    let config = load(config, environment)?;
    Exporter::start(config, web).await?.serve().await
}

/// Says whether the configuration could be served.
pub(super) fn check_config(flags: &ConfigFlags, environment: &Environment) -> Result<(), Failure> {
    let config = load(flags, environment)?;
    line(format_args!(
        "configuration is good: {}",
        tenants(config.tenants.len())
    ))
}

/// Reads the configuration and passes its warnings on.
pub(super) fn load(flags: &ConfigFlags, environment: &Environment) -> Result<Config, Faults> {
    let loaded = config::find(flags.file.as_deref(), environment)?;
    report::warnings(&loaded.warnings);
    Ok(loaded.config)
}
