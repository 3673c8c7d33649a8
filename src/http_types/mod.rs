//! # http_types: what the HTTP server, the views and the API share
//!
//! Query parsing and content negotiation on the request's side, responses with
//! their common headers on the other. Nothing here knows a route.

mod body;
mod negotiate;
mod privacy;
pub mod query;
pub mod response;

pub use body::{Body, BodyGuard, length};
pub use negotiate::{MediaType, accept, allows_identity, preferences, preferred, wants_gzip};
pub use privacy::{PersonDetail, PersonPolicy, Redaction};
pub use query::{QueryError, similar_names, similar_tenants};
pub use response::Response;
