//! Prometheus exporter for Microsoft Secure Score.
//!
//! The way of the data, one direction and no loops:
//!
//! ```text
//! config ─► refresh ─► graph (tokens, pages) ─► model ─► exposition ─► store ─► web
//! ```
//!
//! Beside it, [`events`] tells once what happened to a control.
//!
//! [`graph`] is the only home of Microsoft's words, [`secure_score_model`] knows neither
//! them nor Prometheus, and [`secure_score_exposition`] turns a model into bytes when it
//! changes, so that a scrape ([`http`]) only puts bytes together. The crate
//! `graph-simulator` plays Microsoft for the demo and the tests.
#![forbid(unsafe_code)]

pub mod acceptances;
pub mod backoff;
pub mod cli;
pub mod commands;
pub mod config;
pub mod config_values;
pub mod credentials;
pub mod diagnostics;
pub mod events;
pub mod graph;
pub mod http;
pub mod http_client;
pub mod refresh;
pub mod retry_after;
pub mod serde_time;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod tsdb;
