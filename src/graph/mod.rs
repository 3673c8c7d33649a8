//! Everything Microsoft: tokens from Entra, lists from Graph, read into our
//! model.
//!
//! Reads only, with the one permission [`PERMISSION`]. Field names and state
//! words of Microsoft's occur in here and nowhere else.

mod assertion;
mod client;
mod elements;
mod endpoint;
mod entra;
mod error;
mod http;
mod loose;
mod observed;
mod pages;
mod pools;
mod reading;
mod refusal;
mod requests;
mod sign_in;
mod text;
mod throttle;
mod token;
mod tokens;
mod translate;
mod transport;
mod turn;
mod wire;

pub use client::{Client, Fetched};
pub use endpoint::Endpoint;
pub use entra::table as entra_errors;
pub use error::{GraphError, Retry, Subject, Trace};
pub use http::SetupError;
pub use observed::UnknownWord;
pub use pools::HttpClients;
pub use reading::{read_catalogue, read_refusal, read_report, read_token};
pub use token::{PERMISSION, TokenFacts};
pub use turn::RefreshPermit;

/// Texts of Microsoft's in our errors are cut at this many bytes.
const LONGEST_MESSAGE: usize = 300;
