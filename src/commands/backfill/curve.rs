//! What was, as curves: each series with the values it had, and until when.

use super::window::Window;
use secure_score_exposition::PastFamily;
use std::collections::HashMap;
use std::ops::Range;

/// A value, and the seconds for which it held.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    pub(super) seconds: Range<i64>,
    pub(super) value: f64,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    /// Name and labels, as a scrape has them.
    pub(super) series: Box<str>,
    /// In order, none over another.
    pub(super) stretches: Vec<Stretch>,
}

impl Curve {
    /// The value at a second.
    pub(super) fn at(&self, second: i64) -> Option<f64> {
        let place = self
            .stretches
            .partition_point(|it| it.seconds.end <= second);
        let stretch = self.stretches.get(place)?;
        stretch.seconds.contains(&second).then_some(stretch.value)
    }

    /// Every sample of it, oldest first.
    pub(super) fn samples(&self, window: Window) -> impl Iterator<Item = (i64, f64)> {
        self.stretches.iter().flat_map(move |stretch| {
            let value = stretch.value;
            window.moments(&stretch.seconds).map(move |at| (at, value))
        })
    }

    /// How many samples that is.
    pub(super) fn count(&self, window: Window) -> u64 {
        let stretches = self.stretches.iter();
        stretches.map(|it| window.count(&it.seconds)).sum()
    }
}

/// All curves of one tenant, family by family.
///
/// A score changes on few of ninety days and a state hardly ever, so a curve
/// of ninety days takes some hundred bytes, where its samples take megabytes.
#[derive(Debug, Default)]
pub(super) struct Curves {
    /// By the family's place among those with a past; in order within.
    families: Vec<Vec<Curve>>,
}

impl Curves {
    /// The curves of a family.
    pub(super) fn of(&self, family: PastFamily) -> &[Curve] {
        self.families.get(family.place).map_or(&[], Vec::as_slice)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Curve> {
        self.families.iter().flatten()
    }
}

/// Puts curves together from values as they become known, in order of time
/// for each series.
#[derive(Default)]
pub(super) struct Drawing {
    places: HashMap<Box<str>, usize>,
    curves: Vec<(PastFamily, Curve)>,
}

impl Drawing {
    /// The number that stands for a series from now on: a day has a thousand
    /// values, and their names are long.
    pub(super) fn number(&mut self, family: PastFamily, series: &str) -> usize {
        if let Some(place) = self.places.get(series) {
            return *place;
        }
        let place = self.curves.len();
        self.places.insert(series.into(), place);
        let curve = Curve {
            series: series.into(),
            stretches: Vec::new(),
        };
        self.curves.push((family, curve));
        place
    }

    /// Goes on with a series. What begins where the last stretch ended, with
    /// the same value, makes that one longer.
    pub(super) fn draw(&mut self, number: usize, seconds: Range<i64>, value: f64) {
        if seconds.is_empty() {
            return;
        }
        let Some((_, curve)) = self.curves.get_mut(number) else {
            return;
        };
        match curve.stretches.last_mut() {
            Some(last) if last.seconds.end == seconds.start && last.value == value => {
                last.seconds.end = seconds.end;
            }
            _ => curve.stretches.push(Stretch { seconds, value }),
        }
    }

    /// The curves that have a value at all.
    pub(super) fn finish(self) -> Curves {
        let mut curves = Curves::default();
        let drawn = self.curves.into_iter();
        for (family, curve) in drawn.filter(|(_, curve)| !curve.stretches.is_empty()) {
            if curves.families.len() <= family.place {
                curves.families.resize_with(family.place + 1, Vec::new);
            }
            if let Some(family) = curves.families.get_mut(family.place) {
                family.push(curve);
            }
        }
        for family in &mut curves.families {
            family.sort_by(|a, b| a.series.cmp(&b.series));
        }
        curves
    }
}
