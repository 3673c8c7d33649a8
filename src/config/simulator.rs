//! Where the simulator listens that stands in for Graph.

use std::net::SocketAddr;
use strict_yaml::{Diagnostics, Span, Spanned, Text, unknown_keys};

use super::file::FileSimulator;
use super::pem::{self, PemFile};

/// The simulator's address and the authority that signed its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatorEndpoint {
    /// `https://` and a loopback address, without a slash at the end.
    pub url: String,
    /// Trusted for the simulator alone.
    pub ca: PemFile,
}

pub(super) fn resolve(
    file: Option<Spanned<FileSimulator>>,
    simulated: bool,
    diagnostics: &mut Diagnostics,
) -> Option<SimulatorEndpoint> {
    match file {
        Some(file) => {
            if !simulated {
                diagnostics.warn(
                    file.span,
                    "simulator",
                    "no tenant has `cloud: simulator`, so this section is not used",
                );
            }
            endpoint(file, diagnostics)
        }
        None => {
            if simulated {
                diagnostics.error(
                    Span::Nowhere,
                    "simulator",
                    "missing, yet a tenant has `cloud: simulator`; \
                     `secure-score-exporter simulate --config-dir DIR` writes both",
                );
            }
            None
        }
    }
}

fn endpoint(
    file: Spanned<FileSimulator>,
    diagnostics: &mut Diagnostics,
) -> Option<SimulatorEndpoint> {
    let Spanned { value: file, span } = file;
    unknown_keys("simulator", &file.unknown, FileSimulator::KEYS, diagnostics);
    let url = required("simulator.url", file.url, span, diagnostics);
    let url = url.and_then(|text| url_on_loopback(&text, diagnostics));
    let ca = required("simulator.ca_file", file.ca_file, span, diagnostics);
    let ca = ca.and_then(|text| pem::resolve("simulator.ca_file", &text, diagnostics));
    Some(SimulatorEndpoint { url: url?, ca: ca? })
}

fn required(
    path: &str,
    text: Option<Text>,
    span: Span,
    diagnostics: &mut Diagnostics,
) -> Option<Text> {
    if text.is_none() {
        diagnostics.error(
            span,
            path,
            "missing; `secure-score-exporter simulate --config-dir DIR` writes it",
        );
    }
    text
}

/// Only this machine: a simulated tenant must never be a way to send a real
/// secret to somebody's server.
fn url_on_loopback(text: &Text, diagnostics: &mut Diagnostics) -> Option<String> {
    let url = text.value.trim().trim_end_matches('/');
    let address = url.strip_prefix("https://").map(str::parse::<SocketAddr>);
    if let Some(Ok(address)) = address
        && address.ip().is_loopback()
        && address.port() != 0
    {
        return Some(format!("https://{address}"));
    }
    diagnostics.error(
        text.span,
        "simulator.url",
        "must be https on a loopback address with a port; write https://127.0.0.1:PORT",
    );
    None
}
