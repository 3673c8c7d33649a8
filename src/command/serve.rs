//! The exporter with a configuration of the user's.

use super::Failure;
use super::exporter::Exporter;
use super::print::{line, tenants};
use crate::cli::{Cli, ConfigFlags, ShardFlags};
use crate::config::{self, Config, Environment, Faults, Tenant};
use crate::refresh::Shard;
use crate::report;
use crate::store::disk::Directory;

/// Serves until asked to stop.
pub(super) async fn run(cli: &Cli, environment: &Environment) -> Result<(), Failure> {
    let source = Source {
        cli,
        environment,
        shard: shard(&cli.shard, environment)?,
    };
    let config = source.load()?;
    let state = cli.state_dir.as_deref().map(Directory::open).transpose()?;
    let exporter = Exporter::start(config, &cli.web, source.shard, state).await?;
    exporter.serve(Some(source)).await
}

/// Where the configuration comes from, however often it is read.
pub(super) struct Source<'a> {
    cli: &'a Cli,
    environment: &'a Environment,
    shard: Shard,
}

impl Source<'_> {
    /// Reads it, and leaves the tenants of other shards to others.
    pub(super) fn load(&self) -> Result<Config, Faults> {
        let mut config = load(&self.cli.config, self.environment)?;
        let all = config.tenants.len();
        let owned = |tenant: &Tenant| self.shard.owns(&tenant.alias);
        config.tenants.retain(owned);
        if self.shard != Shard::WHOLE {
            tracing::info!(shard = %self.shard, tenants = config.tenants.len(), of = all, "watching a share of the tenants");
        }
        Ok(config)
    }
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
