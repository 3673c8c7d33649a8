//! From a snapshot to the bytes Prometheus reads.
//!
//! A tenant is rendered once, when it is refreshed, not each time it is
//! scraped: a refresh happens a few times an hour and a scrape four times a
//! minute. The bytes are kept per family, because the format wants all tenants
//! of a family side by side, and the tenants arrive one by one.
//!
//! What is compressed is cut otherwise: into blocks of neighbouring stretches,
//! long enough to compress well and short enough to be compressed again when
//! one tenant changes. An edition is one generation made of them.

mod block;
mod catalogue;
mod chunk;
mod controls;
mod cuts;
mod edition;
mod family;
mod format;
mod gzip;
mod lines;
mod mapping;
mod narrow;
mod past;
mod reference;
mod tenants;
mod view;
mod vitals;

pub use block::Block;
pub use catalogue::FAMILIES;
pub use chunk::{Chunk, render_data, render_health};
pub use edition::{BlockCache, CompressedBody, Member};
pub use family::{Family, Kind, Presence};
pub use format::{Format, assemble};
pub use gzip::Deflater;
pub use lines::{escape, number};
pub use past::{PastFamily, Source, past_families, past_labels, past_samples, series_labels};
pub use reference::reference;
pub use view::Policy;
