//! One test binary: one link, shared helpers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod access;
mod accessibility;
mod api;
mod approve;
#[allow(dead_code, reason = "the tests of the exposition use all of it")]
#[path = "../../crates/exposition/tests/rendering/arbitrary.rs"]
mod arbitrary;
mod architecture;
mod artefacts;
mod attacks;
mod backfill;
mod browser;
mod capture;
mod collect;
mod commands;
mod compose;
mod compression;
mod config;
mod connections;
mod credentials;
mod dashboards;
mod decisions;
mod delivery;
mod demo;
mod disabled_routes;
mod discover;
mod documents;
mod end_to_end;
mod entra_pages;
mod entra_tenant;
mod events;
mod evidence;
mod evidence_of_exporter;
mod exposition;
mod faults;
mod full_demo;
mod golden;
mod guarded;
mod guide;
mod healthcheck;
mod histories;
mod hostile;
mod http2;
mod init;
mod large_fleet;
mod on_demand;
mod page_csv;
mod page_refresh;
mod partner_commands;
mod partner_pages;
mod partner_world;
mod partners;
mod pictures;
mod privacy;
mod probe;
mod process;
mod receiver;
mod recommendations;
mod reference;
mod refresh;
mod release;
mod reload;
mod restart;
mod reverse_proxy;
mod runbooks;
mod same_tenant;
mod scenarios;
mod schema;
mod score_history;
mod secrets;
mod series_sets;
mod sharding;
mod simulated;
#[allow(dead_code, reason = "the tests of the exposition use all of it")]
#[path = "../../crates/exposition/tests/rendering/small.rs"]
mod small;
mod soak;
mod state;
mod stub_server;
mod stuck_server;
mod supervisor;
mod supply;
mod tenant_page;
mod terminal;
mod test_server;
mod triage_pages;
mod unchanged_answers;
mod web;
mod web_pages;
mod world;
