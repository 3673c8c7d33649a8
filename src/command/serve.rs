//! The exporter with a configuration of the user's.

use super::Failure;
use super::exporter::Exporter;
use super::print::{line, tenants};
use crate::cli::{Cli, ConfigFlags, ShardFlags};
use crate::config::{self, Config, Environment, Faults};
use crate::refresh::Shard;
use crate::report;
use crate::store::disk::Directory;

/// Serves until asked to stop.
pub(super) async fn run(cli: &Cli, environment: &Environment) -> Result<(), Failure> {
    let shard = shard(&cli.shard, environment)?;
    let mut config = load(&cli.config, environment)?;
    let all = config.tenants.len();
    config.tenants.retain(|tenant| shard.owns(&tenant.alias));
    if shard != Shard::WHOLE {
        tracing::info!(%shard, tenants = config.tenants.len(), of = all, "watching a share of the tenants");
    }
    let state = cli.state_dir.as_deref().map(Directory::open).transpose()?;
    Exporter::start(config, &cli.web, shard, state)
        .await?
        .serve()
        .await
}

fn shard(flags: &ShardFlags, environment: &Environment) -> Result<Shard, Failure> {
    flags.resolve(environment).map_err(|error| Failure::Other {
        error: error.into(),
        hint: None,
    })
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
