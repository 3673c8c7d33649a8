//! Somebody's time series database: written to, and asked what it holds.
//!
//! Not Microsoft's and not ours, so it shares neither pools nor credentials
//! with either. Whatever it says is cut, and freed of what we told it in
//! confidence.

mod headers;
mod query;
mod server;
mod write;

pub use headers::{HeaderError, Headers};
pub use query::{Answer, Question};
pub use server::{Server, ServerError, SetupError};
pub use write::{Batch, Sample};
