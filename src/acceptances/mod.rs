//! # register: every risk somebody accepted, on every tenant
//!
//! One list behind the pages, the API and the table on a terminal: who, when,
//! why, whether it still holds and whether anybody approved it. It is read from
//! the store when asked for and keeps nothing.

mod acceptance;
pub mod control_record;
mod exceptions;
mod filter;
pub mod record;

pub use acceptance::{Acceptance, PointsLost, acceptances};
pub use exceptions::{Finding, Oddity, findings};
pub use filter::Filter;
