//! The exporter with a configuration of the user's.

use super::Failure;
use super::exporter::Exporter;
use super::print::{line, tenants};
use crate::cli::{Cli, ConfigFlags, ShardFlags};
use crate::config::{self, Config, Environment, Loaded};
use crate::credentials::DecryptedKeyCache;
use crate::diagnostics;
use crate::refresh::Shard;
use crate::store::disk::StateDirectory;
use exporter_web_config::FileContents;
use std::net::TcpListener;
use std::path::Path;
use strict_yaml::ConfigErrors;

/// Serves until asked to stop, on sockets that are open already or on those
/// the flags name.
pub(super) async fn run(
    cli: &Cli,
    environment: &Environment,
    handed_over: Option<Vec<TcpListener>>,
) -> Result<(), Failure> {
    let source = Source {
        cli,
        environment,
        shard: shard(&cli.shard, environment)?,
        decrypted_keys: DecryptedKeyCache::default(),
    };
    let Loaded { config, warnings } = source.load()?;
    diagnostics::warnings(&warnings);
    if source.shard != Shard::WHOLE {
        tracing::info!(shard = %source.shard, tenants = config.tenants.len(), "watching a share of the tenants");
    }
    let state = cli
        .state_dir
        .as_deref()
        .map(StateDirectory::open)
        .transpose()?;
    let exporter = Exporter::start(config, &cli.web, source.shard, state, handed_over).await?;
    exporter.serve(Some(source)).await
}

/// Where the configuration comes from, however often it is read.
pub(super) struct Source<'a> {
    cli: &'a Cli,
    environment: &'a Environment,
    shard: Shard,
    /// Private keys that need not be decrypted again.
    decrypted_keys: DecryptedKeyCache,
}

impl Source<'_> {
    /// Reads it, and leaves the tenants of other shards to others.
    pub(super) fn load(&self) -> Result<Loaded, ConfigErrors> {
        let file = self.cli.config.file.as_deref();
        let mut loaded = config::find(file, self.environment, &self.decrypted_keys)?;
        let tenants = &mut loaded.config.tenants;
        tenants.retain(|tenant| self.shard.owns(&tenant.alias));
        Ok(loaded)
    }

    /// The contents of the configuration file, without those it names.
    pub(super) fn file_contents(&self) -> FileContents {
        let file = self.cli.config.file.as_deref();
        FileContents::read([file.unwrap_or(Path::new(config::DEFAULT_FILE))])
    }

    /// Whether the file people write is gone by as soon as it changes.
    pub(super) const fn may_change_by_itself(&self) -> bool {
        self.cli.config.auto_reload
    }
}

fn shard(flags: &ShardFlags, environment: &Environment) -> Result<Shard, Failure> {
    flags.resolve(environment).map_err(|error| Failure::Other {
        error: error.into(),
        hint: None,
    })
}

/// Says whether the configuration could be served, that of the web included.
pub(super) fn check_config(cli: &Cli, environment: &Environment) -> Result<(), Failure> {
    let config = load(&cli.config, environment)?;
    if let Some(file) = &cli.web.config_file {
        let (_, warnings) = exporter_web_config::load(file)?;
        diagnostics::warnings(&warnings);
    }
    line(format_args!(
        "configuration is good: {}",
        tenants(config.tenants.len())
    ))
}

/// Reads the configuration and passes its warnings on.
pub(super) fn load(flags: &ConfigFlags, environment: &Environment) -> Result<Config, ConfigErrors> {
    let keys = DecryptedKeyCache::default();
    let loaded = config::find(flags.file.as_deref(), environment, &keys)?;
    diagnostics::warnings(&loaded.warnings);
    Ok(loaded.config)
}
