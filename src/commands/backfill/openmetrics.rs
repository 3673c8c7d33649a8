//! Series as OpenMetrics text for promtool: family by family, each series in
//! order of time.

use super::series::{Series, TenantSeries};
use super::window::Window;
use crate::cli::Label;
use secure_score_exposition::{FAMILIES, Format, write_number};
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

/// Writes the tenants' samples as one exposition with its end.
///
/// OpenMetrics requires the samples of a family side by side, and within a
/// series the older sample first. Tenants keep their order.
pub(super) fn write(
    out: &mut impl Write,
    tenants: &[TenantSeries],
    labels: &[Label],
    window: Window,
) -> io::Result<OutputSize> {
    let mut writer = SampleWriter {
        out,
        labels,
        window,
        written: OutputSize::default(),
        line: Vec::new(),
    };
    for family in FAMILIES {
        let series = || {
            tenants
                .iter()
                .flat_map(|tenant| tenant.of(family).iter().map(move |it| (tenant, it)))
        };
        if series().all(|(_, series)| series.count(window) == 0) {
            continue;
        }
        writer.put(Format::OpenMetrics.header(family).as_bytes())?;
        for (tenant, series) in series() {
            writer.series(&tenant.alias, series)?;
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
