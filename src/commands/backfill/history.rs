//! The history of one tenant, from its daily reports and its catalogue.

use super::max_scores;
use super::series::{NumberedValue, NumberedValues, SeriesBuilder, TenantSeries};
use super::window::{DAY, Window, midnight, second_from};
use crate::config::TenantRules;
use crate::serde_time::Day as Date;
use secure_score_exposition::{FAMILIES, PastSource, Policy, send_samples};
use secure_score_model::{
    Catalogue, CatalogueEntry, CategoryPins, Report, StateUpdate, TenantSnapshot, Timestamp,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

/// What decides about the series of a tenant.
pub(super) struct HistoryOptions {
    /// The value of the label `tenant`.
    pub(super) alias: String,
    /// The configuration's rules about controls.
    pub(super) rules: TenantRules,
    /// The lookback; persons and comments have no past.
    pub(super) policy: Policy,
    /// The time that is covered.
    pub(super) window: Window,
    /// Whether series of single controls are included.
    pub(super) controls: bool,
}

/// The history of a tenant.
pub(super) struct TenantHistory {
    /// The series.
    pub(super) series: TenantSeries,
    /// The number of days with a report.
    pub(super) days: usize,
    /// The days without a report between the first and the last report.
    pub(super) gaps: Vec<String>,
    /// The number of reports without a date or with a future date.
    pub(super) undated: usize,
    /// The number of unreadable or absurd values in the reports.
    pub(super) skipped: u64,
    /// Graph marked an answer as partial, or an element of it is unreadable.
    pub(super) partial: bool,
}

/// Builds the history of a tenant page by page.
pub(super) struct HistoryBuilder {
    options: HistoryOptions,
    catalogue: Catalogue,
    pins: CategoryPins,
    /// The controls of the catalogue, in lower case.
    listed: HashSet<String>,
    builder: SeriesBuilder,
    days: BTreeMap<i64, Day>,
    /// The first day on which a control was scored, by lower-case id.
    first_scored: HashMap<String, i64>,
    undated: usize,
    skipped: u64,
}

/// The values of a day.
struct Day {
    as_of: Timestamp,
    values: Vec<NumberedValue>,
}

impl HistoryBuilder {
    /// Begins with the catalogue: its categories win, as in a scrape.
    pub(super) fn new(options: HistoryOptions, catalogue: Catalogue) -> Self {
        let mut pins = CategoryPins::default();
        pins.learn(&catalogue);
        let ids = catalogue.entries.iter().map(|entry| &entry.id);
        Self {
            listed: ids.map(|id| id.to_ascii_lowercase()).collect(),
            options,
            catalogue,
            pins,
            builder: SeriesBuilder::default(),
            days: BTreeMap::new(),
            first_scored: HashMap::new(),
            undated: 0,
            skipped: 0,
        }
    }

    /// Adds a page of reports. Breaks after a page on which every report is too
    /// old: Graph lists the newest first. A single old report does not break,
    /// because the order is not documented.
    pub(super) fn add_page(&mut self, reports: Vec<Report>) -> ControlFlow<()> {
        let mut old = 0;
        let all = reports.len();
        for report in reports {
            let Some(as_of) = report
                .as_of
                .filter(|it| second_from(*it) <= self.options.window.now)
            else {
                self.undated += 1;
                continue;
            };
            let day = midnight(second_from(as_of));
            match day < self.options.window.from {
                true => old += 1,
                false => self.add_report(day, as_of, report),
            }
        }
        match all > 0 && old == all {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Adds the report of a day. A list that shifts between two pages repeats a
    /// report; of two different reports of one day the later is the correction.
    fn add_report(&mut self, day: i64, as_of: Timestamp, report: Report) {
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
        let catalogue = max_scores::of_day(&self.catalogue, &report);
        let report = Some(Arc::new(report));
        let rules = &self.options.rules;
        let snapshot = TenantSnapshot::join(Some(&catalogue), report, &self.pins, rules);
        let values = self.values(PastSource::Reports, &snapshot);
        self.days.insert(day, Day { as_of, values });
    }

    /// The values of a snapshot in the included families of one source.
    fn values(&mut self, source: PastSource, snapshot: &TenantSnapshot) -> Vec<NumberedValue> {
        let controls = self.options.controls;
        let families = FAMILIES
            .iter()
            .filter(|family| family.past == Some(source) && (controls || !family.is_of_controls()));
        let mut sink = NumberedValues {
            builder: &mut self.builder,
            values: Vec::new(),
        };
        send_samples(families, snapshot, &self.options.policy, &mut sink);
        sink.values
    }

    /// Pins the category of controls that left the catalogue: a series must not
    /// end because Microsoft moved its control.
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

    /// The history from everything added.
    pub(super) fn finish(mut self, partial: bool) -> TenantHistory {
        let gaps = self.gaps();
        let days = self.days.len();
        self.add_days();
        for place in 0..self.catalogue.entries.len() {
            self.add_states(place);
        }
        TenantHistory {
            series: self.builder.finish(self.options.alias),
            days,
            gaps,
            undated: self.undated,
            skipped: self.skipped,
            partial,
        }
    }

    /// A report holds for its own day. The newest one also holds for the next
    /// day, until Microsoft's daily run publishes its successor.
    fn add_days(&mut self) {
        let newest = self.days.keys().next_back().copied();
        for (day, Day { values, .. }) in std::mem::take(&mut self.days) {
            let holds = if Some(day) == newest { 2 * DAY } else { DAY };
            for (number, value) in values {
                self.builder.add(number, day..day + holds, value);
            }
        }
    }

    fn gaps(&self) -> Vec<String> {
        let date = |second| Date::beginning(Timestamp::from_seconds(second)).to_string();
        let days = self.days.keys();
        let pairs = days.clone().zip(days.skip(1));
        pairs
            .flat_map(|(one, next)| (1..(next - one) / DAY).map(move |gap| date(one + gap * DAY)))
            .collect()
    }

    /// Adds the states of a control from its first change with a date; earlier
    /// states are unknown, and so is one before a change without a date. If the
    /// dates are not in order, no state is added.
    ///
    /// A control without a history was *to address* since it was first scored.
    fn add_states(&mut self, place: usize) {
        let Some(entry) = self.catalogue.entries.get(place).cloned() else {
            return;
        };
        let end = self.options.window.to;
        if entry.history.is_empty() {
            let first = self.first_scored.get(&entry.id.to_ascii_lowercase());
            if let Some(first) = first.copied() {
                self.add_state(&entry, first..end);
            }
            return;
        }
        let changes = entry.history.changes();
        if !changes.iter().filter_map(|change| change.at).is_sorted() {
            return;
        }
        let began = |change: &StateUpdate| change.at.map(second_from);
        for (place, change) in changes.iter().enumerate() {
            let until = changes.get(place + 1).map_or(Some(end), began);
            let (Some(from), Some(until)) = (began(change), until) else {
                continue;
            };
            let until = until.min(end);
            let mut then = CatalogueEntry::clone(&entry);
            then.history = entry.history.up_to(place);
            self.add_state(&Arc::new(then), from..until);
        }
    }

    fn add_state(&mut self, entry: &Arc<CatalogueEntry>, seconds: Range<i64>) {
        let seconds = seconds.start.max(self.options.window.from)..seconds.end;
        if seconds.is_empty() {
            return;
        }
        let catalogue = Catalogue {
            entries: vec![Arc::clone(entry)],
            ..Catalogue::default()
        };
        let rules = &self.options.rules;
        let snapshot = TenantSnapshot::join(Some(&catalogue), None, &self.pins, rules);
        for (number, value) in self.values(PastSource::States, &snapshot) {
            self.builder.add(number, seconds.clone(), value);
        }
    }
}
