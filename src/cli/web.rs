//! The flags of the HTTP server.

use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::address::ListenAddress;
use super::number::number;
use super::route::{self, ExternalUrl};
use crate::http::MAX_REQUESTS;

/// The default: reachable from this machine only.
const LISTEN: &str = "127.0.0.1:10365";

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Args, Default)]
#[command(next_help_heading = "Web")]
pub struct WebFlags {
    /// The address to listen on; may be given several times; `:10365` stands for all addresses, `localhost:10365` for all addresses of that name [default: 127.0.0.1:10365]
    #[arg(long = "web.listen-address", value_name = "ADDRESS")]
    listen_address: Vec<ListenAddress>,

    /// Use the sockets that systemd passes instead of an address
    #[arg(long = "web.systemd-socket", conflicts_with = "listen_address")]
    pub systemd_socket: bool,

    /// The web configuration: TLS, client certificates, users, headers and a rate limit, as for other Prometheus exporters
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,

    /// The path of the metrics [default: /metrics]
    #[arg(long = "web.telemetry-path", value_name = "PATH", value_parser = route::telemetry_path)]
    telemetry_path: Option<String>,

    /// The external URL of the exporter, for links in alerts, dashboards and pages [default: an address it listens on]
    #[arg(long = "web.external-url", value_name = "URL")]
    pub external_url: Option<ExternalUrl>,

    /// The prefix of all paths [default: the path of --web.external-url]
    #[arg(long = "web.route-prefix", value_name = "PATH", value_parser = route::path)]
    route_prefix: Option<String>,

    /// Concurrent requests; further ones get 503; 0 means no limit [default: 40]
    #[arg(long = "web.max-requests", value_name = "NUMBER",
          value_parser = number(0_usize.., "40"), allow_negative_numbers = true)]
    max_requests: Option<usize>,

    /// Do not serve the HTML pages, nor the runbooks to which alerts link
    #[arg(long = "web.disable-pages")]
    pub disable_pages: bool,

    /// Do not serve the API; metrics, probes, targets and health checks remain
    #[arg(long = "web.disable-api")]
    pub disable_api: bool,

    /// Enable POST /-/reload, which reloads the configuration
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
}

impl WebFlags {
    /// The addresses to listen on; at least one.
    pub fn listen_addresses(&self) -> Vec<ListenAddress> {
        match self.listen_address.as_slice() {
            [] => LISTEN.parse().into_iter().collect(),
            given => given.to_vec(),
        }
    }

    /// The path of the metrics, without the route prefix.
    pub fn telemetry_path(&self) -> &str {
        self.telemetry_path.as_deref().unwrap_or("/metrics")
    }

    /// The prefix of every path: empty, or such as `/x`, without a slash at the end.
    pub fn route_prefix(&self) -> &str {
        match (&self.route_prefix, &self.external_url) {
            (Some(prefix), _) => prefix.trim_end_matches('/'),
            (None, Some(url)) => url.path(),
            (None, None) => "",
        }
    }

    /// The path of the metrics, with the route prefix.
    pub fn metrics_path(&self) -> String {
        format!("{}{}", self.route_prefix(), self.telemetry_path())
    }

    /// Concurrent requests; `None` means no limit.
    pub fn max_requests(&self) -> Option<NonZeroUsize> {
        match self.max_requests {
            None => Some(MAX_REQUESTS),
            Some(given) => NonZeroUsize::new(given),
        }
    }

    /// An address given twice; port 0 is a different port each time.
    pub(super) fn duplicate(&self) -> Option<&ListenAddress> {
        let mut seen = Vec::new();
        let given = self.listen_address.iter();
        given.filter(|address| address.port() != 0).find(|address| {
            let known = seen.contains(address);
            seen.push(*address);
            known
        })
    }

    /// Whether no other flag is set. The entry point of an image passes an
    /// address to every command, including those that do not serve.
    pub(super) fn has_only_addresses(&self) -> bool {
        let listen_address = self.listen_address.clone();
        *self
            == Self {
                listen_address,
                ..Self::default()
            }
    }

    /// Adds the flags that precede the sub-command.
    pub(super) fn fill_from(&mut self, before: Self) {
        if self.listen_address.is_empty() {
            self.listen_address = before.listen_address;
        }
        self.telemetry_path = self.telemetry_path.take().or(before.telemetry_path);
        self.external_url = self.external_url.take().or(before.external_url);
        self.route_prefix = self.route_prefix.take().or(before.route_prefix);
        self.max_requests = self.max_requests.or(before.max_requests);
        self.config_file = self.config_file.take().or(before.config_file);
        self.disable_pages |= before.disable_pages;
        self.disable_api |= before.disable_api;
        self.enable_lifecycle |= before.enable_lifecycle;
        self.systemd_socket |= before.systemd_socket;
    }
}
