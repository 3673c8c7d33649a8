//! Reading the configuration again while the exporter runs.

use super::exporter::target_labels;
use super::serve::Source;
use super::{persons, supervisor};
use crate::config::Config;
use crate::diagnostics;
use crate::events::Events;
use crate::http::{ReloadRequest, Site};
use crate::refresh::Fleet;
use crate::telemetry::Telemetry;
use exporter_web_config::FileWatcher;
use secure_score_model::Timestamp;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use strict_yaml::ConfigErrors;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;

/// How often the configuration and the files it names are read. A rotated
/// secret is used, and a new tenant watched, within this time.
const POLL_PERIOD: Duration = Duration::from_secs(5);

/// Keeps a running fleet true to its configuration.
pub(super) struct Reloader<'a> {
    source: Source<'a>,
    showing: Showing,
    /// Who asks over HTTP, where that is allowed.
    requests: Option<Receiver<ReloadRequest>>,
    hangups: Option<Signal>,
    /// The configuration file, without those it names.
    file: FileWatcher,
    /// What is wrong with the configuration as it lies there now, as told.
    refused: Option<String>,
}

/// Where another configuration shows, beside the fleet.
pub(super) struct Showing {
    pub(super) site: Arc<Site>,
    pub(super) telemetry: Arc<Telemetry>,
    /// Where events go; the webhook stays as it was at the start.
    pub(super) events: Arc<Events>,
}

impl<'a> Reloader<'a> {
    /// Listens for SIGHUP from now on; without it the signal would end us.
    pub(super) fn new(
        source: Source<'a>,
        showing: Showing,
        requests: Option<Receiver<ReloadRequest>>,
    ) -> Self {
        Self {
            file: FileWatcher::new(POLL_PERIOD, source.file_contents()),
            source,
            showing,
            requests,
            hangups: hangups(),
            refused: None,
        }
    }

    /// Reads the configuration again whenever somebody asks for it, and when
    /// a file it names has changed.
    pub(super) async fn run(mut self, fleet: &mut Fleet) -> Infallible {
        self.look(fleet);
        loop {
            tokio::select! {
                () = asked(&mut self.hangups) => self.reload(fleet),
                asked = requested(&mut self.requests) => {
                    self.reload(fleet);
                    // Who has gone away meanwhile does not want to know.
                    let _gone = asked.send(self.verdict());
                }
                () = self.file.poll_due() => self.look(fleet),
            }
        }
    }

    /// How the last reading ended.
    fn verdict(&self) -> Result<(), String> {
        self.refused.clone().map_or(Ok(()), Err)
    }

    /// A configuration that cannot be used changes nothing.
    fn reload(&mut self, fleet: &mut Fleet) {
        supervisor::reloading();
        self.file.set_loaded(self.source.file_contents());
        match self.source.load() {
            Ok(loaded) => {
                diagnostics::warnings(&loaded.warnings);
                self.apply(loaded.config, fleet);
            }
            Err(faults) => self.refuse(&faults),
        }
        supervisor::ready();
    }

    /// Secrets and files of tenants are looked at always, since programs write
    /// them; the file people write only where they said so.
    fn look(&mut self, fleet: &mut Fleet) {
        let contents = self.source.file_contents();
        if self.file.has_changed(&contents) && !self.source.may_change_by_itself() {
            return;
        }
        match self.source.load() {
            Ok(loaded) if loaded.config == *fleet.config() => self.accept(&loaded.config),
            Ok(loaded) => {
                self.file.set_loaded(contents);
                diagnostics::warnings(&loaded.warnings);
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
            self.showing
                .telemetry
                .config_loaded(config.hash.as_f64(), now);
            tracing::info!("the configuration is good again, and the one in use");
        }
    }

    fn refuse(&mut self, faults: &ConfigErrors) {
        self.showing.telemetry.config_refused();
        self.refused = Some(faults.to_string());
        tell(faults);
    }

    fn apply(&mut self, config: Config, fleet: &mut Fleet) {
        let policy = Arc::new(persons::label_policy(&config));
        let on_pages = persons::on_pages(&config);
        let hash = config.hash.as_f64();
        let events = Arc::new(Events {
            persons: persons::in_events(&config),
            ..(*self.showing.events).clone()
        });
        if config.webhook != fleet.config().webhook {
            tracing::warn!("events.webhook has changed; start the exporter anew to use it");
        }
        match fleet.apply(&Arc::new(config), &policy, Some(&events)) {
            Ok(changes) => {
                self.refused = None;
                self.showing.site.set_persons(on_pages);
                self.showing
                    .site
                    .set_target_labels(target_labels(fleet.config()));
                let now = Timestamp::from(SystemTime::now());
                self.showing.telemetry.config_loaded(hash, now);
                tracing::info!(
                    added = changes.added,
                    removed = changes.removed,
                    restarted = changes.restarted,
                    "goes by the new configuration"
                );
            }
            Err(error) => {
                self.showing.telemetry.config_refused();
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
fn tell(faults: &ConfigErrors) {
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

/// The next request over HTTP; none ever comes where that is not allowed.
async fn requested(requests: &mut Option<Receiver<ReloadRequest>>) -> ReloadRequest {
    let next = match requests {
        Some(requests) => requests.recv().await,
        None => None,
    };
    match next {
        Some(asked) => asked,
        None => std::future::pending().await,
    }
}

async fn asked(hangups: &mut Option<Signal>) {
    match hangups {
        Some(hangups) => {
            hangups.recv().await;
        }
        None => std::future::pending().await,
    }
}
