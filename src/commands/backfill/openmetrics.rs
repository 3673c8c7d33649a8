//! The text promtool takes: family by family, each series in order of time.

use super::curve::{Curve, Curves};
use super::window::Window;
use crate::cli::Label;
use secure_score_exposition::{Format, escape, number, past_families};
use std::io::{self, Write};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Written {
    pub(super) samples: u64,
    pub(super) bytes: u64,
}

/// Writes the tenants' samples as one exposition, to its end.
///
/// OpenMetrics wants all of a family side by side, and within a series the
/// older sample first. Tenants are written in the order given.
pub(super) fn write(
    out: &mut impl Write,
    tenants: &[Curves],
    labels: &[Label],
    window: Window,
) -> io::Result<Written> {
    let mut sheet = Sheet {
        out,
        labels: rendered(labels),
        window,
        written: Written::default(),
        line: Vec::new(),
    };
    for family in past_families() {
        let curves = || tenants.iter().flat_map(|it| it.of(family));
        if curves().all(|curve| curve.count(window) == 0) {
            continue;
        }
        sheet.put(family.header().as_bytes())?;
        for curve in curves() {
            sheet.curve(curve)?;
        }
    }
    sheet.put(Format::OpenMetrics.trailer())?;
    Ok(sheet.written)
}

struct Sheet<'a, W> {
    out: &'a mut W,
    labels: Vec<u8>,
    window: Window,
    written: Written,
    line: Vec<u8>,
}

impl<W: Write> Sheet<'_, W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn curve(&mut self, curve: &Curve) -> io::Result<()> {
        let mut line = std::mem::take(&mut self.line);
        let open = curve.series.strip_suffix('}').unwrap_or(&curve.series);
        for stretch in &curve.stretches {
            line.clear();
            line.extend_from_slice(open.as_bytes());
            line.extend_from_slice(&self.labels);
            line.extend_from_slice(b"} ");
            number(stretch.value, &mut line);
            line.push(b' ');
            let head = line.len();
            for at in self.window.moments(&stretch.seconds) {
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

/// Labels to stand behind the series' own.
fn rendered(labels: &[Label]) -> Vec<u8> {
    let mut text = Vec::new();
    for label in labels {
        text.push(b',');
        text.extend_from_slice(label.name.as_bytes());
        text.extend_from_slice(b"=\"");
        escape(&label.value, &mut text);
        text.push(b'"');
    }
    text
}
