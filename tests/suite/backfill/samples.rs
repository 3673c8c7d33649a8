//! Samples of an exposition or of promtool's dump.

use std::collections::BTreeMap;

/// Each series with its moments (seconds) and values.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Samples(BTreeMap<String, Vec<(i64, f64)>>);

impl Samples {
    /// Of the text promtool is given.
    pub(super) fn of_openmetrics(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut samples = Self::default();
        for line in lines {
            let (head, at) = line.rsplit_once(' ').unwrap();
            let (series, value) = head.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap();
            samples.add(name, labels, at.parse().unwrap(), value);
        }
        samples
    }

    /// Of what `promtool tsdb dump` prints, milliseconds and all.
    pub(super) fn of_dump(text: &str) -> Self {
        let mut samples = Self::default();
        for line in text.lines() {
            let (head, at) = line.rsplit_once(' ').unwrap();
            let (series, value) = head.rsplit_once(' ').unwrap();
            let rest = series.strip_prefix("{__name__=\"").unwrap();
            let (name, labels) = rest.split_once("\", ").unwrap();
            let at: i64 = at.parse().unwrap();
            assert_eq!(at % 1_000, 0, "whole seconds went in: {line}");
            samples.add(name, &labels.replace(", ", ","), at / 1_000, value);
        }
        samples
    }

    fn add(&mut self, name: &str, labels: &str, at: i64, value: &str) {
        let mut labels: Vec<&str> = labels.trim_end_matches('}').split("\",").collect();
        if let Some(last) = labels.last_mut() {
            *last = last.trim_end_matches('"');
        }
        labels.sort_unstable();
        let series = format!("{name}{{{}\"}}", labels.join("\","));
        let values = self.0.entry(series).or_default();
        values.push((at, value.parse().unwrap()));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Vec<(i64, f64)>)> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    pub(super) fn of(&self, series: &str) -> &[(i64, f64)] {
        let found = self.0.get(series);
        found.unwrap_or_else(|| {
            let near: Vec<_> = self.0.keys().take(5).collect();
            panic!("no {series}; there are {near:?} …")
        })
    }

    /// Puts each series in order of time, as blocks come in no order.
    pub(super) fn sorted(mut self) -> Self {
        for values in self.0.values_mut() {
            values.sort_by_key(|(at, _)| *at);
        }
        self
    }

    /// Asserts that both have the same samples; prints the first differences.
    pub(super) fn assert_same(&self, other: &Self) {
        let mine: Vec<_> = self
            .0
            .keys()
            .filter(|it| !other.0.contains_key(*it))
            .collect();
        let theirs: Vec<_> = other
            .0
            .keys()
            .filter(|it| !self.0.contains_key(*it))
            .collect();
        assert!(mine.is_empty() && theirs.is_empty(), "{mine:?} {theirs:?}");
        for (series, values) in &self.0 {
            assert!(values == &other.0[series], "{series} differs");
        }
    }
}
