//! Series as OpenMetrics text for promtool: family by family, each series in
//! order of time.

use super::series::{Series, TenantSeries};
use super::window::Window;
use crate::cli::Label;
use secure_score_exposition::{FAMILIES, Family, Format, write_number};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::ops::AddAssign;

/// The size of the output.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct OutputSize {
    pub(super) samples: u64,
    pub(super) bytes: u64,
}

impl AddAssign for OutputSize {
    fn add_assign(&mut self, other: Self) {
        self.samples += other.samples;
        self.bytes += other.bytes;
    }
}

/// The digits of a time in seconds, from 2001 to 2286.
const TIME_DIGITS: u64 = 10;

/// The tenants' samples as one exposition.
#[derive(Clone, Copy)]
pub(super) struct Exposition<'a> {
    pub(super) tenants: &'a [TenantSeries],
    pub(super) labels: &'a [Label],
    pub(super) window: Window,
}

impl<'a> Exposition<'a> {
    /// The families that have samples.
    fn families(self) -> impl Iterator<Item = &'static Family> {
        let has_samples = move |family: &&'static Family| {
            let mut series = self.of(family);
            series.any(|(_, series)| series.count(self.window) > 0)
        };
        FAMILIES.iter().filter(has_samples)
    }

    /// The series of a family, each with its tenant.
    fn of(self, family: &'static Family) -> impl Iterator<Item = (&'a TenantSeries, &'a Series)> {
        let of_tenant = |tenant: &'a TenantSeries| {
            let series = tenant.of(family).iter();
            series.map(move |it| (tenant, it))
        };
        self.tenants.iter().flat_map(of_tenant)
    }

    /// The size that [`write`] writes, without the time that this takes.
    pub(super) fn size(self) -> OutputSize {
        let mut size = OutputSize {
            samples: 0,
            bytes: Format::OpenMetrics.trailer().len() as u64,
        };
        let mut text = Vec::new();
        for family in self.families() {
            size.bytes += Format::OpenMetrics.history_header(family).len() as u64;
            for (tenant, series) in self.of(family) {
                text.clear();
                series.write(&tenant.alias, self.labels, &mut text);
                let name = text.len();
                for interval in &series.intervals {
                    text.truncate(name);
                    write_number(interval.value, &mut text);
                    let samples = self.window.count(&interval.seconds);
                    // Two blanks and the end of the line.
                    size.bytes += samples * (text.len() as u64 + TIME_DIGITS + 3);
                    size.samples += samples;
                }
            }
        }
        size
    }
}

/// Writes the exposition with its end, and notes after each series how many bytes that
/// makes. An error of the note ends it.
///
/// OpenMetrics requires the samples of a family side by side, and within a
/// series the older sample first. Tenants keep their order.
pub(super) fn write(
    out: &mut impl Write,
    exposition: Exposition<'_>,
    note: impl Fn(u64) -> io::Result<()>,
) -> io::Result<OutputSize> {
    let mut writer = SampleWriter {
        out,
        labels: exposition.labels,
        window: exposition.window,
        written: OutputSize::default(),
        line: Vec::new(),
    };
    for family in exposition.families() {
        writer.put(Format::OpenMetrics.history_header(family).as_bytes())?;
        for (tenant, series) in exposition.of(family) {
            writer.series(&tenant.alias, series)?;
            note(writer.written.bytes)?;
        }
    }
    writer.put(Format::OpenMetrics.trailer())?;
    Ok(writer.written)
}

struct SampleWriter<'a, W> {
    out: &'a mut W,
    labels: &'a [Label],
    window: Window,
    written: OutputSize,
    line: Vec<u8>,
}

impl<W: Write> SampleWriter<'_, W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn series(&mut self, alias: &str, series: &Series) -> io::Result<()> {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        series.write(alias, self.labels, &mut line);
        line.push(b' ');
        let name = line.len();
        for interval in &series.intervals {
            line.truncate(name);
            write_number(interval.value, &mut line);
            line.push(b' ');
            let head = line.len();
            for at in self.window.steps(&interval.seconds) {
                line.truncate(head);
                writeln!(line, "{at}")?;
                self.put(&line)?;
                self.written.samples += 1;
            }
        }
        self.line = line;
        Ok(())
    }
}
