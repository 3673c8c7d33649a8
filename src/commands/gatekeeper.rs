//! Keeping the gate true to the web configuration file while we run.

use crate::diagnostics;
use crate::telemetry::Telemetry;
use exporter_web_config::{Gate, Outcome, Watch};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use strict_yaml::ConfigErrors;

/// How often the files are looked at: a certificate that was replaced is used,
/// and a user who was taken out is refused, a second later.
const LOOK: Duration = Duration::from_secs(1);

/// Who opens and shuts.
#[derive(Debug)]
pub(super) struct Gatekeeper {
    gate: Arc<Gate>,
    /// Nothing is looked at where there is no file.
    watch: Option<Watch>,
}

impl Gatekeeper {
    /// Loads the file, where there is one. A broken one is found out now, and
    /// not by the first who knocks.
    pub(super) fn start(file: Option<&Path>) -> Result<Self, ConfigErrors> {
        let Some(file) = file else {
            return Ok(Self {
                gate: Arc::default(),
                watch: None,
            });
        };
        let (watch, gate, warnings) = Watch::start(file.to_owned())?;
        diagnostics::warnings(&warnings);
        Ok(Self {
            gate: Arc::new(gate),
            watch: Some(watch),
        })
    }

    pub(super) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// Goes by the file whenever it, or one that it names, has changed.
    pub(super) async fn run(mut self, telemetry: Arc<Telemetry>) -> Infallible {
        let Some(mut watch) = self.watch.take() else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(LOOK).await;
            match watch.look(&self.gate) {
                None => {}
                Some(Outcome::Renewed(warnings)) => {
                    diagnostics::warnings(&warnings);
                    telemetry.web_config(true);
                    tracing::info!("goes by the new web configuration");
                }
                Some(Outcome::Broken(faults)) => {
                    telemetry.web_config(false);
                    for fault in faults.iter() {
                        tracing::error!(hint = fault.hint, "{fault}");
                    }
                    tracing::error!(
                        "the web configuration cannot be used; the old one holds for two minutes, and then nothing is answered"
                    );
                }
                Some(Outcome::Shut) => {
                    tracing::error!(
                        "the web configuration is still broken: from now on nothing is answered"
                    );
                }
            }
        }
    }
}
