//! When each tenant is refreshed, and what becomes of the answers.
//!
//! Two loops a tenant: the catalogue often, since an acceptance shows in it at
//! once; the report seldom, since Microsoft computes it once a day. A tenant's
//! trouble stays its own: it costs no other tenant its turn, and itself only
//! its freshness.

mod bell;
mod desk;
mod fleet;
mod keeper;
mod memory;
mod once;
mod papers;
pub mod schedule;
mod settings;
mod shard;
mod spread;
mod summons;
mod told;
mod worker;

pub use fleet::{Changes, Fleet, FleetOptions};
pub use keeper::StateWriter;
pub use once::refresh_all_once;
pub use shard::{NoSuchShard, Shard};
pub use summons::OnDemandRefresh;

use secure_score_model::Timestamp;
use std::sync::Arc;

/// The wall clock, handed in so that tests can set it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
