//! Series with a past: the values each had, and when.

use super::window::Window;
use crate::cli::Label;
use crate::tsdb::Run;
use secure_score_exposition::{
    Family, SampleSink, series_labels, shown, write_label, write_series,
};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Separates label values in a key. Prometheus' form of a label value has no
/// control character but the line feed.
const SEPARATOR: char = '\u{1f}';

/// Milliseconds of a second.
const MILLISECONDS: i64 = 1_000;

/// A value, and the seconds for which it held.
pub(super) struct Interval {
    pub(super) seconds: Range<i64>,
    pub(super) value: f64,
}

/// One series of a tenant.
pub(super) struct Series {
    pub(super) family: &'static Family,
    /// The label values, joined by the separator.
    labels: Box<str>,
    /// In order, without overlaps.
    pub(super) intervals: Vec<Interval>,
}

impl Series {
    fn label_values(&self) -> impl Iterator<Item = &str> {
        self.labels.split(SEPARATOR)
    }

    /// Its labels and `added` ones, the name as `__name__`.
    pub(super) fn labels(&self, tenant: &str, added: &[Label]) -> Vec<(String, String)> {
        let mut labels = series_labels(self.family, tenant, self.label_values());
        labels.extend(added.iter().cloned());
        labels
    }

    /// Writes name, labels and `added` labels as a sample line begins.
    pub(super) fn write(&self, tenant: &str, added: &[Label], line: &mut Vec<u8>) {
        write_series(self.family, tenant, self.label_values(), line);
        for (name, value) in added {
            write_label(name, value, line);
        }
        line.push(b'}');
    }

    /// The series as a reader of metrics writes it.
    pub(super) fn name(&self, tenant: &str) -> String {
        let mut name = Vec::new();
        self.write(tenant, &[], &mut name);
        String::from_utf8_lossy(&name).into_owned()
    }

    /// The value at a second.
    pub(super) fn at(&self, second: i64) -> Option<f64> {
        let place = self
            .intervals
            .partition_point(|it| it.seconds.end <= second);
        let interval = self.intervals.get(place)?;
        interval.seconds.contains(&second).then_some(interval.value)
    }

    /// Its samples, oldest first.
    pub(super) fn samples(&self, window: Window) -> impl Iterator<Item = (i64, f64)> {
        self.intervals.iter().flat_map(move |interval| {
            let value = interval.value;
            window.steps(&interval.seconds).map(move |at| (at, value))
        })
    }

    /// Its samples in a block: a run for each interval.
    pub(super) fn runs(&self, block: Window) -> impl Iterator<Item = Run> {
        self.intervals.iter().filter_map(move |interval| {
            Some(Run {
                first: block.steps(&interval.seconds).next()? * MILLISECONDS,
                step: block.step * MILLISECONDS,
                samples: block.count(&interval.seconds),
                value: interval.value,
            })
        })
    }

    /// The number of its samples.
    pub(super) fn count(&self, window: Window) -> u64 {
        let intervals = self.intervals.iter();
        intervals.map(|it| window.count(&it.seconds)).sum()
    }
}

/// The series of one tenant by family.
///
/// A score changes on few of ninety days and a state hardly ever. A series of
/// ninety days takes some hundred bytes; its samples take megabytes.
#[derive(Default)]
pub(super) struct TenantSeries {
    pub(super) alias: String,
    families: BTreeMap<&'static str, Vec<Series>>,
}

impl TenantSeries {
    /// The series of a family, in order of their labels.
    pub(super) fn of(&self, family: &Family) -> &[Series] {
        self.families.get(family.name).map_or(&[], Vec::as_slice)
    }

    /// Every series.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Series> {
        self.families.values().flatten()
    }
}

/// Identifies a series in a builder.
type SeriesNumber = usize;

/// A value of a series.
pub(super) type NumberedValue = (SeriesNumber, f64);

/// Builds series from values that arrive in order of time.
#[derive(Default)]
pub(super) struct SeriesBuilder {
    /// By family name and label values.
    numbers: HashMap<(&'static str, Box<str>), SeriesNumber>,
    series: Vec<Series>,
}

impl SeriesBuilder {
    /// The number of a series: a day has a thousand values, and label values
    /// are long.
    fn number(&mut self, family: &'static Family, labels: &[&str]) -> SeriesNumber {
        let values: Vec<_> = labels.iter().map(|value| shown(value)).collect();
        let labels: Box<str> = values.join(SEPARATOR.encode_utf8(&mut [0; 4])).into();
        let series = &mut self.series;
        let number = self.numbers.entry((family.name, labels.clone()));
        *number.or_insert_with(|| {
            series.push(Series {
                family,
                labels,
                intervals: Vec::new(),
            });
            series.len() - 1
        })
    }

    /// Adds a value. A value that begins where the last interval ends, and
    /// equals its value, extends that interval.
    pub(super) fn add(&mut self, number: SeriesNumber, seconds: Range<i64>, value: f64) {
        if seconds.is_empty() {
            return;
        }
        let Some(series) = self.series.get_mut(number) else {
            return;
        };
        match series.intervals.last_mut() {
            Some(last) if last.seconds.end == seconds.start && last.value == value => {
                last.seconds.end = seconds.end;
            }
            _ => series.intervals.push(Interval { seconds, value }),
        }
    }

    /// The series that have a value.
    pub(super) fn finish(self, alias: String) -> TenantSeries {
        let mut families: BTreeMap<&'static str, Vec<Series>> = BTreeMap::new();
        let filled = self.series.into_iter();
        for series in filled.filter(|series| !series.intervals.is_empty()) {
            families.entry(series.family.name).or_default().push(series);
        }
        for series in families.values_mut() {
            series.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        TenantSeries { alias, families }
    }
}

/// Collects the values of one snapshot.
pub(super) struct NumberedValues<'a> {
    pub(super) builder: &'a mut SeriesBuilder,
    pub(super) values: Vec<NumberedValue>,
}

impl SampleSink for NumberedValues<'_> {
    fn sample(&mut self, family: &'static Family, labels: &[&str], value: f64) {
        let number = self.builder.number(family, labels);
        self.values.push((number, value));
    }
}
