//! What a family of series is.

use super::control_labels::{self, ControlLabels};
use super::series_set::{Membership, Part, SeriesSet};
use super::view::{DataView, HealthView, Policy};
use secure_score_model::{Api, Control, Recommendation, RefreshHealth, TenantSnapshot};

/// The family that has the age of cached values.
pub(super) const LAST_REFRESH: &str = "secure_score_last_refresh_success_timestamp_seconds";

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

impl Kind {
    /// Its name.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Info => "info",
        }
    }

    /// The name in an OpenMetrics header: without the suffix that the type
    /// implies.
    pub(super) fn openmetrics_name(self, name: &str) -> &str {
        let suffix = match self {
            Self::Gauge => "",
            Self::Counter => "_total",
            Self::Info => "_info",
        };
        name.strip_suffix(suffix).unwrap_or(name)
    }
}

/// When a family has series for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// As soon as both lists of Secure Score were refreshed once, from properties that Graph
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

/// What a family is rendered from: Graph's answers, when they change, or the
/// results of refreshes, after each of them.
#[derive(Clone, Copy)]
pub enum Render {
    /// One value of the tenant.
    Tenant(fn(&TenantSnapshot) -> Option<f64>),
    /// One value of each selected control; the labels are its id and category.
    Control(fn(&Control, &Policy) -> Option<f64>),
    /// One value of each selected recommendation; the label is its name.
    Recommendation(fn(&Recommendation) -> Option<f64>),
    /// Any samples of Graph's answers.
    Data(fn(&DataView<'_>, &mut Samples<'_>)),
    /// One value of the refreshes of each list; the label is its name.
    List(fn(&RefreshHealth) -> Option<f64>),
    /// Any samples of the tenant's names and refreshes.
    Health(fn(&HealthView<'_>, &mut Samples<'_>)),
}

impl Render {
    /// Writes the samples of Graph's answers.
    fn data(self, view: &DataView<'_>, samples: &mut Samples<'_>) {
        match self {
            Self::Tenant(value) => samples.add_some(&[], value(view.snapshot)),
            Self::Control(value) => {
                for control in view.controls() {
                    if let Some(value) = value(&control, view.policy) {
                        samples.add_of_control(&control.labels, &[], value);
                    }
                }
            }
            Self::Recommendation(value) => {
                for recommendation in view.recommendations() {
                    samples.add_some(&[&recommendation.entry.name], value(recommendation));
                }
            }
            Self::Data(write) => write(view, samples),
            Self::List(_) | Self::Health(_) => {}
        }
    }

    /// Writes the samples of names and refreshes.
    fn health(self, view: &HealthView<'_>, samples: &mut Samples<'_>) {
        match self {
            Self::List(value) => {
                for (api, health) in view.health.lists() {
                    samples.add_some(&[api.as_str()], value(health));
                }
            }
            Self::Health(write) => write(view, samples),
            Self::Tenant(_) | Self::Control(_) | Self::Recommendation(_) | Self::Data(_) => {}
        }
    }
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
    /// Which sets of series have it.
    pub membership: Membership,
    /// The lists of Graph from whose last refresh its values are cached; none where
    /// they are of the refreshes themselves.
    pub cached_from: &'static [Api],
    /// What its values of past days are known from, where they are known.
    pub past: Option<PastSource>,
    /// How a tenant's samples are written.
    pub render: Render,
}

impl Family {
    /// Names the lists from whose last refresh the values are cached.
    pub(super) const fn cached_from(mut self, lists: &'static [Api]) -> Self {
        self.cached_from = lists;
        self
    }

    /// Marks the family as one with a past.
    pub(super) const fn with_past(mut self, source: PastSource) -> Self {
        self.past = Some(source);
        self
    }

    /// The HELP of a scrape: what the family means, and how old a value may be.
    pub(super) fn scrape_help(&self) -> String {
        let lists = match self.cached_from {
            [] => return self.help.to_owned(),
            [list] => list.as_str().to_owned(),
            [first, second] => format!("{} and {}", first.as_str(), second.as_str()),
            _ => "the list".to_owned(),
        };
        format!(
            "{} Cached from the last refresh of {lists}, for refresh.max_staleness at most: see {LAST_REFRESH}.",
            self.help
        )
    }

    /// Writes the samples of Graph's answers that the set of series has.
    pub(super) fn write_data(&'static self, view: &DataView<'_>, sink: &mut dyn SampleSink) {
        let part = view.policy.series.part_of(self.membership);
        let view = match part {
            Part::Declared => &view.declared(),
            Part::ScoredOrDeclared => &view.scored_or_declared(),
            Part::Nothing | Part::Nonzero | Part::Whole => view,
        };
        self.write(part, sink, |render, samples| render.data(view, samples));
    }

    /// Writes the samples of names and refreshes that the set of series has.
    pub(super) fn write_health(
        &'static self,
        view: &HealthView<'_>,
        series: SeriesSet,
        sink: &mut dyn SampleSink,
    ) {
        let part = series.part_of(self.membership);
        self.write(part, sink, |render, samples| render.health(view, samples));
    }

    fn write(
        &'static self,
        part: Part,
        sink: &mut dyn SampleSink,
        write: impl Fn(Render, &mut Samples<'_>),
    ) {
        if part != Part::Nothing {
            write(self.render, &mut Samples::new(self, part, sink));
        }
    }

    /// Whether its series are of controls, of which a tenant has hundreds.
    pub fn is_of_controls(&self) -> bool {
        self.labels.contains(&"control")
    }
}

/// Receives samples: as text for a scrape, as history for a backfill.
///
/// Every output takes its samples from the same functions, so that labels and
/// values agree between them.
pub trait SampleSink {
    /// One sample. `labels` stand in the order of the family's label names; an
    /// empty value means that the series lacks the label.
    fn sample(&mut self, family: &'static Family, labels: &[&str], value: f64);

    /// One sample of a control, whose labels stand before `more` ones.
    fn control_sample(
        &mut self,
        family: &'static Family,
        control: &ControlLabels<'_>,
        more: &[&str],
        value: f64,
    ) {
        self.sample(family, &[&control.values, more].concat(), value);
    }
}

/// Passes the samples of one family on to a sink.
pub struct Samples<'a> {
    family: &'static Family,
    has_zeros: bool,
    sink: &'a mut dyn SampleSink,
}

impl<'a> Samples<'a> {
    /// The samples of a part of a family.
    pub(super) fn new(family: &'static Family, part: Part, sink: &'a mut dyn SampleSink) -> Self {
        Self {
            family,
            has_zeros: part != Part::Nonzero,
            sink,
        }
    }

    /// One sample. A value that is no finite number is left out: missing is
    /// shown by absence. So is a zero where the set of series has none of the
    /// family.
    pub(super) fn add(&mut self, labels: &[&str], value: f64) {
        let names = self.family.labels;
        debug_assert_eq!(labels.len(), names.len(), "{}", self.family.name);
        if self.has(value) {
            self.sink.sample(self.family, labels, value);
        }
    }

    /// The same of a control, whose labels stand before `more` ones.
    pub(super) fn add_of_control(
        &mut self,
        control: &ControlLabels<'_>,
        more: &[&str],
        value: f64,
    ) {
        let names = self.family.labels;
        debug_assert!(names.starts_with(&control_labels::NAMES), "{names:?}");
        debug_assert_eq!(control.values.len() + more.len(), names.len(), "{names:?}");
        if self.has(value) {
            self.sink.control_sample(self.family, control, more, value);
        }
    }

    fn has(&self, value: f64) -> bool {
        value.is_finite() && (self.has_zeros || value != 0.0)
    }

    /// A sample where there is a value.
    pub(super) fn add_some(&mut self, labels: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.add(labels, value);
        }
    }
}
