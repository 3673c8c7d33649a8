//! A running exporter: refresh loops, web server, and what they share.

use super::config_source::ConfigSource;
use super::external_url::external_url;
use super::reload::{Hangups, ReloadTargets, Reloader, show_tenants};
use super::web_config::{self, ServedWebConfig};
use super::{Failure, now, privacy, reload, supervisor};
use crate::cli::WebFlags;
use crate::config::{Config, ConfigText};
use crate::events::{DeliveryQueue, Events, RetryPolicy, Webhook, WebhookSender};
use crate::http::{
    self, DisabledRoutes, DrainOutcome, Lifecycle, ReloadRequest, ServerOptions, Site, SiteOptions,
};
use crate::partners::Discovery;
use crate::refresh::{FleetOptions, Shard, StateWriter};
use crate::store::Store;
use crate::store::event_files::EventFiles;
use crate::store::state_directory::StateDirectory;
use crate::telemetry::{Telemetry, TelemetryError};
use anyhow::Context as _;
use exporter_web_config::{ConfigWatcher, WebConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::net::TcpListener;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// An exporter that refreshes and listens, but does not serve yet.
pub(super) struct Exporter {
    site: Arc<Site>,
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    discovery: Discovery,
    state_writer: Option<Arc<StateWriter>>,
    telemetry: Arc<Telemetry>,
    reload_requests: Option<Receiver<ReloadRequest>>,
    server_options: ServerOptions,
    web_config: Option<ConfigWatcher>,
    events: Events,
    deliveries: Arc<DeliveryQueue>,
    webhook: WebhookSender<Webhook>,
}

impl Exporter {
    /// Binds before it starts the loops, so that a port in use costs no request
    /// to Graph.
    pub(super) async fn start(
        config: Config,
        flags: &WebFlags,
        web_config: ServedWebConfig,
        shard: Shard,
        state: Option<StateDirectory>,
        sockets: Option<Vec<std::net::TcpListener>>,
    ) -> Result<Self, Failure> {
        let listeners = listen(flags, sockets).await?;
        let local = listeners.iter().map(TcpListener::local_addr);
        let addresses: Vec<SocketAddr> = local.filter_map(Result::ok).collect();
        let loopback = |address: &SocketAddr| address.ip().to_canonical().is_loopback();
        let exposed = !addresses.iter().all(loopback);
        let ServedWebConfig { access, watcher } = web_config;
        let config_in_effect = access.config();
        let config_in_effect = config_in_effect.as_deref();
        if exposed && !config_in_effect.is_some_and(WebConfig::authenticates_every_client) {
            tracing::warn!(
                "listening beyond this machine without authentication: every client that reaches it can read the metrics; require a password or a client certificate with --web.config.file, or listen on a loopback address"
            );
        }
        let store = Arc::new(Store::default());
        let has_tls = config_in_effect.is_some_and(|it| it.tls.is_some());
        let external_url = external_url(flags, &addresses, has_tls);
        // Without pages nothing links here, unless a flag names who serves them.
        let has_pages = !flags.disable_pages || flags.external_url.is_some();
        let pages = has_pages.then_some(external_url.as_str());
        let telemetry =
            telemetry(&config, pages, &shard).context("the telemetry cannot be set up")?;
        let (lifecycle, reload_requests) = flags.enable_lifecycle.then(Lifecycle::new).unzip();
        let options = SiteOptions {
            telemetry_path: flags.telemetry_path().to_owned(),
            route_prefix: flags.route_prefix().to_owned(),
            external_url: flags.external_url.as_ref().map(|it| it.as_str().to_owned()),
            persons: privacy::on_pages(&config),
            access: Arc::clone(&access),
            lifecycle,
            disabled: DisabledRoutes {
                pages: flags.disable_pages,
                api: flags.disable_api,
            },
            is_shard: shard != Shard::WHOLE,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: SystemTime::now(),
        };
        let site = Site::new(Arc::clone(&store), Arc::clone(&telemetry), options);
        let policy = Arc::new(privacy::label_policy(&config));
        let transport = Webhook::of(&config).context("events cannot be sent to the webhook")?;
        let state = state.map(Arc::new);
        let deliveries = deliveries(state.as_ref(), &config, &telemetry);
        let state_writer = state.map(|directory| {
            let writer =
                StateWriter::new(directory, Arc::clone(&deliveries), Arc::clone(&telemetry));
            Arc::new(writer)
        });
        let events = Events {
            persons: privacy::in_events(&config),
            telemetry: Arc::clone(&telemetry),
            exporter: Some(external_url),
            queue: config.webhook.is_some().then(|| Arc::clone(&deliveries)),
        };
        let webhook = WebhookSender::start(
            transport,
            RetryPolicy::default(),
            Arc::clone(&deliveries),
            Arc::clone(&telemetry),
        );
        let options = FleetOptions {
            config: Arc::new(config),
            policy,
            store,
            state_writer: state_writer.clone(),
            telemetry: Arc::clone(&telemetry),
            events: Some(Arc::new(events.clone())),
            clock: Arc::new(now),
        };
        let discovery = Discovery::start(options, shard)?;
        site.set_access(discovery.config().access.clone());
        show_tenants(&discovery, &site);
        site.set_on_demand_refresh(discovery.fleet().on_demand());
        Ok(Self {
            site: Arc::new(site),
            listeners,
            addresses,
            discovery,
            state_writer,
            telemetry,
            reload_requests,
            server_options: ServerOptions {
                access,
                max_requests: flags.max_requests(),
            },
            web_config: watcher,
            events,
            deliveries,
            webhook,
        })
    }

    /// The addresses it listens on.
    #[cfg(feature = "demo")]
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves until a signal, then finishes the requests in flight.
    ///
    /// With a source, the text in effect and the signals, it reloads the
    /// configuration meanwhile.
    pub(super) async fn serve(
        self,
        source: Option<(ConfigSource<'_>, ConfigText, Hangups)>,
    ) -> Result<(), Failure> {
        let targets = ReloadTargets {
            site: Arc::clone(&self.site),
            telemetry: Arc::clone(&self.telemetry),
            events: self.events,
            deliveries: self.deliveries,
            webhook: self.webhook.transport(),
        };
        let reloader = source.map(|source| Reloader::new(source, targets, self.reload_requests));
        // The signal handlers are installed before systemd learns that the
        // exporter is ready: it may send a signal at once.
        let stop_requested = supervisor::stop_requested();
        for address in &self.addresses {
            let loops = self.discovery.fleet().loops_running();
            tracing::info!(%address, loops, "listening");
        }
        supervisor::ready();
        let mut background = JoinSet::new();
        background.spawn(supervisor::watchdog());
        if let Some(watcher) = self.web_config {
            let telemetry = Arc::clone(&self.telemetry);
            let watching = watcher.run(move |event| web_config::report(event, &telemetry));
            background.spawn(async move { match watching.await {} });
        }
        let stopping = CancellationToken::new();
        let signal = async {
            let signal = stop_requested.await;
            supervisor::stopping();
            tracing::info!(signal, "stopping; requests in flight are finished first");
            stopping.cancel();
        };
        let mut discovery = self.discovery;
        let site = Arc::clone(&self.site);
        // Refreshes and deliveries end while requests are finished: each takes
        // seconds, and the service manager kills the process after a timeout.
        let shutdown = async {
            let follow = async {
                match reloader {
                    Some(reloader) => reloader.run(&mut discovery).await,
                    None => reload::follow_customers(&mut discovery, &site).await,
                }
            };
            tokio::select! {
                () = stopping.cancelled() => {}
                never = follow => match never {},
            }
            drop(discovery);
            self.webhook.stop().await;
        };
        let serving = http::serve(self.server_options, self.listeners, self.site, signal);
        let (drained, ()) = tokio::join!(serving, shutdown);
        match drained {
            DrainOutcome::Complete => tracing::info!("stopped"),
            DrainOutcome::Aborted(connections) => {
                tracing::warn!(connections, "stopped; slow connections were closed");
            }
        }
        if let Some(writer) = self.state_writer {
            writer.close();
        }
        Ok(())
    }
}

async fn listen(
    flags: &WebFlags,
    sockets: Option<Vec<std::net::TcpListener>>,
) -> Result<Vec<TcpListener>, Failure> {
    if let Some(sockets) = sockets {
        return Ok(http::from_sockets(sockets)?);
    }
    let addresses = flags.listen_addresses();
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    Ok(http::bind(&addresses).await?)
}

fn telemetry(
    config: &Config,
    pages: Option<&str>,
    shard: &Shard,
) -> Result<Arc<Telemetry>, TelemetryError> {
    let telemetry = Telemetry::new()?;
    telemetry.config_loaded(config.hash.as_f64(), now());
    telemetry.set_series(privacy::label_policy(config).series);
    if let Some(url) = pages {
        telemetry.external_url(url)?;
    }
    telemetry.set_shard(shard.index(), shard.total());
    Ok(Arc::new(telemetry))
}

/// The queue of the webhook, with the events that an earlier process stored.
fn deliveries(
    state: Option<&Arc<StateDirectory>>,
    config: &Config,
    telemetry: &Telemetry,
) -> Arc<DeliveryQueue> {
    let Some(state) = state else {
        return Arc::default();
    };
    let stored = EventFiles::of(state).load();
    let queue = DeliveryQueue::restored(stored, now(), telemetry);
    let events = queue.len();
    match &config.webhook {
        _ if events == 0 => {}
        Some(_) => tracing::info!(events, "sending the events that waited for the webhook"),
        None => tracing::warn!(
            events,
            hint = "configure events.webhook again; events older than three days are dropped",
            "events wait for a webhook, and none is configured"
        ),
    }
    Arc::new(queue)
}
