//! When each tenant is refreshed, and how its data is published.
//!
//! Each list of a tenant has a loop: the catalogue and Entra's recommendations are
//! refreshed often, because an acceptance appears there at once, the scores
//! rarely, because Microsoft computes them once a day. Tenants are independent of
//! each other: a failing tenant delays no other one.

mod context;
mod decision_ends;
mod directories;
pub(crate) mod endless_loop;
mod entra_lists;
mod fleet;
mod kept_list;
mod logged_once;
mod on_demand;
mod past_days;
mod rendered;
mod requested_lists;
mod run_loop;
mod saved_cells;
mod saved_data;
pub(crate) mod saved_refresh;
pub mod schedule;
mod secure_score_lists;
mod shard;
mod state_writer;
mod tenant_cell;
mod tenant_data;
mod wait;

pub use fleet::{Changes, Fleet, FleetOptions, RefreshStep, publish_saved, refresh_all_once};
pub use on_demand::OnDemandRefresh;
pub use shard::{NoSuchShard, Shard};
pub use state_writer::StateWriter;
pub(crate) use wait::Wait;

use secure_score_model::Timestamp;
use std::sync::Arc;

/// The wall clock, as an argument so that tests can set it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
