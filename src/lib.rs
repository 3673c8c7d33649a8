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
//! [`graph`] is the only home of Microsoft's words, [`model`] knows neither
//! them nor Prometheus, and [`exposition`] turns a model into bytes when it
//! changes, so that a scrape ([`web`]) only puts bytes together. The crate
//! `graph-simulator` plays Microsoft for the demo and the tests.
#![forbid(unsafe_code)]

pub mod cli;
pub mod command;
pub mod config;
pub mod events;
pub mod exposition;
pub mod gate;
pub mod graph;
pub mod model;
pub mod refresh;
pub mod register;
pub mod report;
pub mod store;
pub mod telemetry;
pub mod tsdb;
pub mod web;
