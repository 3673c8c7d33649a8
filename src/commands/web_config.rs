//! The web configuration file, reloaded while the exporter runs.

use crate::diagnostics;
use crate::telemetry::Telemetry;
use exporter_web_config::{ConfigErrors, ConfigWatcher, WatchEvent};
use std::path::Path;

/// Loads the file: an invalid one is an error at startup, not at the first
/// request.
pub(super) fn load(file: &Path) -> Result<ConfigWatcher, ConfigErrors> {
    let (watcher, warnings) = ConfigWatcher::load(file)?;
    diagnostics::warnings(&warnings);
    Ok(watcher)
}

/// Logs and counts a reload of the file.
pub(super) fn report(event: WatchEvent, telemetry: &Telemetry) {
    match event {
        WatchEvent::Reloaded(warnings) => {
            diagnostics::warnings(&warnings);
            telemetry.web_config(true);
            tracing::info!("web configuration reloaded");
        }
        WatchEvent::Invalid(errors) => {
            telemetry.web_config(false);
            log_errors(&errors);
            tracing::error!(
                "the web configuration cannot be used; the previous one stays in effect for two minutes, then every request is rejected"
            );
        }
        WatchEvent::Closed => {
            tracing::error!(
                "the web configuration is still invalid: every request is rejected until it is fixed"
            );
        }
    }
}

/// Logs each error of a configuration that was not loaded.
pub(super) fn log_errors(errors: &ConfigErrors) {
    for error in errors.iter() {
        tracing::error!(hint = error.hint, "{error}");
    }
}
