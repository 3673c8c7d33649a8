//! The data of an invented tenant: the shared catalogue and what differs from it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::calendar::Calendar;
use super::catalogue::{self, Entry, Gauge};
use super::character::{Character, is_risk_policy};
use super::dice::{between, roll};
use super::history::{self, Update};
use super::measure::Share;
use super::tenant::{ProfilesPage, Records};
use super::{day, past, profile, report};

/// How many daily reports are kept.
pub(super) const REPORTS: usize = 90;

/// An invented tenant.
///
/// Scores, texts and past days are worked out when asked for; stored is only
/// what somebody changed. A thousand tenants therefore cost little.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) entra_id: String,
    pub(super) character: &'static Character,
    seed: u64,
    /// The newest day at the start, which the curve of the scores hangs on.
    anchor: Timestamp,
    calendar: Calendar,
    histories: BTreeMap<usize, Vec<Update>>,
    /// The controls with a ready-made history; no gap in a licence takes them.
    kept: BTreeSet<usize>,
    shares: BTreeMap<usize, Share>,
    odd_profiles: BTreeMap<usize, Value>,
    odd_scores: BTreeMap<usize, Value>,
}

impl Made {
    pub(super) fn new(
        name: &str,
        entra_id: String,
        character: &'static Character,
        seed: u64,
        (now, newest_change): (Timestamp, Timestamp),
    ) -> Self {
        let past = |entry: &Entry| match name == character.name {
            true => past::changes(name, entry.id, newest_change),
            false => past::common_changes(seed, entry.id, newest_change),
        };
        let entries = catalogue::entries().iter().enumerate();
        let histories: BTreeMap<_, _> = entries
            .map(|(index, entry)| (index, past(entry)))
            .filter(|(_, changes)| !changes.is_empty())
            .collect();
        Self {
            entra_id,
            character,
            seed,
            anchor: day::newest(now),
            calendar: Calendar::new(name, seed, day::newest(now)),
            kept: histories.keys().copied().collect(),
            histories,
            shares: BTreeMap::new(),
            odd_profiles: BTreeMap::new(),
            odd_scores: BTreeMap::new(),
        }
    }

    /// The controls of its catalogue.
    fn listed(&self) -> impl Iterator<Item = (usize, &'static Entry)> {
        let entries = catalogue::entries().iter().enumerate();
        entries.filter(|(index, entry)| {
            self.kept.contains(index) || self.character.lists(self.seed, *index, entry)
        })
    }

    /// The controls that bring points.
    pub(super) fn scored(&self) -> impl Iterator<Item = (usize, &'static Entry)> {
        self.listed().filter(|(index, entry)| {
            self.kept.contains(index) || self.character.scores(self.seed, *index, entry)
        })
    }

    /// Those of them that did so on a day.
    ///
    /// Microsoft adds controls, and a tenant's maximum grows with them.
    pub(super) fn scored_on(
        &self,
        day: Timestamp,
    ) -> impl Iterator<Item = (usize, &'static Entry)> {
        self.scored().filter(move |(index, _)| {
            self.kept.contains(index) || self.calendar.scores(*index, day)
        })
    }

    /// Which days have a report, and what they count.
    pub(super) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// What stands in place of a score of the newest report.
    pub(super) fn odd_score(&self, index: usize) -> Option<&Value> {
        self.odd_scores.get(&index)
    }

    /// How far a control was done on a day.
    ///
    /// Two states give full points unseen, and only from the next daily run
    /// on: points follow a change of state by up to a day.
    pub(super) fn share(&self, index: usize, entry: &Entry, day: Timestamp, newest: bool) -> Share {
        let day = self.calendar.counted(day);
        let set = self.shares.get(&index).filter(|_| newest);
        if let Some(share) = set {
            return *share;
        }
        let changes = self
            .histories
            .get(&index)
            .map_or(&[] as &[Update], Vec::as_slice);
        match history::state_at(changes, day) {
            Some("ThirdParty" | "Reviewed") => Share::FULL,
            _ => self.measured(index, entry, day::distance(day, self.anchor)),
        }
    }

    fn measured(&self, index: usize, entry: &Entry, days_ago: i64) -> Share {
        let ago = u64::try_from(days_ago).unwrap_or(0);
        let done = self.is_done(index, entry);
        match entry.gauge {
            Gauge::Switch | Gauge::Plain => {
                let since = between(self.seed, "since", index as u64, 5, 400);
                if done && ago < since {
                    Share::FULL
                } else {
                    Share::NONE
                }
            }
            Gauge::Users | Gauge::Devices | Gauge::Count => self.grown(index, entry, done, ago),
        }
    }

    /// A population that was covered little by little.
    fn grown(&self, index: usize, entry: &Entry, done: bool, days_ago: u64) -> Share {
        let part = between(self.seed, "part", index as u64, 1500, 9300);
        let now = if done { 10_000 } else { part };
        let gain = roll(self.seed, "gain", index as u64) % 1800;
        let then = now.saturating_sub(gain * days_ago / REPORTS as u64);
        let population = self.population(entry);
        Share::of_count(population * then / 10_000, population)
    }

    fn is_done(&self, index: usize, entry: &Entry) -> bool {
        let lucky = roll(self.seed, "done", index as u64) % 100 < self.character.maturity;
        lucky && !is_risk_policy(entry.id)
    }

    /// How many users, devices or administrators a control is about.
    pub(super) fn population(&self, entry: &Entry) -> u64 {
        match entry.gauge {
            Gauge::Devices => self.character.devices,
            Gauge::Count => 4,
            Gauge::Users if entry.id.contains("Admin") => 7,
            Gauge::Switch | Gauge::Users | Gauge::Plain => self.character.users,
        }
    }

    /// The day before which nothing was synchronised yet, per product.
    pub(super) fn sync_lag(&self, entry: &Entry) -> u64 {
        let product = entry.service.len() as u64;
        between(self.seed, "sync", product, 30 * 60, 40 * 60 * 60)
    }

    fn render_profile(&self, index: usize, entry: &'static Entry) -> Value {
        let odd = self.odd_profiles.get(&index).cloned();
        odd.unwrap_or_else(|| {
            let changes = self
                .histories
                .get(&index)
                .map_or(&[] as &[Update], Vec::as_slice);
            profile::render(
                entry,
                index,
                &self.entra_id,
                changes,
                self.character.bare_numbers,
            )
        })
    }
}

impl Records for Made {
    fn profiles(&self, start: usize, size: usize) -> ProfilesPage {
        let total = self.listed().count();
        let on_page = self.listed().skip(start).take(size);
        let elements = on_page
            .map(|(index, entry)| self.render_profile(index, entry))
            .collect();
        let next = start.saturating_add(size);
        ProfilesPage {
            rest: serde_json::Map::new(),
            elements,
            next: (next < total).then_some(next),
        }
    }

    fn report_count(&self) -> usize {
        REPORTS
    }

    fn report(&self, place: usize, now: Timestamp) -> Option<Value> {
        (place < REPORTS).then(|| report::render(self, place, now))
    }

    fn control(&self, id: &str) -> Option<String> {
        self.listed()
            .map(|(_, entry)| entry.id)
            .find(|known| known.eq_ignore_ascii_case(id))
            .map(str::to_owned)
    }

    fn scored_controls(&self) -> Vec<String> {
        self.scored()
            .map(|(_, entry)| entry.id.to_owned())
            .collect()
    }

    fn newest_change(&self, id: &str) -> Option<Timestamp> {
        let changes = self.histories.get(&catalogue::position(id)?)?;
        changes.iter().map(|change| change.at).max()
    }

    fn append(&mut self, id: &str, update: Update) {
        if let Some(index) = catalogue::position(id) {
            self.histories.entry(index).or_default().push(update);
        }
    }

    fn set_share(&mut self, id: &str, share: Share) -> bool {
        let index = catalogue::position(id).filter(|index| self.scored().any(|(i, _)| i == *index));
        index
            .map(|index| self.shares.insert(index, share))
            .is_some()
    }

    fn share_now(&self, id: &str, now: Timestamp) -> Option<Share> {
        let index = catalogue::position(id)?;
        let (_, entry) = self.scored().find(|(i, _)| *i == index)?;
        Some(self.share(index, entry, day::newest(now), true))
    }

    fn replace_profile(&mut self, id: &str, element: Value) -> bool {
        let index = catalogue::position(id);
        index
            .map(|index| self.odd_profiles.insert(index, element))
            .is_some()
    }

    fn replace_score(&mut self, id: &str, element: Value) -> bool {
        let index = catalogue::position(id).filter(|index| self.scored().any(|(i, _)| i == *index));
        index
            .map(|index| self.odd_scores.insert(index, element))
            .is_some()
    }
}
