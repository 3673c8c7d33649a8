//! # tsdb: a time series database
//!
//! Its client writes samples and queries them; [`BlockWriter`] writes blocks of
//! Prometheus' storage. The client shares neither connections nor
//! credentials with Microsoft's clients. Messages of the server are truncated,
//! and secrets in them are hidden.

mod block;
mod query;
mod server;
mod write;

pub use block::{BlockWriter, CHUNK_SAMPLES, FinishedBlock, Labels, Run, SAMPLES_PER_BYTE};
pub use query::QueriedSeries;
pub use server::{Server, ServerError};
pub use write::Batch;
