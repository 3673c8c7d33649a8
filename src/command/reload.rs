//! Reading the configuration again while the exporter runs.

use super::persons;
use super::serve::Source;
use crate::config::{Config, Faults};
use crate::model::Timestamp;
use crate::refresh::Fleet;
use crate::report;
use crate::telemetry::Telemetry;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::MissedTickBehavior;

/// How often the files are looked at. A rotated secret is used, and a new
/// tenant watched, within seconds; reading some files costs nothing.
const LOOK: Duration = Duration::from_secs(5);

/// Keeps a running fleet true to its configuration.
pub(super) struct Reloader<'a> {
    source: Source<'a>,
    telemetry: Arc<Telemetry>,
    /// The file that is gone by, without those it names.
    text: Option<Vec<u8>>,
    /// What is wrong with the configuration as it lies there now, as told.
    refused: Option<String>,
}

impl<'a> Reloader<'a> {
    pub(super) fn new(source: Source<'a>, telemetry: Arc<Telemetry>) -> Self {
        Self {
            text: source.text(),
            source,
            telemetry,
            refused: None,
        }
    }

    /// Reads the configuration again whenever somebody asks for it, and when
    /// a file it names has changed.
    pub(super) async fn run(mut self, fleet: &mut Fleet) -> Infallible {
        let mut hangups = hangups();
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = asked(&mut hangups) => self.reload(fleet),
                _ = looks.tick() => self.look(fleet),
            }
        }
    }

    /// A configuration that cannot be used changes nothing.
    fn reload(&mut self, fleet: &mut Fleet) {
        self.text = self.source.text();
        match self.source.load() {
            Ok(loaded) => {
                report::warnings(&loaded.warnings);
                self.apply(loaded.config, fleet);
            }
            Err(faults) => self.refuse(&faults),
        }
    }

    /// Secrets and files of tenants are looked at always, since programs write
    /// them; the file people write only where they said so.
    fn look(&mut self, fleet: &mut Fleet) {
        let text = self.source.text();
        if text != self.text && !self.source.may_change_by_itself() {
            return;
        }
        match self.source.load() {
            Ok(loaded) if loaded.config == *fleet.config() => self.accept(&loaded.config),
            Ok(loaded) => {
                self.text = text;
                report::warnings(&loaded.warnings);
                self.apply(loaded.config, fleet);
            }
            Err(faults) if self.refused.as_ref() == Some(&faults.to_string()) => {}
            Err(faults) => self.refuse(&faults),
        }
    }

    /// What was wrong has been put right.
    fn accept(&mut self, config: &Config) {
        if self.refused.take().is_some() {
            let now = Timestamp::from(SystemTime::now());
            self.telemetry.config_loaded(config.hash.as_f64(), now);
            tracing::info!("the configuration is good again, and the one in use");
        }
    }

    fn refuse(&mut self, faults: &Faults) {
        self.telemetry.config_refused();
        self.refused = Some(faults.to_string());
        tell(faults);
    }

    fn apply(&mut self, config: Config, fleet: &mut Fleet) {
        let policy = Arc::new(persons::label_policy(&config));
        let hash = config.hash.as_f64();
        match fleet.apply(&Arc::new(config), &policy) {
            Ok(changes) => {
                self.refused = None;
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
                self.refused = Some(error.to_string());
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
