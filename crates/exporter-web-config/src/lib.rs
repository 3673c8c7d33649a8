//! The web configuration file of the Prometheus exporters
//! (`--web.config.file`) for hyper servers: TLS, client certificates, users,
//! headers, a rate limit, and reload.
//!
//! ```text
//! file ─► load ─► WebConfig ─► AccessControl ◄─ ConfigWatcher (every second)
//!                                   │
//!              connection_policy ◄──┴──► guard
//!              for each connection       for each request
//! ```
//!
//! The keys and their meaning are those of the Go exporters; the README lists
//! the differences. `examples/server.rs` is a complete server.
//!
//! An invalid file never grants access that was not granted before: the server
//! does not start with one, and after an invalid change the last valid file
//! stays in effect for two minutes, then every request is rejected.
#![forbid(unsafe_code)]

mod access;
mod algorithms;
mod auth;
mod certificate_names;
mod certificates;
mod client_auth;
mod config_watcher;
mod file;
mod file_watcher;
mod go_duration;
mod handshake;
mod handshake_refusal;
mod hash_queue;
mod headers;
mod load;
mod password_checker;
mod pem;
mod pem_lines;
mod rate_limit;
mod tls;
mod users;

pub use access::{AccessControl, ConnectionPolicy, Replacement, VerifiedCertificates, WebConfig};
pub use auth::{AuthenticatedUser, Refusal};
pub use certificate_names::CertificateNames;
pub use certificates::{CertificatesError, certificates};
pub use config_watcher::{ConfigWatcher, WatchEvent};
pub use handshake_refusal::HandshakeRefusal;
pub use hash_queue::{MAX_HASHING, MAX_HASHING_PER_ADDRESS, MAX_QUEUED_PER_ADDRESS};
pub use load::{load, load_text};
pub use pem_lines::pem_lines;
pub use rate_limit::RateLimiter;
pub use strict_yaml::{ConfigError, ConfigErrors, ConfigWarning};
pub use users::Users;
