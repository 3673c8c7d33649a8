//! Loads the configuration from a file, or from the environment alone.

use std::path::{Path, PathBuf};
use strict_yaml::{
    ConfigErrors, ConfigWarning, Diagnostics, ParseError, Span, io_reason, parse, read_file,
};

use super::environment_file;
use super::file::File;
use super::proposed_file::{ProposedFile, ProposedPlace};
use super::resolve::{self, Config, Sources};
use crate::config_values::Environment;
use crate::credentials::DecryptedKeyCache;

/// The file to read if no other is named.
pub const DEFAULT_FILE: &str = "secure-score.yml";

/// A valid configuration and its warnings.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Settings that work but are probably mistakes.
    pub warnings: Vec<ConfigWarning>,
    /// Where the proposed file was read, if there is one.
    pub proposed: Option<ProposedPlace>,
}

/// The text of the configuration, as read at one time. The files that it names
/// are read whenever it is loaded. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigText {
    /// A file, and its content or why it cannot be read.
    File(PathBuf, Result<Vec<u8>, &'static str>),
    /// There is no file; the environment describes the tenant.
    Environment,
}

impl ConfigText {
    /// Reads the named file, or the default one if it exists.
    pub fn read(named: Option<&Path>) -> Self {
        let default = Path::new(DEFAULT_FILE);
        match named.or(default.exists().then_some(default)) {
            Some(path) => Self::of_file(path),
            None => Self::Environment,
        }
    }

    fn of_file(path: &Path) -> Self {
        let text = read_file(path).map_err(|error| io_reason(&error));
        Self::File(path.to_owned(), text)
    }

    /// Loads it, and the files that it names.
    ///
    /// A tenant in the environment beside a file is refused: with either
    /// precedence, a change of the other would have no effect.
    ///
    /// `decrypted_keys` spares the decryption of keys from an earlier call.
    pub fn load(
        &self,
        environment: &Environment,
        decrypted_keys: &DecryptedKeyCache,
    ) -> Result<Loaded, ConfigErrors> {
        self.load_from(Sources {
            environment,
            decrypted_keys,
            proposed: None,
        })
    }

    /// Loads it as if a file of tenants or decisions had this text, and as if the
    /// configuration named the file.
    ///
    /// # Errors
    /// Every error of the configuration with that text.
    pub fn load_with(
        &self,
        proposed: ProposedFile<'_>,
        environment: &Environment,
        decrypted_keys: &DecryptedKeyCache,
    ) -> Result<Loaded, ConfigErrors> {
        self.load_from(Sources {
            environment,
            decrypted_keys,
            proposed: Some(proposed),
        })
    }

    fn load_from(&self, sources: Sources<'_>) -> Result<Loaded, ConfigErrors> {
        match self {
            Self::File(path, text) => from_file(path, text, sources),
            Self::Environment => from_environment(sources),
        }
    }
}

/// Loads one file.
pub fn load(path: &Path, environment: &Environment) -> Result<Loaded, ConfigErrors> {
    ConfigText::of_file(path).load(environment, &DecryptedKeyCache::default())
}

fn from_file(
    path: &Path,
    text: &Result<Vec<u8>, &'static str>,
    sources: Sources<'_>,
) -> Result<Loaded, ConfigErrors> {
    let name = path.display().to_string();
    let mut diagnostics = Diagnostics::new(&name, path.parent().unwrap_or(Path::new("")));
    environment_file::warn_of_unknown(sources.environment, &mut diagnostics);
    check_precedence(sources.environment, &name, &mut diagnostics);
    let text = match text {
        Ok(text) => text,
        Err(reason) => {
            let message = format!("the configuration cannot be read ({reason})");
            let hint = "name another with --config.file, or try `secure-score-exporter demo` without a tenant";
            diagnostics.error_with_hint(Span::Nowhere, "", message, Some(hint));
            return Err(diagnostics.into_errors());
        }
    };
    match parse::<File>(text) {
        Ok(file) => resolve(file, text, sources, diagnostics),
        Err(error) => Err(fatal(diagnostics, error)),
    }
}

fn from_environment(sources: Sources<'_>) -> Result<Loaded, ConfigErrors> {
    let environment = sources.environment;
    let mut diagnostics = Diagnostics::new("environment", "");
    environment_file::warn_of_unknown(environment, &mut diagnostics);
    if let Some(file) = environment_file::read(environment, &mut diagnostics) {
        let variables = environment_file::prefixed(environment);
        let lines = variables.map(|(name, value)| format!("{name}={value}\n"));
        let text = lines.collect::<String>();
        return resolve(file, text.as_bytes(), sources, diagnostics);
    }
    Err(match environment_file::prefixed(environment).next() {
        Some(_) => {
            let message = "SECURE_SCORE_TENANT_ID is missing, but other variables are set; set it to the tenant's GUID or a domain of it";
            fatal(diagnostics, ParseError::new(Span::Nowhere, message))
        }
        None => no_configuration(environment),
    })
}

fn resolve(
    file: File,
    text: &[u8],
    sources: Sources<'_>,
    mut diagnostics: Diagnostics,
) -> Result<Loaded, ConfigErrors> {
    let resolved = resolve::resolve(file, text, sources, &mut diagnostics);
    let ((config, proposed), warnings) = diagnostics.finish(resolved)?;
    Ok(Loaded {
        config,
        warnings,
        proposed,
    })
}

fn fatal(mut diagnostics: Diagnostics, error: ParseError) -> ConfigErrors {
    diagnostics.error(error.span, error.path, error.message);
    diagnostics.into_errors()
}

/// Refuses a tenant in the environment beside a file, and warns of other
/// variables. `AZURE_TENANT_ID` is ignored: Kubernetes injects it in any case.
fn check_precedence(environment: &Environment, file: &str, diagnostics: &mut Diagnostics) {
    if environment.get("SECURE_SCORE_TENANT_ID").is_some() {
        let message = format!(
            "SECURE_SCORE_TENANT_ID also describes a tenant; unset the SECURE_SCORE_* variables \
             to use the file, or do not name a file and remove {DEFAULT_FILE}"
        );
        diagnostics.error(Span::Nowhere, "", message);
        return;
    }
    for (name, _) in environment_file::prefixed(environment) {
        let message = format!("the environment variable {name} has no effect beside {file}");
        diagnostics.warn(Span::Nowhere, "", message);
    }
}

fn no_configuration(environment: &Environment) -> ConfigErrors {
    let mut diagnostics = Diagnostics::new(DEFAULT_FILE, "");
    environment_file::warn_of_unknown(environment, &mut diagnostics);
    diagnostics.error_with_hint(
        Span::Nowhere,
        "",
        "there is no configuration; write this file, name another with --config.file, or set \
         SECURE_SCORE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET_FILE",
        Some("`secure-score-exporter demo` shows everything without a tenant"),
    );
    diagnostics.into_errors()
}
