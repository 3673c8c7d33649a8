//! Errors of the configuration that its file alone does not show.

use crate::cli::Cli;
use crate::config::DEFAULT_FILE;
use std::path::Path;
use strict_yaml::Diagnostics;

/// Diagnostics of the configuration file.
pub(super) fn config_diagnostics(cli: &Cli) -> Diagnostics {
    let file = cli.config.file.as_deref();
    let file = file.unwrap_or(Path::new(DEFAULT_FILE));
    Diagnostics::new(file.display().to_string(), "")
}
