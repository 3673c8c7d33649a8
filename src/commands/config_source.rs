//! Where a command's configuration comes from.

use crate::cli::{Cli, ConfigFlags};
use crate::config::{self, Config, Environment, Loaded};
use crate::credentials::DecryptedKeyCache;
use crate::diagnostics;
use crate::refresh::Shard;
use exporter_web_config::FileContents;
use std::path::Path;
use strict_yaml::ConfigErrors;

/// Loads the configuration and prints its warnings.
pub(super) fn load(flags: &ConfigFlags, environment: &Environment) -> Result<Config, ConfigErrors> {
    let loaded = config::find(
        flags.file.as_deref(),
        environment,
        &DecryptedKeyCache::default(),
    )?;
    diagnostics::warnings(&loaded.warnings);
    Ok(loaded.config)
}

/// The configuration of a serving exporter, which is loaded again and again.
pub(super) struct ConfigSource<'a> {
    pub(super) cli: &'a Cli,
    pub(super) environment: &'a Environment,
    pub(super) shard: Shard,
    /// Private keys that need not be decrypted again.
    pub(super) decrypted_keys: DecryptedKeyCache,
}

impl ConfigSource<'_> {
    /// Loads the configuration, with the tenants of this shard only.
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

    /// Whether a change of the configuration file itself causes a reload.
    pub(super) const fn auto_reload(&self) -> bool {
        self.cli.config.auto_reload
    }
}
