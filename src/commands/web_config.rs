//! The web configuration file, reloaded while the exporter runs.

use crate::cli::WebFlags;
use crate::diagnostics;
use crate::telemetry::Telemetry;
#[cfg(feature = "demo")]
use exporter_web_config::WebConfig;
use exporter_web_config::{AccessControl, ConfigErrors, ConfigWatcher, WatchEvent};
use std::sync::Arc;

/// The web configuration of a server.
#[derive(Default)]
pub(super) struct ServedWebConfig {
    /// Who has access.
    pub(super) access: Arc<AccessControl>,
    /// Reloads the file, where there is one.
    pub(super) watcher: Option<ConfigWatcher>,
}

impl ServedWebConfig {
    /// Loads the file of the flags: an invalid one is an error at startup, not at
    /// the first request.
    pub(super) fn load(flags: &WebFlags) -> Result<Self, ConfigErrors> {
        let Some(file) = &flags.config_file else {
            return Ok(Self::default());
        };
        let (watcher, warnings) = ConfigWatcher::load(file)?;
        diagnostics::warnings(&warnings);
        Ok(Self {
            access: watcher.access(),
            watcher: Some(watcher),
        })
    }

    /// A configuration that no file changes.
    #[cfg(feature = "demo")]
    pub(super) fn fixed(config: WebConfig) -> Self {
        Self {
            access: Arc::new(AccessControl::new(config)),
            watcher: None,
        }
    }
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
