//! Where a command's configuration and its tenants come from.

use super::Failure;
use crate::cli::{Cli, ConfigFlags};
use crate::config::{Config, ConfigText, Environment, Loaded, Tenant};
use crate::credentials::DecryptedKeyCache;
use crate::diagnostics;
use crate::refresh::Shard;
use strict_yaml::{ConfigErrors, suggest};

/// Loads the configuration and prints its warnings.
pub(super) fn load(flags: &ConfigFlags, environment: &Environment) -> Result<Config, ConfigErrors> {
    let text = ConfigText::read(flags.file.as_deref());
    let loaded = text.load(environment, &DecryptedKeyCache::default())?;
    diagnostics::warnings(&loaded.warnings);
    Ok(loaded.config)
}

/// The tenants that `--tenant` selects; without names, all.
pub(super) fn selected_tenants<'a>(
    config: &'a Config,
    names: &[String],
) -> Result<Vec<&'a Tenant>, Failure> {
    let exists = |name: &String| config.tenants.iter().any(|tenant| tenant.alias == *name);
    if let Some(unknown) = names.iter().find(|name| !exists(name)) {
        let known = config.tenants.iter().map(|tenant| tenant.alias.as_str());
        let hint = match suggest::nearest(unknown, known) {
            Some(near) => format!("did you mean {near}?"),
            None => "use the `name` of a tenant in the configuration".to_owned(),
        };
        let error = anyhow::anyhow!("--tenant {unknown}: the configuration has no such tenant");
        return Err(Failure::with_hint(error, hint));
    }
    let is_selected = |tenant: &&Tenant| names.is_empty() || names.contains(&tenant.alias);
    Ok(config.tenants.iter().filter(is_selected).collect())
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
    /// Reads the configuration file.
    pub(super) fn read(&self) -> ConfigText {
        ConfigText::read(self.cli.config.file.as_deref())
    }

    /// Loads the configuration, with the tenants of this shard only.
    pub(super) fn load(&self, text: &ConfigText) -> Result<Loaded, ConfigErrors> {
        let mut loaded = text.load(self.environment, &self.decrypted_keys)?;
        let tenants = &mut loaded.config.tenants;
        tenants.retain(|tenant| self.shard.owns(&tenant.alias));
        Ok(loaded)
    }
}
