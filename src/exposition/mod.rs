//! From a snapshot to the bytes Prometheus reads.
//!
//! A tenant is rendered once, when it is refreshed, not each time it is
//! scraped: a refresh happens a few times an hour and a scrape four times a
//! minute. The bytes are kept per family, because the format wants all tenants
//! of a family side by side, and the tenants arrive one by one.

mod catalogue;
mod chunk;
mod controls;
mod family;
mod format;
mod gzip;
mod lines;
mod reference;
mod tenants;
mod view;
mod vitals;

pub use catalogue::FAMILIES;
pub use chunk::{Chunk, render_data, render_vitals};
pub use family::{Family, Kind, Presence};
pub use format::{Format, assemble};
pub use gzip::CompressedPrefix;
pub(crate) use lines::escape;
pub use reference::reference;
pub use view::Policy;
