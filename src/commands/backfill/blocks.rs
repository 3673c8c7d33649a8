//! The blocks of Prometheus' storage.
//!
//! Prometheus shows a sample for five minutes. A series of ninety days has 26,000
//! samples of a few values: as text they are megabytes, in a block a few kilobytes.

use super::openmetrics::OutputSize;
use super::series::{Series, TenantSeries};
use super::window::Window;
use crate::cli::Label;
use crate::commands::atomic_file::UNFINISHED;
use crate::tsdb::{BlockWriter, CHUNK_SAMPLES, Labels, SAMPLES_PER_BYTE};
use std::io;
use std::path::Path;

/// About the bytes of a day of a series: the chunk with a value and a place in the
/// index.
const DAY_BYTES: u64 = 34;

/// About the bytes of a series in a block: its labels in the index.
const SERIES_BYTES: u64 = 50;

/// The blocks of some tenants.
pub(super) struct Blocks {
    /// The names of their directories.
    pub(super) names: Vec<String>,
    pub(super) size: OutputSize,
}

/// The samples that [`write`] writes, and about how many bytes that makes.
pub(super) fn size(tenants: &[TenantSeries], window: Window) -> OutputSize {
    let blocks = window.blocks().count() as u64;
    let mut size = OutputSize::default();
    for series in tenants.iter().flat_map(TenantSeries::iter) {
        let samples = series.count(window);
        if samples > 0 {
            size.samples += samples;
            size.bytes += samples / SAMPLES_PER_BYTE + samples.div_ceil(CHUNK_SAMPLES) * DAY_BYTES;
            size.bytes += blocks * SERIES_BYTES;
        }
    }
    size
}

/// Writes the blocks of the tenants into a directory, and notes how many bytes are
/// written.
pub(super) fn write(
    directory: &Path,
    tenants: &[TenantSeries],
    labels: &[Label],
    window: Window,
    note: impl Fn(u64),
) -> io::Result<Blocks> {
    let series = sorted(tenants, labels);
    let mut blocks = Blocks {
        names: Vec::new(),
        size: OutputSize::default(),
    };
    for window in window.blocks() {
        let mut block = BlockWriter::create(directory, UNFINISHED)?;
        for (labels, series) in &series {
            block.series(labels, series.runs(window))?;
        }
        if let Some(block) = block.finish(window.is_recent())? {
            blocks.size.bytes += block.bytes;
            blocks.size.samples += block.samples;
            blocks.names.push(block.name);
        }
        note(blocks.size.bytes);
    }
    Ok(blocks)
}

/// The series in order of their labels, as an index has them.
fn sorted<'a>(tenants: &'a [TenantSeries], labels: &[Label]) -> Vec<(Labels, &'a Series)> {
    let of_tenant = |tenant: &'a TenantSeries| {
        tenant.iter().map(|series| {
            let mut all = series.labels(&tenant.alias, labels);
            all.sort();
            (all, series)
        })
    };
    let mut series: Vec<_> = tenants.iter().flat_map(of_tenant).collect();
    series.sort_by(|(one, _), (other, _)| one.cmp(other));
    series
}
