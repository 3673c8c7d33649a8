//! The web configuration file, reloaded while the exporter runs.

use crate::diagnostics;
use crate::telemetry::Telemetry;
use exporter_web_config::{AccessControl, ConfigErrors, ConfigWatcher, WatchEvent};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

/// Applies the web configuration file, if there is one.
#[derive(Debug)]
pub(super) struct WebConfiguration {
    watcher: Option<ConfigWatcher>,
}

impl WebConfiguration {
    /// Loads the file: an invalid one is an error at startup, not at the first
    /// request.
    pub(super) fn load(file: Option<&Path>) -> Result<Self, ConfigErrors> {
        let watcher = match file {
            None => None,
            Some(file) => {
                let (watcher, warnings) = ConfigWatcher::load(file)?;
                diagnostics::warnings(&warnings);
                Some(watcher)
            }
        };
        Ok(Self { watcher })
    }

    pub(super) fn access(&self) -> Arc<AccessControl> {
        let watcher = self.watcher.as_ref();
        watcher.map_or_else(Arc::default, ConfigWatcher::access)
    }

    /// Reloads the file whenever it, or a file that it names, changes.
    pub(super) async fn watch(self, telemetry: Arc<Telemetry>) -> Infallible {
        match self.watcher {
            Some(watcher) => watcher.run(|event| report(event, &telemetry)).await,
            None => std::future::pending().await,
        }
    }
}

fn report(event: WatchEvent, telemetry: &Telemetry) {
    match event {
        WatchEvent::Reloaded(warnings) => {
            diagnostics::warnings(&warnings);
            telemetry.web_config(true);
            tracing::info!("web configuration reloaded");
        }
        WatchEvent::Invalid(errors) => {
            telemetry.web_config(false);
            for error in errors.iter() {
                tracing::error!(hint = error.hint, "{error}");
            }
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
