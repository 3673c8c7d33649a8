//! Finding the configuration: in a file, or in the environment alone.

use std::io;
use std::path::Path;
use strict_yaml::{ConfigErrors, ConfigWarning, Diagnostics, Span, io_reason, parse, read_file};

use super::Config;
use super::environment::{self, Environment};
use super::file::File;
use super::resolve;
use super::variable::OWN_PREFIX;

/// The file that is read where none was named.
pub const DEFAULT_FILE: &str = "secure-score.yml";

/// A good configuration, and what was odd about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What was meant.
    pub config: Config,
    /// What works but is probably not meant.
    pub warnings: Vec<ConfigWarning>,
}

/// Loads the named file, or the default one, or the environment alone.
///
/// A tenant in the environment beside a file is refused: whichever won, some
/// day somebody would change the other and wonder.
pub fn find(named: Option<&Path>, environment: &Environment) -> Result<Loaded, ConfigErrors> {
    let default = Path::new(DEFAULT_FILE);
    match named {
        Some(path) => load(path, environment),
        None if default.exists() => load(default, environment),
        None => from_environment(environment),
    }
}

/// Loads one file.
pub fn load(path: &Path, environment: &Environment) -> Result<Loaded, ConfigErrors> {
    let name = path.display().to_string();
    let mut diagnostics = Diagnostics::new(&name, path.parent().unwrap_or(Path::new("")));
    compare_with_file(environment, &name, &mut diagnostics);
    let text = match read_file(path) {
        Ok(bytes) => bytes,
        Err(error) => return Err(unreadable(&error, diagnostics)),
    };
    let Ok(text) = String::from_utf8(text) else {
        return Err(fatal(
            diagnostics,
            Span::Nowhere,
            "the file is not UTF-8; save it as such",
        ));
    };
    let file = match parse::<File>(&text) {
        Ok(file) => file,
        Err(malformed) => return Err(fatal(diagnostics, malformed.span, &malformed.message)),
    };
    let config = resolve::resolve(file, &text, environment, &mut diagnostics);
    settle(config, diagnostics)
}

fn from_environment(environment: &Environment) -> Result<Loaded, ConfigErrors> {
    let mut diagnostics = Diagnostics::new("environment", "");
    environment.warn_of_unknown(&mut diagnostics);
    let Some(file) = environment::as_file(environment, &mut diagnostics) else {
        return Err(match environment.own().next() {
            Some(_) => fatal(
                diagnostics,
                Span::Nowhere,
                "SECURE_SCORE_TENANT_ID is missing, yet other variables are set; set it to the tenant's GUID or a domain of it",
            ),
            None => nothing_to_do(environment),
        });
    };
    let text = as_text(environment);
    let config = resolve::resolve(file, &text, environment, &mut diagnostics);
    settle(config, diagnostics)
}

fn settle(config: Config, diagnostics: Diagnostics) -> Result<Loaded, ConfigErrors> {
    let (config, warnings) = diagnostics.finish(config)?;
    Ok(Loaded { config, warnings })
}

fn fatal(mut diagnostics: Diagnostics, span: Span, message: &str) -> ConfigErrors {
    diagnostics.error(span, "", message);
    diagnostics.into_errors()
}

/// Our variables, of which none holds a secret; Azure's are left out.
fn as_text(environment: &Environment) -> String {
    let lines = environment
        .own()
        .map(|(name, value)| format!("{name}={value}\n"));
    lines.collect()
}

/// Says which variables do nothing because there is a file.
fn compare_with_file(environment: &Environment, file: &str, diagnostics: &mut Diagnostics) {
    environment.warn_of_unknown(diagnostics);
    if environment.names_a_tenant() {
        diagnostics.error(
            Span::Nowhere,
            "",
            format!(
                "SECURE_SCORE_TENANT_ID describes a tenant too; unset the {OWN_PREFIX}* variables \
                 to use the file, or do not name a file and remove {DEFAULT_FILE}"
            ),
        );
        return;
    }
    for (name, _) in environment.own() {
        let message = format!("the environment variable {name} has no effect beside {file}");
        diagnostics.warn(Span::Nowhere, "", message);
    }
}

fn unreadable(error: &io::Error, mut diagnostics: Diagnostics) -> ConfigErrors {
    diagnostics.error_with_hint(
        Span::Nowhere,
        "",
        format!("the configuration cannot be read ({})", io_reason(error)),
        Some(
            "name another with --config.file, or try `secure-score-exporter demo` without a tenant",
        ),
    );
    diagnostics.into_errors()
}

fn nothing_to_do(environment: &Environment) -> ConfigErrors {
    let mut diagnostics = Diagnostics::new(DEFAULT_FILE, "");
    environment.warn_of_unknown(&mut diagnostics);
    diagnostics.error_with_hint(
        Span::Nowhere,
        "",
        "there is no configuration; write this file, name another with --config.file, or set \
         SECURE_SCORE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET_FILE",
        Some("`secure-score-exporter demo` shows everything without a tenant"),
    );
    diagnostics.into_errors()
}
