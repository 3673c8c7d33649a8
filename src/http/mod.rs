//! # http: the web server
//!
//! A scrape never waits for Graph: the server sends bytes that were rendered
//! when the data changed. This module cannot reach Graph.
//!
//! ```text
//! listener ─► server (access, limits, drain) ─► site ─┬► scrape, probe, discovery, health
//!                                                     ├► views
//!                                                     └► api
//! ```

mod client;
mod compressor;
mod concurrency;
mod connection_table;
mod cpu_pool;
mod discovery;
#[cfg(test)]
mod documented_limits;
mod evidence;
mod handshakes;
mod health;
mod lifecycle;
mod lingering_close;
mod listener;
mod metrics_filter;
mod options;
mod page_error;
mod probe;
mod refusal;
mod representation;
mod route;
mod scrape;
mod server;
mod site;
mod timeouts;
mod visibility;

pub use concurrency::MAX_REQUESTS;
pub use discovery::TargetLabels;
pub use lifecycle::{Lifecycle, ReloadRequest};
pub use listener::{ListenError, addresses_of, bind, from_sockets, systemd_sockets};
pub use options::{DisabledRoutes, SiteOptions};
pub use server::{DrainOutcome, ServerOptions, serve};
pub use site::Site;
