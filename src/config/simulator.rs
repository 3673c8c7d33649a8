//! The address of the Graph simulator.

use std::net::SocketAddr;
use strict_yaml::{Diagnostics, Span, Spanned};

use super::file::FileSimulator;
use super::pem::{self, PemFile};

/// The simulator's address and the authority that signed its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatorEndpoint {
    /// `https://` and a loopback address, without a slash at the end.
    pub url: String,
    /// Trusted only for the simulator.
    pub ca: PemFile,
}

const MISSING: &str = "missing; `secure-score-exporter simulate --config-dir DIR` writes it";

/// `is_used` is true if a tenant is simulated.
pub(super) fn resolve(
    file: Option<Spanned<FileSimulator>>,
    is_used: bool,
    diagnostics: &mut Diagnostics,
) -> Option<SimulatorEndpoint> {
    match &file {
        Some(file) if !is_used => diagnostics.warn(
            file.span,
            "simulator",
            "no tenant has `cloud: simulator`, so this section is not used",
        ),
        None if is_used => diagnostics.error(
            Span::Nowhere,
            "simulator",
            "missing, but a tenant has `cloud: simulator`; \
             `secure-score-exporter simulate --config-dir DIR` writes both",
        ),
        _ => {}
    }
    let Spanned { value: file, span } = file?;
    file.report_unknown_keys("simulator", diagnostics);
    let url = diagnostics.require(span, "simulator.url", &file.url, MISSING);
    let url = diagnostics.check("simulator.url", url, loopback_url);
    let ca = diagnostics.require(span, "simulator.ca_file", &file.ca_file, MISSING);
    let ca = ca.and_then(|text| pem::resolve("simulator.ca_file", text, diagnostics));
    Some(SimulatorEndpoint { url: url?, ca: ca? })
}

/// Only this machine: otherwise `cloud: simulator` could send a real secret to
/// any server.
fn loopback_url(text: &str) -> Result<String, &'static str> {
    let address = text.trim_end_matches('/').strip_prefix("https://");
    let address = address.and_then(|address| address.parse::<SocketAddr>().ok());
    address
        .filter(|address| address.ip().is_loopback() && address.port() != 0)
        .map(|address| format!("https://{address}"))
        .ok_or("must be https on a loopback address with a port; write https://127.0.0.1:PORT")
}
