//! Prometheus exporter for Microsoft Secure Score.
//!
//! The data take one way:
//!
//! ```text
//! config ─► refresh ─► graph (tokens, pages) ─► model ─► exposition ─► store ─► http
//! ```
//!
//! [`refresh`] requests the lists of each tenant from Microsoft Graph ([`graph`]) and
//! builds a snapshot ([`secure_score_model`]). [`secure_score_exposition`] renders the
//! snapshot to the lines of Prometheus when it changes, [`store`] publishes them, and a
//! scrape ([`http`]) joins the lines of all tenants. [`events`] reports each change of a
//! control once. The crate `graph-simulator` simulates Microsoft for the demo and the
//! tests. ARCHITECTURE.md describes each module.
#![forbid(unsafe_code)]

#[cfg(feature = "jemalloc")]
use tikv_jemallocator::Jemalloc;

/// The allocator of the program, and of the benchmarks and tests that measure it.
///
/// glibc keeps the memory of megabytes of broken answers; jemalloc gives it back
/// within seconds. docs/reliability.md has the figures.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

pub mod acceptances;
pub mod access;
mod api;
pub mod backoff;
pub mod cli;
pub mod commands;
pub mod config;
pub mod config_values;
pub mod credentials;
pub mod decision_file;
pub mod diagnostics;
pub mod events;
mod evidence;
pub mod graph;
pub mod http;
pub mod http_client;
pub mod http_types;
#[cfg(test)]
mod logged;
pub mod partners;
pub mod refresh;
pub mod serde_time;
mod spreadsheet;
pub mod store;
pub mod telemetry;
mod terminal;
pub mod text;
pub mod tsdb;
pub mod views;
pub mod yaml_list;
