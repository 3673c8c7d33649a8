//! The two text formats, and a whole exposition in either.

use super::catalogue::FAMILIES;
use super::chunk::Chunk;
use super::family::{Family, Kind};
use bytes::Bytes;
use std::sync::Arc;

/// A format Prometheus reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Text, Self::OpenMetrics];

    /// The `Content-Type` of an answer. The names consist of letters, digits
    /// and underscores, so every escaping scheme leaves them as they are.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
            }
        }
    }

    /// The end of an exposition.
    pub const fn trailer(self) -> &'static [u8] {
        match self {
            Self::Text => b"",
            Self::OpenMetrics => b"# EOF\n",
        }
    }

    /// A family's header lines in a scrape.
    pub fn header(self, family: &Family) -> String {
        header(self, family.name, family.kind, &family.scrape_help())
    }

    /// A family's header lines in a history, whose values are not cached.
    pub fn history_header(self, family: &Family) -> String {
        header(self, family.name, family.kind, family.help)
    }
}

/// The header lines of a family with this name.
pub(super) fn header(format: Format, name: &str, kind: Kind, help: &str) -> String {
    let (name, kind) = match (format, kind) {
        (Format::OpenMetrics, kind) => (kind.openmetrics_name(name), kind),
        (Format::Text, Kind::Info) => (name, Kind::Gauge),
        (Format::Text, kind) => (name, kind),
    };
    let kind = kind.as_str();
    format!("# HELP {name} {help}\n# TYPE {name} {kind}\n")
}

/// The header lines of each family in both formats, formatted once. The server
/// keeps them for its scrapes.
#[derive(Debug, Clone)]
pub struct FamilyHeaders([Arc<[Bytes]>; 2]);

impl Default for FamilyHeaders {
    fn default() -> Self {
        Self(Format::ALL.map(|format| {
            let families = FAMILIES.iter();
            families.map(|it| format.header(it).into()).collect()
        }))
    }
}

impl FamilyHeaders {
    /// Those of a format, in the order of the table.
    pub(super) fn of(&self, format: Format) -> &[Bytes] {
        let [text, openmetrics] = &self.0;
        match format {
            Format::Text => text,
            Format::OpenMetrics => openmetrics,
        }
    }
}

/// All tenants' chunks in the order of the format: family by family, the
/// tenants of a family side by side, without families that have no sample. No
/// line is copied. The caller appends the exporter's own families and the
/// trailer.
pub fn assemble<'a>(
    headers: &FamilyHeaders,
    format: Format,
    tenants: impl Iterator<Item = (&'a Chunk, &'a Chunk)> + Clone,
) -> Vec<Bytes> {
    let mut parts = Vec::new();
    for (index, header) in headers.of(format).iter().enumerate() {
        let mut lines = tenants
            .clone()
            .flat_map(|(data, health_lines)| [data.family(index), health_lines.family(index)])
            .filter(|lines| !lines.is_empty())
            .peekable();
        if lines.peek().is_some() {
            parts.push(header.clone());
            parts.extend(lines);
        }
    }
    parts
}
