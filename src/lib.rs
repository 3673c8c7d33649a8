//! Prometheus exporter for Microsoft Secure Score.
#![forbid(unsafe_code)]

pub mod model;
