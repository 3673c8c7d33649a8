//! Reloading the configuration while the exporter runs.

use super::access_check::check_access_stays;
use super::config_source::ConfigSource;
use super::web_config::log_errors;
use super::{now, privacy, supervisor};
use crate::config::{Config, ConfigText, Loaded};
use crate::diagnostics;
use crate::events::{DeliveryQueue, Events, TransportSwitch, Webhook};
use crate::http::{ReloadRequest, Site, TargetLabels};
use crate::partners::Discovery;
use crate::telemetry::Telemetry;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use strict_yaml::ConfigErrors;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Interval, MissedTickBehavior};

/// How often the configuration and the files it names are read. A rotated
/// secret is used, and a new tenant watched, within this time.
const POLL_PERIOD: Duration = Duration::from_secs(5);

/// Reloads the configuration on SIGHUP, on request, and when a file changes.
pub(super) struct Reloader<'a> {
    source: ConfigSource<'a>,
    targets: ReloadTargets,
    /// Requests over HTTP, if `--web.enable-lifecycle` allows them.
    requests: Option<Receiver<ReloadRequest>>,
    hangups: Hangups,
    /// The text that was loaded last, also if it was rejected.
    text: ConfigText,
    /// Whether the log says that the file was edited.
    edited: bool,
    /// Why the current files were rejected, as logged.
    rejected: Option<String>,
}

/// What a reload changes, beside the fleet.
pub(super) struct ReloadTargets {
    pub(super) site: Arc<Site>,
    pub(super) telemetry: Arc<Telemetry>,
    /// What shows events, of which persons and webhook may change.
    pub(super) events: Events,
    /// The queue of the webhook, also while none is configured.
    pub(super) deliveries: Arc<DeliveryQueue>,
    pub(super) webhook: TransportSwitch<Webhook>,
}

impl<'a> Reloader<'a> {
    /// `text` is the configuration in effect.
    pub(super) fn new(
        (source, text, hangups): (ConfigSource<'a>, ConfigText, Hangups),
        targets: ReloadTargets,
        requests: Option<Receiver<ReloadRequest>>,
    ) -> Self {
        Self {
            source,
            text,
            targets,
            requests,
            edited: false,
            hangups,
            rejected: None,
        }
    }

    pub(super) async fn run(mut self, discovery: &mut Discovery) -> Infallible {
        let mut polls = polls();
        loop {
            tokio::select! {
                () = self.hangups.next() => self.reload(discovery),
                request = next_request(&mut self.requests) => {
                    self.reload(discovery);
                    let result = self.rejected.clone().map_or(Ok(()), Err);
                    let _client_has_gone = request.send(result);
                }
                _ = polls.tick() => self.poll(discovery),
                () = discovery.changed() => update_customers(discovery, &self.targets.site),
            }
        }
    }

    /// Reloads on request. An invalid configuration changes nothing.
    fn reload(&mut self, discovery: &mut Discovery) {
        supervisor::reloading();
        self.rejected = None;
        self.text = self.source.read();
        self.edited = false;
        match self.load(discovery.config()) {
            Ok(loaded) => {
                diagnostics::warnings(&loaded.warnings);
                self.apply(loaded.config, discovery);
            }
            Err(errors) => self.reject(&errors),
        }
        supervisor::ready();
    }

    /// Reloads if a file changed. Secrets and tenant files always count, since
    /// programs write them; the configuration file only with
    /// `--config.enable-auto-reload`, since an administrator may be editing it.
    /// Until it is reloaded, its earlier text names the other files.
    fn poll(&mut self, discovery: &mut Discovery) {
        let found = self.source.read();
        match self.source.cli.config.auto_reload {
            true => self.text = found,
            false => self.note_edit(found != self.text),
        }
        match self.load(discovery.config()) {
            Ok(loaded) if loaded.config == *discovery.config() => self.accept(&loaded.config),
            Ok(loaded) => {
                diagnostics::warnings(&loaded.warnings);
                self.apply(loaded.config, discovery);
            }
            Err(errors) => self.reject(&errors),
        }
    }

    /// Loads the text, in place of the configuration in effect.
    fn load(&self, in_effect: &Config) -> Result<Loaded, ConfigErrors> {
        let loaded = self.source.load(&self.text)?;
        check_access_stays(self.source.cli, in_effect, &loaded.config)?;
        Ok(loaded)
    }

    fn note_edit(&mut self, edited: bool) {
        if edited && !self.edited {
            tracing::warn!(
                hint = "reload it: send SIGHUP",
                "the configuration file was edited; its changes are not in effect until it is reloaded"
            );
        }
        self.edited = edited;
    }

    /// The files hold the configuration in use again.
    fn accept(&mut self, config: &Config) {
        if self.rejected.take().is_some() {
            self.loaded(config.hash.as_f64());
            tracing::info!("the configuration is valid again and unchanged");
        }
    }

    fn loaded(&self, hash: f64) {
        self.targets.telemetry.config_loaded(hash, now());
    }

    /// Notes that the configuration is rejected. Returns whether the log lacks
    /// the reason.
    fn note_rejection(&mut self, reason: String) -> bool {
        self.targets.telemetry.config_refused();
        let before = self.rejected.replace(reason);
        before != self.rejected
    }

    fn reject(&mut self, errors: &ConfigErrors) {
        if !self.note_rejection(errors.to_string()) {
            return;
        }
        for warning in errors.warnings() {
            tracing::warn!("{warning}");
        }
        log_errors(errors);
        tracing::error!(
            problems = errors.len(),
            "the configuration cannot be used; the previous one stays in effect"
        );
    }

    fn apply(&mut self, config: Config, discovery: &mut Discovery) {
        let policy = Arc::new(privacy::label_policy(&config));
        let series = policy.series;
        let on_pages = privacy::on_pages(&config);
        let hash = config.hash.as_f64();
        let targets = &self.targets;
        let events = Arc::new(Events {
            persons: privacy::in_events(&config),
            queue: config
                .webhook
                .is_some()
                .then(|| Arc::clone(&targets.deliveries)),
            ..targets.events.clone()
        });
        let before = discovery.config();
        let same_webhook =
            config.webhook == before.webhook && config.extra_roots == before.extra_roots;
        let webhook = match same_webhook {
            true => None,
            false => match Webhook::of(&config) {
                Ok(webhook) => Some(webhook),
                Err(error) => return self.refuse(&error, None),
            },
        };
        targets.site.restrict_access(config.access.clone());
        let applied = discovery.apply(&Arc::new(config), &policy, Some(&events));
        // Of the configuration that is in effect now, also after an error.
        targets.site.set_access(discovery.config().access.clone());
        show_tenants(discovery, &targets.site);
        match applied {
            Ok(changes) => {
                self.rejected = None;
                let targets = &self.targets;
                match webhook {
                    Some(webhook) => targets.webhook.replace(webhook),
                    // The reload may follow a fix of the receiver.
                    None => targets.webhook.retry_now(),
                }
                targets.site.set_persons(on_pages);
                targets.telemetry.set_series(series);
                self.loaded(hash);
                tracing::info!(
                    added = changes.added,
                    removed = changes.removed,
                    restarted = changes.restarted,
                    "configuration reloaded"
                );
            }
            Err(error) => self.refuse(&error, Some(error.hint())),
        }
    }

    /// Reports a configuration that is valid and cannot be applied.
    fn refuse(&mut self, error: &dyn std::error::Error, hint: Option<&str>) {
        if !self.note_rejection(error.to_string()) {
            return;
        }
        tracing::error!(
            hint,
            "the configuration cannot be used: {error}; the previous one stays in effect"
        );
    }
}

/// Watches the customers of partners as their lists change.
pub(super) async fn follow_customers(discovery: &mut Discovery, site: &Site) -> Infallible {
    loop {
        discovery.changed().await;
        update_customers(discovery, site);
    }
}

fn update_customers(discovery: &mut Discovery, site: &Site) {
    if discovery.update() {
        show_tenants(discovery, site);
    }
}

/// Takes over which tenants there are, and their labels.
pub(super) fn show_tenants(discovery: &Discovery, site: &Site) {
    let config = discovery.fleet().config();
    site.set_target_labels(target_labels(config));
    site.log_ungranted(config.tenants.iter().map(|it| &*it.alias));
}

/// The labels of each tenant as a scrape target.
fn target_labels(config: &Config) -> TargetLabels {
    let tenants = config.tenants.iter();
    tenants
        .map(|tenant| (tenant.alias.clone(), tenant.labels.clone()))
        .collect()
}

/// The first poll is due at once.
fn polls() -> Interval {
    let mut polls = tokio::time::interval(POLL_PERIOD);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    polls
}

/// The SIGHUPs since the handler was installed.
pub(super) struct Hangups(Option<Signal>);

impl Hangups {
    /// Installs the handler, before anything else: without it the signal ends the
    /// process, also while it starts.
    pub(super) fn install() -> Self {
        let signal = signal(SignalKind::hangup()).inspect_err(
            |error| tracing::warn!(%error, "no handler for SIGHUP; the signal ends the exporter"),
        );
        Self(signal.ok())
    }

    /// The next SIGHUP; pending forever without a handler.
    async fn next(&mut self) {
        match &mut self.0 {
            Some(hangups) => {
                hangups.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}

/// The next request over HTTP; pending forever if none is allowed.
async fn next_request(requests: &mut Option<Receiver<ReloadRequest>>) -> ReloadRequest {
    let next = match requests {
        Some(requests) => requests.recv().await,
        None => None,
    };
    match next {
        Some(request) => request,
        None => std::future::pending().await,
    }
}
