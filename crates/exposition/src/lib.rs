//! Renders a tenant's snapshot as Prometheus text and OpenMetrics.
//!
//! A tenant is rendered when it is refreshed, not when it is scraped: a refresh
//! happens a few times an hour and a scrape four times a minute. The lines are
//! kept per family, because the formats require all tenants of a family side by
//! side, and tenants are refreshed one by one.
//!
//! Compression has a unit of its own, the block: a run of neighbouring lines,
//! long enough to compress well and short enough to compress again when one
//! tenant changes. A compressed body is one generation made of blocks.

mod block;
mod block_start;
mod catalogue;
mod chunk;
mod compressed_body;
mod control_labels;
mod controls;
mod family;
mod format;
mod gzip;
mod label;
mod mapping;
mod partners;
mod recommendations;
mod reference;
mod series_set;
mod tenants;
mod text;
mod view;

pub use block::Block;
pub use catalogue::{FAMILIES, is_past_label};
pub use chunk::{Chunk, render_categories, render_data, render_health, send_samples};
pub use compressed_body::{BlockCache, CompressedBody, Member};
pub use control_labels::ControlLabels;
pub use family::{Family, Kind, PastSource, Presence, SampleSink};
pub use format::{FamilyHeaders, Format, assemble};
pub use gzip::Deflater;
pub use label::{shown, write_label, write_value};
pub use partners::{PARTNER_FAMILIES, PartnerBlocks, PartnerFamily, render_partner, render_share};
pub use reference::reference;
pub use series_set::{Membership, SeriesSet};
pub use text::{series_labels, write_number, write_series};
pub use view::Policy;
