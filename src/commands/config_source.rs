//! Where a command's configuration and its tenants come from.

use super::Failure;
use super::access_check::{WebConfigCache, check_access};
use super::config_diagnostics::config_diagnostics;
use super::stdout::tenants;
use crate::cli::{Cli, ConfigFlags};
use crate::config::{
    Config, ConfigText, Environment, Loaded, NewCustomers, Partner, ProposedFile, Tenant,
};
use crate::credentials::DecryptedKeyCache;
use crate::diagnostics;
use crate::refresh::Shard;
use crate::text::count;
use std::path::Path;
use strict_yaml::{ConfigErrors, ConfigWarning, Span, suggest};

/// Loads the configuration and prints its warnings.
pub(super) fn load(flags: &ConfigFlags, environment: &Environment) -> Result<Config, ConfigErrors> {
    let EditableConfig {
        config, warnings, ..
    } = EditableConfig::load(flags, environment)?;
    diagnostics::warnings(&warnings);
    Ok(config)
}

/// The configuration of a command that edits a file of it.
pub(super) struct EditableConfig<'a> {
    /// As it is before the edit.
    pub(super) config: Config,
    /// What it warns of.
    pub(super) warnings: Vec<ConfigWarning>,
    text: ConfigText,
    environment: &'a Environment,
    /// Private keys that need not be decrypted again.
    decrypted_keys: DecryptedKeyCache,
}

impl<'a> EditableConfig<'a> {
    /// Loads the configuration.
    pub(super) fn load(
        flags: &ConfigFlags,
        environment: &'a Environment,
    ) -> Result<Self, ConfigErrors> {
        let text = ConfigText::read(flags.file.as_deref());
        let decrypted_keys = DecryptedKeyCache::default();
        let loaded = text.load(environment, &decrypted_keys)?;
        Ok(Self {
            config: loaded.config,
            warnings: loaded.warnings,
            text,
            environment,
            decrypted_keys,
        })
    }

    /// The configuration with another text of one of its files.
    pub(super) fn with(&self, file: ProposedFile<'_>) -> Result<Loaded, ConfigErrors> {
        let Self {
            environment,
            decrypted_keys,
            ..
        } = self;
        self.text.load_with(file, environment, decrypted_keys)
    }

    /// Says how to make the configuration read a file that it does not name.
    pub(super) fn warn_of_unread(&self, file: ProposedFile<'_>) {
        let ConfigText::File(config, _) = &self.text else {
            diagnostics::warning(format_args!(
                "{}: no exporter reads this file, since the environment is the configuration; write a configuration file",
                file.path.display()
            ));
            return;
        };
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let (path, config) = (absolute(file.path), absolute(config));
        let name = config.parent().and_then(|it| path.strip_prefix(it).ok());
        diagnostics::warning(format_args!(
            "the configuration does not read this file; add `{}: [{}]`, and reload a running exporter (SIGHUP)",
            file.list.key(),
            name.unwrap_or(&path).display()
        ));
    }
}

/// Refuses a partner whose new customers are watched if a restart would lose
/// their aliases.
pub(super) fn check_state_directory(cli: &Cli, config: &Config) -> Result<(), ConfigErrors> {
    let watches = |partner: &&Partner| partner.new_customers == NewCustomers::Watch;
    let partner = config.partners.iter().find(watches);
    let Some(partner) = partner.filter(|_| cli.state_dir.is_none()) else {
        return Ok(());
    };
    let mut diagnostics = config_diagnostics(cli);
    let message = format!(
        "the partner {} watches new customers, whose aliases are kept in the state directory; \
         name one with --state.dir, or set new_customers: report",
        partner.name
    );
    diagnostics.error(Span::Nowhere, "partner.new_customers", message);
    Err(diagnostics.into_errors())
}

/// The tenants that `--tenant` selects; without names, all.
pub(super) fn selected_tenants<'a>(
    config: &'a Config,
    names: &[String],
) -> Result<Vec<&'a Tenant>, Failure> {
    let exists = |name: &String| config.tenants.iter().any(|tenant| tenant.alias == *name);
    if let Some(unknown) = names.iter().find(|name| !exists(name)) {
        let known = config.tenants.iter().map(|tenant| tenant.alias.as_str());
        return Err(unknown_name(
            "tenant",
            &format!("--tenant {unknown}"),
            unknown,
            known,
        ));
    }
    let is_selected = |tenant: &&Tenant| names.is_empty() || names.contains(&tenant.alias);
    Ok(config.tenants.iter().filter(is_selected).collect())
}

/// The failure for a name, as typed, that no tenant or partner has.
pub(super) fn unknown_name<'a>(
    kind: &str,
    typed: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Failure {
    let hint = match suggest::nearest(name, known) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("use the `name` of a {kind} in the configuration"),
    };
    let error = anyhow::anyhow!("{typed}: the configuration has no such {kind}");
    Failure::with_hint(error, hint)
}

/// `5 tenants`, `5 tenants and 1 partner`.
pub(super) fn size(config: &Config) -> String {
    let tenants = tenants(config.tenants.len());
    match config.partners.len() {
        0 => tenants,
        partners => format!("{tenants} and {}", count(partners, "partner")),
    }
}

/// The configuration of a serving exporter, which is loaded again and again.
pub(super) struct ConfigSource<'a> {
    pub(super) cli: &'a Cli,
    pub(super) environment: &'a Environment,
    pub(super) shard: Shard,
    /// Private keys that need not be decrypted again.
    pub(super) decrypted_keys: DecryptedKeyCache,
    /// The web configuration, which need not be loaded again while it is unchanged.
    pub(super) web_config: WebConfigCache,
}

impl ConfigSource<'_> {
    /// Reads the configuration file.
    pub(super) fn read(&self) -> ConfigText {
        ConfigText::read(self.cli.config.file.as_deref())
    }

    /// Loads the configuration, with the tenants of this shard only.
    pub(super) fn load(&self, text: &ConfigText) -> Result<Loaded, ConfigErrors> {
        let mut loaded = text.load(self.environment, &self.decrypted_keys)?;
        check_state_directory(self.cli, &loaded.config)?;
        check_access(self.cli, &loaded.config, &self.web_config)?;
        let config = &mut loaded.config;
        let all = std::mem::take(&mut config.tenants).into_iter();
        (config.tenants, config.elsewhere) = all.partition(|it| self.shard.owns(&it.alias));
        Ok(loaded)
    }
}
