//! # tsdb: the client of a time series database
//!
//! It writes samples and queries them. It shares neither connections nor
//! credentials with Microsoft's clients. Messages of the server are truncated,
//! and secrets in them are hidden.

mod query;
mod server;
mod write;

pub use query::QueriedSeries;
pub use server::{Server, ServerError};
pub use write::Batch;
