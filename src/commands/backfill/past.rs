//! The past of one tenant, put together from its reports and its catalogue.

use super::curve::{Curves, Drawing};
use super::maxima;
use super::window::{DAY, Window, date, midnight, second_from};
use crate::config::TenantRules;
use secure_score_exposition::{PastFamily, Policy, Source, past_families, past_samples};
use secure_score_model::{
    Catalogue, CatalogueEntry, CategoryPins, Report, StateUpdate, TenantSnapshot, Timestamp,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

/// What decides about the series of a tenant.
pub(super) struct Terms {
    /// The value of the label `tenant`.
    pub(super) alias: String,
    /// What the configuration says of controls.
    pub(super) rules: TenantRules,
    /// How many states back are looked at; who and why have no past.
    pub(super) policy: Policy,
    /// The stretch of time.
    pub(super) window: Window,
    /// The present second: what is dated later is not believed.
    pub(super) now: i64,
    /// Whether series of single controls are wanted.
    pub(super) controls: bool,
}

impl Terms {
    /// The families that are wanted, of one source.
    fn families(&self, source: Source) -> Vec<PastFamily> {
        past_families()
            .filter(|it| it.source == source && (self.controls || !it.is_of_controls()))
            .collect()
    }
}

/// What is known of a tenant's past.
#[derive(Debug)]
pub(super) struct Past {
    /// The series.
    pub(super) curves: Curves,
    /// How many days have a report.
    pub(super) days: usize,
    /// The days without one, between the first and the last that have one.
    pub(super) gaps: Vec<String>,
    /// Reports without a day, or of a day to come.
    pub(super) undated: usize,
    /// Things in the reports that could not be read or believed.
    pub(super) skipped: u64,
    /// Graph said that something is missing in its answers, or an element of
    /// them could not be read.
    pub(super) partial: bool,
}

/// Gathers the past of a tenant, page by page.
pub(super) struct Gathering {
    terms: Terms,
    catalogue: Catalogue,
    pins: CategoryPins,
    /// The controls of the catalogue, in lower case.
    listed: HashSet<String>,
    families: Vec<PastFamily>,
    drawing: Drawing,
    days: BTreeMap<i64, Day>,
    /// The first day on which a control was scored, by lower-case id.
    first_scored: HashMap<String, i64>,
    undated: usize,
    skipped: u64,
}

/// A day's values, by the numbers of their series.
struct Day {
    as_of: Timestamp,
    values: Vec<(usize, f64)>,
}

impl Gathering {
    /// Begins with the catalogue: its word on categories wins, as in a scrape.
    pub(super) fn new(terms: Terms, catalogue: Catalogue) -> Self {
        let mut pins = CategoryPins::default();
        pins.learn(&catalogue);
        let ids = catalogue.entries.iter().map(|entry| &entry.id);
        Self {
            listed: ids.map(|id| id.to_ascii_lowercase()).collect(),
            families: terms.families(Source::Reports),
            terms,
            catalogue,
            pins,
            drawing: Drawing::default(),
            days: BTreeMap::new(),
            first_scored: HashMap::new(),
            undated: 0,
            skipped: 0,
        }
    }

    /// Takes in a page of reports, and ends with one that is too old as a
    /// whole: Graph lists the newest first. One old report among newer ones
    /// ends nothing, since nobody promised the order.
    pub(super) fn page(&mut self, reports: Vec<Report>) -> ControlFlow<()> {
        let mut old = 0;
        let all = reports.len();
        for report in reports {
            let Some(as_of) = report.as_of.filter(|it| second_from(*it) <= self.terms.now) else {
                self.undated += 1;
                continue;
            };
            let day = midnight(second_from(as_of));
            match day < self.terms.window.from {
                true => old += 1,
                false => self.report(day, as_of, report),
            }
        }
        match all > 0 && old == all {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Takes in a day. A list that shifts between two pages has one twice; of
    /// two that differ the later is the correction.
    fn report(&mut self, day: i64, as_of: Timestamp, report: Report) {
        if self
            .days
            .get(&day)
            .is_some_and(|known| known.as_of >= as_of)
        {
            return;
        }
        let skipped = report.anomalies.all_skipped();
        self.skipped += skipped.map(|(_, times)| times).sum::<u64>();
        for score in &report.scores {
            let folded = score.id.to_ascii_lowercase();
            let first = self.first_scored.entry(folded).or_insert(day);
            *first = day.min(*first);
        }
        self.pin(&report);
        let catalogue = maxima::of_day(&self.catalogue, &report);
        let report = Some(Arc::new(report));
        let rules = &self.terms.rules;
        let snapshot = TenantSnapshot::join(Some(&catalogue), report, &self.pins, rules);
        let mut values = Vec::new();
        let Terms { alias, policy, .. } = &self.terms;
        past_samples(
            &self.families,
            alias,
            &snapshot,
            policy,
            |family, series, value| {
                values.push((self.drawing.number(family, series), value));
            },
        );
        self.days.insert(day, Day { as_of, values });
    }

    /// Controls that the catalogue does not list any more keep one category,
    /// too: a series must not end because Microsoft moved it.
    fn pin(&mut self, report: &Report) {
        let pinned: HashSet<&str> = self.pins.iter().map(|(id, _)| id).collect();
        let new: Vec<_> = report
            .scores
            .iter()
            .filter(|score| !pinned.contains(&*score.id))
            .filter(|score| !self.listed.contains(&score.id.to_ascii_lowercase()))
            .map(|score| (Arc::clone(&score.id), score.category))
            .collect();
        if new.is_empty() {
            return;
        }
        let known = self.pins.iter().map(|(id, category)| (id.into(), category));
        self.pins = known.chain(new).collect();
    }

    /// Draws the curves.
    pub(super) fn finish(mut self, partial: bool) -> Past {
        let gaps = self.gaps();
        let days = self.days.len();
        self.draw_days();
        for place in 0..self.catalogue.entries.len() {
            self.draw_states(place);
        }
        Past {
            curves: self.drawing.finish(),
            days,
            gaps,
            undated: self.undated,
            skipped: self.skipped,
            partial,
        }
    }

    /// A report holds for its own day. The newest one also holds for the day
    /// after, until Microsoft's daily run brings its successor.
    fn draw_days(&mut self) {
        let newest = self.days.keys().next_back().copied();
        for (day, Day { values, .. }) in std::mem::take(&mut self.days) {
            let holds = if Some(day) == newest { 2 * DAY } else { DAY };
            for (number, value) in values {
                self.drawing.draw(number, day..day + holds, value);
            }
        }
    }

    fn gaps(&self) -> Vec<String> {
        let days = self.days.keys();
        days.clone()
            .zip(days.skip(1))
            .flat_map(|(one, next)| (1..(next - one) / DAY).map(move |gap| date(one + gap * DAY)))
            .collect()
    }

    /// Draws what was declared about a control, from the first change that has
    /// a date: what was before it, nobody can tell.
    ///
    /// A control nobody ever touched was untouched as long as it is scored.
    fn draw_states(&mut self, place: usize) {
        let Some(entry) = self.catalogue.entries.get(place).cloned() else {
            return;
        };
        let end = self.terms.window.to;
        if entry.history.is_empty() {
            let first = self.first_scored.get(&entry.id.to_ascii_lowercase());
            if let Some(first) = first.copied() {
                self.draw_state(&entry, first..end);
            }
            return;
        }
        let changes = entry.history.changes();
        let began = |change: Option<&StateUpdate>| change?.at.map(second_from);
        for (place, change) in changes.iter().enumerate() {
            let Some(from) = began(Some(change)) else {
                continue;
            };
            let until = began(changes.get(place + 1)).unwrap_or(end).min(end);
            let mut then = CatalogueEntry::clone(&entry);
            then.history = entry.history.up_to(place);
            self.draw_state(&Arc::new(then), from..until);
        }
    }

    fn draw_state(&mut self, entry: &Arc<CatalogueEntry>, seconds: Range<i64>) {
        let seconds = seconds.start.max(self.terms.window.from)..seconds.end;
        if seconds.is_empty() {
            return;
        }
        let catalogue = Catalogue {
            entries: vec![Arc::clone(entry)],
            ..Catalogue::default()
        };
        let rules = &self.terms.rules;
        let snapshot = TenantSnapshot::join(Some(&catalogue), None, &self.pins, rules);
        let families = self.terms.families(Source::States);
        let Terms { alias, policy, .. } = &self.terms;
        past_samples(
            &families,
            alias,
            &snapshot,
            policy,
            |family, series, value| {
                let number = self.drawing.number(family, series);
                self.drawing.draw(number, seconds.clone(), value);
            },
        );
    }
}
