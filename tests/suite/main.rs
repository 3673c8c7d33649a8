//! One test binary: one link, shared helpers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod api;
mod architecture;
mod artefacts;
mod capture;
mod collect;
mod commands;
mod config;
mod end_to_end;
mod exceptions;
mod exposition;
mod golden;
mod histories;
mod persons;
mod process;
mod reference;
mod refresh;
mod reload;
mod rendering;
mod restart;
mod scenarios;
mod sharding;
mod simulated;
mod sink;
mod state;
mod web;
mod world;
