//! What a family of series is.

use super::lines::Lines;
use super::view::{DataView, HealthView};

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Counts since the start of the process.
    Counter,
    /// Always 1; what it says is in its labels.
    Info,
}

/// When a family has series for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// As soon as both lists were refreshed once, with what Graph says of every
    /// tenant that has a score.
    Always,
    /// Only where there is something to say.
    Sometimes,
}

/// What a family is rendered from.
#[derive(Clone, Copy)]
pub enum Render {
    /// What Graph said; rendered when that changes.
    Data(fn(&DataView<'_>, &mut Lines<'_>)),
    /// How the refreshes fare; rendered after each of them.
    Vitals(fn(&HealthView<'_>, &mut Lines<'_>)),
}

/// One family: all that is known of it before there is any data.
pub struct Family {
    /// The name, as samples carry it.
    pub name: &'static str,
    /// Gauge, counter or info.
    pub kind: Kind,
    /// What it means, in what unit, and where it comes from.
    pub help: &'static str,
    /// The labels beside `tenant`, in the order they are written.
    pub labels: &'static [&'static str],
    /// Whether every refreshed tenant has it.
    pub presence: Presence,
    /// How a tenant's samples are written.
    pub render: Render,
}

impl Family {
    /// The name that OpenMetrics wants in the header: without the suffix that
    /// the type implies.
    pub(super) fn openmetrics_name(&self) -> &'static str {
        let suffix = match self.kind {
            Kind::Gauge => "",
            Kind::Counter => "_total",
            Kind::Info => "_info",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }
}
