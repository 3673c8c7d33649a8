//! `healthcheck`: asks the exporter on this machine for its health, for
//! containers without a shell or curl.

use super::Failure;
use super::stdout::line;
use crate::cli::{Healthcheck, WebFlags};
use crate::diagnostics::chain;
use crate::http;
use crate::http_client;
use anyhow::{Context as _, anyhow};
use exporter_web_config::WebConfig;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Requests the health, and prints the status line.
pub(super) async fn run(options: &Healthcheck) -> Result<(), Failure> {
    let time = Duration::from_secs(options.timeout);
    let result = tokio::time::timeout(time, request_health(&options.web)).await;
    let status = result
        .unwrap_or_else(|_| Err(anyhow!("no answer within {} s", options.timeout)))
        .map_err(|error| {
            let hint = "give healthcheck the --web.* flags the exporter was started with, and see the exporter's log";
            Failure::with_hint(error, hint)
        })?;
    line(format_args!("healthy: {status}"))
}

/// The status line of the response at the first listen address. An exporter
/// that requires a password or a certificate, or limits requests, is healthy.
async fn request_health(web: &WebFlags) -> anyhow::Result<String> {
    let config = match &web.config_file {
        Some(file) => exporter_web_config::load(file)?.0,
        None => WebConfig::default(),
    };
    let uses_tls = config.tls.is_some();
    let scheme = if uses_tls { "https" } else { "http" };
    let wanted = web.listen_addresses();
    let wanted = wanted.first().context("there is no listen address")?;
    let mut failed = anyhow!("there is no listen address");
    let addresses = http::addresses_of(&wanted.to_string()).await;
    let addresses = addresses.with_context(|| format!("--web.listen-address={wanted}"))?;
    for address in addresses.into_iter().map(reachable) {
        let client = http_client::healthcheck_client(address)?;
        let (port, prefix) = (address.port(), web.route_prefix());
        let url = format!("{scheme}://localhost:{port}{prefix}/-/healthy");
        let error = match client.get(url).send().await {
            Ok(response) => {
                let status = format!("{:?} {}", response.version(), response.status());
                return match response.status().as_u16() {
                    200 | 401 | 429 => Ok(status),
                    _ => Err(anyhow!("the response is {status}")),
                };
            }
            // With TLS 1.3 the alert follows the client's handshake, and the HTTP
            // client may report a closed connection instead.
            Err(error)
                if (config.requires_certificates && !error.is_connect())
                    || (uses_tls && rejects_client(&error)) =>
            {
                return Ok("a client certificate is required".to_owned());
            }
            Err(error) if error.is_connect() => error,
            Err(_) => {
                return Err(anyhow!(
                    "the server closed the connection or does not speak HTTP"
                ));
            }
        };
        let cause = anyhow::Error::new(error).root_cause().to_string();
        failed = anyhow!(cause).context(format!("cannot connect to {address}"));
    }
    Err(failed)
}

fn rejects_client(error: &dyn Error) -> bool {
    let text = chain(error);
    text.contains("CertificateRequired") || text.contains("HandshakeFailure")
}

/// The address; a loopback one where it is unspecified.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
