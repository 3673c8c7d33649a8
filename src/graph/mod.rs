//! # graph: reads the lists of Microsoft Graph into the model
//!
//! It only reads, with the permission
//! [`PERMISSION`](crate::credentials::PERMISSION). Microsoft's field names and
//! state words occur in this module only.

mod anomaly_counter;
mod client;
mod date;
mod decode;
mod endpoint;
mod error;
mod http_clients;
mod lenient;
mod pages;
mod refresh_permit;
mod request_history;
mod requests;
mod throttle;
mod translate;
mod wire;

pub use anomaly_counter::UnknownWord;
pub use client::{Client, Fetched};
pub use decode::{read_catalogue, read_report};
pub use error::{GraphError, Retry, Subject};
pub use http_clients::HttpClients;
pub use refresh_permit::{RefreshPermit, RefreshPermits};
