//! Where the simulator listens that stands in for Graph.

use std::net::SocketAddr;

use super::fault::Ledger;
use super::file::FileSimulator;
use super::keys::unknown_keys;
use super::pem::{self, PemFile};
use super::written::{Mark, Text, Written};

/// The simulator's address and the authority that signed its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatorEndpoint {
    /// `https://` and a loopback address, without a slash at the end.
    pub url: String,
    /// Trusted for the simulator alone.
    pub ca: PemFile,
}

pub(super) fn resolve(
    file: Option<Written<FileSimulator>>,
    simulated: bool,
    ledger: &mut Ledger,
) -> Option<SimulatorEndpoint> {
    match file {
        Some(file) => {
            if !simulated {
                ledger.warn(
                    file.mark,
                    "simulator",
                    "no tenant has `cloud: simulator`, so this section is not used",
                );
            }
            endpoint(file, ledger)
        }
        None => {
            if simulated {
                ledger.fault(
                    Mark::Nowhere,
                    "simulator",
                    "missing, yet a tenant has `cloud: simulator`; \
                     `secure-score-exporter simulate --config-dir DIR` writes both",
                );
            }
            None
        }
    }
}

fn endpoint(file: Written<FileSimulator>, ledger: &mut Ledger) -> Option<SimulatorEndpoint> {
    let Written { value: file, mark } = file;
    unknown_keys("simulator", &file.unknown, FileSimulator::KEYS, ledger);
    let url = required("simulator.url", file.url, mark, ledger);
    let url = url.and_then(|text| url_on_loopback(&text, ledger));
    let ca = required("simulator.ca_file", file.ca_file, mark, ledger);
    let ca = ca.and_then(|text| pem::resolve("simulator.ca_file", &text, ledger));
    Some(SimulatorEndpoint { url: url?, ca: ca? })
}

fn required(path: &str, text: Option<Text>, mark: Mark, ledger: &mut Ledger) -> Option<Text> {
    if text.is_none() {
        ledger.fault(
            mark,
            path,
            "missing; `secure-score-exporter simulate --config-dir DIR` writes it",
        );
    }
    text
}

/// Only this machine: a simulated tenant must never be a way to send a real
/// secret to somebody's server.
fn url_on_loopback(text: &Text, ledger: &mut Ledger) -> Option<String> {
    let url = text.value.trim().trim_end_matches('/');
    let address = url.strip_prefix("https://").map(str::parse::<SocketAddr>);
    if let Some(Ok(address)) = address
        && address.ip().is_loopback()
        && address.port() != 0
    {
        return Some(format!("https://{address}"));
    }
    ledger.fault(
        text.mark,
        "simulator.url",
        "must be https on a loopback address with a port; write https://127.0.0.1:PORT",
    );
    None
}
