//! # web: what others see of us
//!
//! A scrape never waits for Graph: it sends bytes that were rendered when the
//! data changed. Nothing here can reach Graph at all.
//!
//! ```text
//! listener ─► server (limits, drain) ─► auth ─► Site::respond ─┬► scrape ─► negotiate, compressor
//!                                                             ├► health
//!                                                             ├► api ─► register
//!                                                             └► pages ─► views
//! ```

mod api;
mod asked;
mod audience;
mod auth;
mod body;
mod compressor;
mod discovery;
#[cfg(test)]
mod documented;
mod guests;
mod health;
mod lifecycle;
mod limit;
mod listener;
mod near;
mod negotiate;
mod options;
mod pace;
mod pages;
mod patience;
mod press;
mod probe;
mod query;
mod reply;
mod scope;
mod scrape;
mod sending;
mod server;
mod site;
mod views;
mod weighted;

pub use body::{Body, Rope};
pub use discovery::Targets;
pub use lifecycle::{Asked, Lifecycle};
pub use limit::MAX_REQUESTS;
pub use listener::{WebError, adopt, bind, handed_over};
pub use options::{Closed, Options, PersonDetail, Redaction};
pub use reply::Reply;
pub use server::{Drained, Terms, serve, serve_on};
pub use site::Site;
