//! Reading the configuration again while the exporter runs.

use super::persons;
use super::serve::Source;
use crate::config::{Config, Faults};
use crate::model::Timestamp;
use crate::refresh::Fleet;
use crate::telemetry::Telemetry;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Keeps a running fleet true to its configuration.
pub(super) struct Reloader<'a> {
    source: Source<'a>,
    telemetry: Arc<Telemetry>,
}

impl<'a> Reloader<'a> {
    pub(super) fn new(source: Source<'a>, telemetry: Arc<Telemetry>) -> Self {
        Self { source, telemetry }
    }

    /// Reads the configuration again whenever somebody asks for it.
    pub(super) async fn run(self, fleet: &mut Fleet) -> Infallible {
        let mut hangups = hangups();
        loop {
            asked(&mut hangups).await;
            self.reload(fleet);
        }
    }

    /// A configuration that cannot be used changes nothing.
    fn reload(&self, fleet: &mut Fleet) {
        match self.source.load() {
            Ok(config) => self.apply(config, fleet),
            Err(faults) => {
                self.telemetry.config_refused();
                tell(&faults);
            }
        }
    }

    fn apply(&self, config: Config, fleet: &mut Fleet) {
        let policy = Arc::new(persons::label_policy(&config));
        let hash = config.hash.as_f64();
        match fleet.apply(&Arc::new(config), &policy) {
            Ok(changes) => {
                let now = Timestamp::from(SystemTime::now());
                self.telemetry.config_loaded(hash, now);
                tracing::info!(
                    added = changes.added,
                    removed = changes.removed,
                    restarted = changes.restarted,
                    "goes by the new configuration"
                );
            }
            Err(error) => {
                self.telemetry.config_refused();
                tracing::error!(
                    hint = error.hint(),
                    "the configuration cannot be used: {error}; the old one stays"
                );
            }
        }
    }
}

/// A line for each fault, since a log has no other place for them.
fn tell(faults: &Faults) {
    for warning in faults.warnings() {
        tracing::warn!("{warning}");
    }
    for fault in faults.iter() {
        tracing::error!(hint = fault.hint, "{fault}");
    }
    tracing::error!(
        problems = faults.len(),
        "the configuration cannot be used; the old one stays"
    );
}

/// Without a handler the signal ends the process, as it always did.
fn hangups() -> Option<Signal> {
    signal(SignalKind::hangup())
        .inspect_err(|error| tracing::warn!(%error, "SIGHUP cannot be listened for"))
        .ok()
}

async fn asked(hangups: &mut Option<Signal>) {
    match hangups {
        Some(hangups) => {
            hangups.recv().await;
        }
        None => std::future::pending().await,
    }
}
