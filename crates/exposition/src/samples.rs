//! Where the samples of a tenant go.

use super::family::Family;

/// Receives samples: as text for a scrape, as history for a backfill.
///
/// Every output takes its samples from the same functions, so that labels and
/// values agree between them.
pub trait SampleSink {
    /// One sample. `labels` stand in the order of the family's label names; an
    /// empty value means that the series lacks the label.
    fn sample(&mut self, family: &'static Family, labels: &[&str], value: f64);
}

/// Passes the samples of one family on to a sink.
pub struct Samples<'a> {
    family: &'static Family,
    sink: &'a mut dyn SampleSink,
}

impl<'a> Samples<'a> {
    pub(super) fn new(family: &'static Family, sink: &'a mut dyn SampleSink) -> Self {
        Self { family, sink }
    }

    /// One sample. A value that is no finite number is left out: missing is
    /// shown by absence.
    pub(super) fn add(&mut self, labels: &[&str], value: f64) {
        debug_assert_eq!(
            labels.len(),
            self.family.labels.len(),
            "{}",
            self.family.name
        );
        if value.is_finite() {
            self.sink.sample(self.family, labels, value);
        }
    }

    /// A sample where there is a value.
    pub(super) fn add_some(&mut self, labels: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.add(labels, value);
        }
    }

    /// A sample of 1 or 0.
    pub(super) fn flag(&mut self, labels: &[&str], set: bool) {
        self.add(labels, f64::from(u8::from(set)));
    }
}
