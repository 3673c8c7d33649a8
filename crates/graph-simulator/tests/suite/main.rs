//! The simulator over the wire, with a client that trusts its authority only.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod client;
mod faults;
mod handle;
mod lists;
mod modules;
mod partner_faults;
mod partners;
mod recommendation_changes;
mod recommendation_faults;
mod recommendations;
mod replay;
mod tokens;
