//! One test binary: one link, shared helpers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod architecture;
mod artefacts;
mod capture;
mod commands;
mod config;
mod end_to_end;
mod events;
mod exposition;
mod golden;
mod process;
mod refresh;
mod rendering;
mod scenarios;
mod sink;
mod web;
mod world;
