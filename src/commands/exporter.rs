//! The exporter itself: the loops behind, the web server before.

use super::reload::{Reloader, Showing};
use super::serve::Source;
use super::web_config::WebConfiguration;
use super::{Failure, persons, stop, supervisor};
use crate::cli::WebFlags;
use crate::config::Config;
use crate::events::{DeliveryQueue, Events, RetryPolicy, Webhook, WebhookSender};
use crate::http::{
    self, DisabledRoutes, DrainOutcome, Lifecycle, ReloadRequest, ServerOptions, Site, SiteOptions,
    TargetLabels,
};
use crate::refresh::{Fleet, FleetOptions, Shard, StateWriter};
use crate::store::Store;
use crate::store::disk::StateDirectory;
use crate::telemetry::{Telemetry, TelemetryError};
use anyhow::Context as _;
use secure_score_model::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

/// An exporter that is refreshing and listening, not yet serving.
pub(super) struct Exporter {
    site: Arc<Site>,
    listeners: Vec<tokio::net::TcpListener>,
    addresses: Vec<SocketAddr>,
    fleet: Fleet,
    keeper: Option<Arc<StateWriter>>,
    telemetry: Arc<Telemetry>,
    reloads: Option<Receiver<ReloadRequest>>,
    server_options: ServerOptions,
    web_config: WebConfiguration,
    events: Arc<Events>,
    courier: Option<WebhookSender>,
}

impl Exporter {
    /// Binds first, so that a taken port is found before Graph is asked.
    pub(super) async fn start(
        config: Config,
        flags: &WebFlags,
        shard: Shard,
        state: Option<StateDirectory>,
        handed_over: Option<Vec<std::net::TcpListener>>,
    ) -> Result<Self, Failure> {
        let listeners = match handed_over {
            Some(sockets) => http::from_sockets(sockets)?,
            None => {
                let wanted = flags.listen_addresses();
                let named: Vec<String> = wanted.iter().map(ToString::to_string).collect();
                http::bind(&named).await?
            }
        };
        let addresses: Vec<SocketAddr> = listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect();
        let exposed = !addresses
            .iter()
            .all(|address| address.ip().to_canonical().is_loopback());
        let web_config = WebConfiguration::load(flags.config_file.as_deref())?;
        let access = web_config.access();
        let config_in_effect = access.config();
        if exposed && !config_in_effect.is_some_and(|it| it.authenticates_every_client()) {
            tracing::warn!(
                "listening beyond this machine without authentication: every client that reaches it can read the metrics; require a password or a client certificate with --web.config.file, or listen on a loopback address"
            );
        }
        let store = Arc::new(Store::default());
        let telemetry = telemetry(&config, flags).context("the telemetry cannot be set up")?;
        telemetry.set_shard(shard.index(), shard.total());
        let telemetry = Arc::new(telemetry);
        let (lifecycle, reloads) = match flags.enable_lifecycle {
            true => {
                let (lifecycle, reloads) = Lifecycle::new();
                (Some(lifecycle), Some(reloads))
            }
            false => (None, None),
        };
        let site = Arc::new(Site::new(
            Arc::clone(&store),
            Arc::clone(&telemetry),
            SiteOptions {
                lifecycle,
                exposed,
                access: Arc::clone(&access),
                ..options(&config, flags)
            },
        ));
        let policy = Arc::new(persons::label_policy(&config));
        let keeper = state.map(|it| Arc::new(StateWriter::new(it, Arc::clone(&telemetry))));
        let (events, courier) = events(&config, flags, &telemetry)?;
        let events = Arc::new(events);
        let fleet = Fleet::start(&FleetOptions {
            config: Arc::new(config),
            policy,
            store,
            state_writer: keeper.clone(),
            telemetry: Arc::clone(&telemetry),
            events: Some(Arc::clone(&events)),
            clock: Arc::new(|| Timestamp::from(SystemTime::now())),
        })?;
        site.set_target_labels(target_labels(fleet.config()));
        site.set_on_demand_refresh(fleet.on_demand());
        Ok(Self {
            site,
            listeners,
            addresses,
            fleet,
            keeper,
            telemetry,
            reloads,
            server_options: ServerOptions {
                access,
                max_requests: flags.max_requests(),
            },
            web_config,
            events,
            courier,
        })
    }

    /// Where it listens.
    #[cfg(feature = "demo")]
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves until the process is asked to stop, then answers what it has
    /// begun to answer.
    ///
    /// Meanwhile it reads its configuration again when told to, where there is
    /// one to read.
    pub(super) async fn serve(self, source: Option<Source<'_>>) -> Result<(), Failure> {
        let showing = Showing {
            site: Arc::clone(&self.site),
            telemetry: Arc::clone(&self.telemetry),
            events: self.events,
        };
        // Who is told that we are ready may send signals at once.
        let reloader = source.map(|source| Reloader::new(source, showing, self.reloads));
        let stop_requested = stop::requested();
        for address in &self.addresses {
            tracing::info!(%address, loops = self.fleet.loops_running(), "listening");
        }
        supervisor::ready();
        let mut signs = tokio::task::JoinSet::new();
        signs.spawn(supervisor::signs_of_life());
        let keeping = self.web_config.watch(Arc::clone(&self.telemetry));
        signs.spawn(async move { match keeping.await {} });
        let stopping = CancellationToken::new();
        let shutdown = async {
            let signal = stop_requested.await;
            supervisor::stopping();
            tracing::info!(signal, "stopping; requests under way are answered first");
            stopping.cancel();
        };
        let mut fleet = self.fleet;
        // Both take seconds, and whoever asked us to stop counts them.
        let farewell = async {
            match reloader {
                Some(reloader) => tokio::select! {
                    () = stopping.cancelled() => {}
                    never = reloader.run(&mut fleet) => match never {},
                },
                None => stopping.cancelled().await,
            }
            drop(fleet);
            if let Some(courier) = self.courier {
                courier.stop().await;
            }
        };
        let serving = http::serve(self.server_options, self.listeners, self.site, shutdown);
        let (drained, ()) = tokio::join!(serving, farewell);
        match drained {
            DrainOutcome::Complete => tracing::info!("stopped"),
            DrainOutcome::Aborted(connections) => {
                tracing::warn!(connections, "stopped; slow connections were cut");
            }
        }
        if let Some(keeper) = self.keeper {
            keeper.close();
        }
        Ok(())
    }
}

/// The configured labels of each tenant's target.
pub(super) fn target_labels(config: &Config) -> TargetLabels {
    let tenants = config.tenants.iter();
    tenants
        .map(|tenant| (tenant.alias.clone(), tenant.labels.clone()))
        .collect()
}

fn telemetry(config: &Config, flags: &WebFlags) -> Result<Telemetry, TelemetryError> {
    let telemetry = Telemetry::new()?;
    let now = Timestamp::from(SystemTime::now());
    telemetry.config_loaded(config.hash.as_f64(), now);
    if let Some(url) = &flags.external_url {
        telemetry.external_url(url.as_str())?;
    }
    Ok(telemetry)
}

/// Where events go, and who takes them to the webhook.
fn events(
    config: &Config,
    flags: &WebFlags,
    telemetry: &Arc<Telemetry>,
) -> Result<(Events, Option<WebhookSender>), Failure> {
    let mut events = Events {
        persons: persons::in_events(config),
        telemetry: Arc::clone(telemetry),
        exporter: flags
            .external_url
            .as_ref()
            .map(|url| url.as_str().to_owned()),
        queue: None,
    };
    let Some(webhook) = &config.webhook else {
        return Ok((events, None));
    };
    let webhook = Webhook::new(webhook, config.extra_roots.as_ref())
        .context("events cannot be sent to the webhook")?;
    let queue = Arc::new(DeliveryQueue::default());
    events.queue = Some(Arc::clone(&queue));
    let policy = RetryPolicy::default();
    let sender = WebhookSender::start(webhook, policy, queue, Arc::clone(telemetry));
    Ok((events, Some(sender)))
}

fn options(config: &Config, flags: &WebFlags) -> SiteOptions {
    SiteOptions {
        telemetry_path: flags.telemetry_path().to_owned(),
        route_prefix: flags.route_prefix().to_owned(),
        external_url: flags
            .external_url
            .as_ref()
            .map(|url| url.as_str().to_owned()),
        persons: persons::on_pages(config),
        exposed: true,
        access: Arc::default(),
        lifecycle: None,
        disabled: DisabledRoutes {
            pages: flags.disable_pages,
            api: flags.disable_api,
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: SystemTime::now(),
    }
}
