//! Without a command: the exporter serves the configured tenants.

use super::Failure;
use super::access_check::{WebConfigCache, check_access};
use super::config_source::{self, ConfigSource};
use super::exporter::Exporter;
use super::reload::Hangups;
use super::stdout::line;
use super::web_config::ServedWebConfig;
use crate::cli::Cli;
use crate::config::{Environment, Loaded};
use crate::credentials::DecryptedKeyCache;
use crate::diagnostics;
use crate::refresh::Shard;
use crate::store::state_directory::StateDirectory;
use std::net::TcpListener;

/// Serves until a signal, on the given sockets or on the addresses of the
/// flags.
pub(super) async fn run(
    cli: &Cli,
    environment: &Environment,
    sockets: Option<Vec<TcpListener>>,
) -> Result<(), Failure> {
    let hangups = Hangups::install();
    let shard = cli.shard.resolve(environment)?;
    let source = ConfigSource {
        cli,
        environment,
        shard,
        decrypted_keys: DecryptedKeyCache::default(),
        web_config: WebConfigCache::default(),
    };
    let text = source.read();
    let Loaded {
        config, warnings, ..
    } = source.load(&text)?;
    diagnostics::warnings(&warnings);
    if shard != Shard::WHOLE {
        tracing::info!(%shard, tenants = config.tenants.len(), "serving the tenants of one shard");
    }
    let web_config = ServedWebConfig::load(&cli.web)?;
    let directory = cli.state_dir.as_deref();
    let state = directory.map(StateDirectory::open).transpose()?;
    let exporter = Exporter::start(config, &cli.web, web_config, shard, state, sockets).await?;
    exporter.serve(Some((source, text, hangups))).await
}

/// Checks the configuration and the web configuration; starts nothing.
pub(super) fn check_config(cli: &Cli, environment: &Environment) -> Result<(), Failure> {
    let config = config_source::load(&cli.config, environment)?;
    config_source::check_state_directory(cli, &config)?;
    check_access(cli, &config, &WebConfigCache::default())?;
    if let Some(file) = &cli.web.config_file {
        let (_, warnings) = exporter_web_config::load(file)?;
        diagnostics::warnings(&warnings);
    }
    line(format_args!(
        "configuration is good: {}",
        config_source::size(&config)
    ))
}
