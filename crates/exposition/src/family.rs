//! What a family of series is.

use super::samples::Samples;
use super::view::{DataView, HealthView};

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A count since the start of the process.
    Counter,
    /// Always 1; the labels carry the information.
    Info,
}

/// When a family has series for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// As soon as both lists were refreshed once, from properties that Graph
    /// sends for every tenant with a score.
    Always,
    /// Only where the tenant, its controls or the configuration have the property.
    Sometimes,
}

/// What the past values of a family are known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastSource {
    /// The reports Graph keeps, one a day.
    Reports,
    /// The histories of states in the catalogue.
    States,
}

/// What a family is rendered from.
#[derive(Clone, Copy)]
pub enum Render {
    /// Graph's answers; rendered when they change.
    Data(fn(&DataView<'_>, &mut Samples<'_>)),
    /// The results of refreshes; rendered after each of them.
    Health(fn(&HealthView<'_>, &mut Samples<'_>)),
}

/// One family of series, as declared in the table.
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
    /// What its values of past days are known from, where they are known.
    pub past: Option<PastSource>,
    /// How a tenant's samples are written.
    pub render: Render,
}

impl Family {
    /// Marks the family as one with a past.
    pub(super) const fn with_past(mut self, source: PastSource) -> Self {
        self.past = Some(source);
        self
    }

    /// Whether its series are of controls, of which a tenant has hundreds.
    pub fn is_of_controls(&self) -> bool {
        self.labels.contains(&"control")
    }

    /// The name in an OpenMetrics header: without the suffix that the type
    /// implies.
    pub(super) fn openmetrics_name(&self) -> &'static str {
        let suffix = match self.kind {
            Kind::Gauge => "",
            Kind::Counter => "_total",
            Kind::Info => "_info",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }
}
