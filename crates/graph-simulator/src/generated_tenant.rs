//! The facts of a generated tenant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::catalogue::{Catalogue, CatalogueEntry, ScoreKind};
use crate::completion::Completion;
use crate::history::{self, StateUpdate};
use crate::initial_changes;
use crate::initial_statuses;
use crate::recommendation_catalogue::{ENTRIES, RecommendationEntry};
use crate::report_calendar::{ReportCalendar, newest_day};
use crate::rng::{draw, draw_between};
use crate::status_change::RecommendationEdit;
use crate::tenant_profile::{TenantProfile, is_risk_policy};

/// The number of daily reports that Graph keeps.
pub(crate) const REPORTS: usize = 90;

/// A generated tenant.
///
/// Only changes are stored. Scores, texts and past reports are computed per
/// request, so that a thousand tenants take little memory.
#[derive(Debug)]
pub(crate) struct GeneratedTenant {
    pub(crate) entra_id: String,
    pub(crate) profile: &'static TenantProfile,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) calendar: ReportCalendar,
    pub(crate) seed: u64,
    /// Changes by the control's index, as are the following.
    pub(crate) histories: BTreeMap<usize, Vec<StateUpdate>>,
    /// Controls with an initial history: always listed and scored.
    always_scored: BTreeSet<usize>,
    /// Those among them whose risk is or was accepted at the start: they are not
    /// complete, since there would be no risk.
    accepted: BTreeSet<usize>,
    pub(crate) completions: BTreeMap<usize, Completion>,
    pub(crate) profile_overrides: BTreeMap<usize, Value>,
    pub(crate) score_overrides: BTreeMap<usize, Value>,
    /// Changes of recommendations, by their index.
    pub(crate) recommendation_edits: BTreeMap<usize, Vec<RecommendationEdit>>,
    /// The newest Identity Secure Score and its maximum, where they were set.
    pub(crate) identity_score: Option<(u64, u64)>,
}

impl GeneratedTenant {
    pub(crate) fn new(
        name: &str,
        entra_id: String,
        profile: &'static TenantProfile,
        catalogue: Arc<Catalogue>,
        seed: u64,
        (now, newest_change): (Timestamp, Timestamp),
    ) -> Self {
        let changes = |entry: &CatalogueEntry| match name == profile.name {
            true => initial_changes::changes(name, entry.id, newest_change),
            false => initial_changes::common_changes(seed, entry.id, newest_change),
        };
        let histories: BTreeMap<_, _> = catalogue
            .entries()
            .map(|(index, entry)| (index, changes(entry)))
            .filter(|(_, changes)| !changes.is_empty())
            .collect();
        let is_accepted = |changes: &Vec<StateUpdate>| {
            let mut changes = changes.iter();
            changes.any(|change| change.state == "Ignored")
        };
        let accepted = histories.iter().filter(|(_, it)| is_accepted(it));
        let edits = |entry: &RecommendationEntry| match name == profile.name {
            true => initial_statuses::edits(name, seed, entry.kind, newest_change),
            false => initial_statuses::common_edits(seed, entry.kind, newest_change),
        };
        let recommendation_edits = ENTRIES.iter().map(edits).enumerate();
        Self {
            entra_id,
            profile,
            catalogue,
            calendar: ReportCalendar::new(name, seed, newest_day(now)),
            seed,
            always_scored: histories.keys().copied().collect(),
            accepted: accepted.map(|(index, _)| *index).collect(),
            histories,
            completions: BTreeMap::new(),
            profile_overrides: BTreeMap::new(),
            score_overrides: BTreeMap::new(),
            recommendation_edits: recommendation_edits
                .filter(|(_, edits)| !edits.is_empty())
                .collect(),
            identity_score: None,
        }
    }

    /// The controls of the tenant's catalogue.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (usize, &CatalogueEntry)> {
        self.catalogue.entries().filter(|(index, entry)| {
            self.always_scored.contains(index) || self.profile.lists(self.seed, *index, entry)
        })
    }

    /// The controls of the newest report.
    pub(crate) fn scored(&self) -> impl Iterator<Item = (usize, &CatalogueEntry)> {
        self.listed().filter(|(index, entry)| {
            self.always_scored.contains(index) || self.profile.scores(self.seed, *index, entry)
        })
    }

    /// The controls of the report of a day: Microsoft adds controls over time.
    pub(crate) fn scored_on(
        &self,
        day: Timestamp,
    ) -> impl Iterator<Item = (usize, &CatalogueEntry)> {
        self.scored().filter(move |(index, _)| {
            self.always_scored.contains(index) || self.calendar.was_scored(*index, day)
        })
    }

    /// The changes of a control.
    pub(crate) fn history(&self, index: usize) -> &[StateUpdate] {
        self.histories.get(&index).map_or(&[], Vec::as_slice)
    }

    /// How complete a control was on a day.
    ///
    /// Two states give full points without verification, from the next daily
    /// run on: points follow a change of state by up to a day.
    pub(crate) fn completion_on(
        &self,
        index: usize,
        entry: &CatalogueEntry,
        day: Timestamp,
        is_newest: bool,
    ) -> Completion {
        let set = self.completions.get(&index).filter(|_| is_newest);
        if let Some(completion) = set {
            return *completion;
        }
        let day = self.calendar.figures_day(day);
        match history::state_at(self.history(index), day) {
            Some("ThirdParty" | "Reviewed") => Completion::FULL,
            _ => self.measured_completion(index, entry, self.calendar.age(day)),
        }
    }

    fn measured_completion(&self, index: usize, entry: &CatalogueEntry, age: i64) -> Completion {
        let age = u64::try_from(age).unwrap_or(0);
        let may_be_complete = !is_risk_policy(entry.id) && !self.accepted.contains(&index);
        let index = index as u64;
        let is_complete =
            may_be_complete && draw(self.seed, "done", index) % 100 < self.profile.maturity;
        match entry.score_kind {
            ScoreKind::Toggle | ScoreKind::Plain => {
                let since = draw_between(self.seed, "since", index, 5, 400);
                match is_complete && age < since {
                    true => Completion::FULL,
                    false => Completion::NONE,
                }
            }
            ScoreKind::Users | ScoreKind::Devices | ScoreKind::Count => {
                self.growing_completion(index, entry, is_complete, age)
            }
        }
    }

    /// A completion that grew linearly up to the start.
    fn growing_completion(
        &self,
        index: u64,
        entry: &CatalogueEntry,
        is_complete: bool,
        age: u64,
    ) -> Completion {
        let now = match is_complete {
            true => 10_000,
            false => draw_between(self.seed, "part", index, 1500, 9300),
        };
        let growth = draw(self.seed, "gain", index) % 1800;
        let then = now.saturating_sub(growth * age / REPORTS as u64);
        let population = self.population(entry);
        Completion::from_count(population * then / 10_000, population)
    }

    /// The number of users, devices or administrators a control applies to.
    pub(crate) fn population(&self, entry: &CatalogueEntry) -> u64 {
        match entry.score_kind {
            ScoreKind::Devices => self.profile.devices,
            ScoreKind::Count => 4,
            ScoreKind::Users if entry.id.contains("Admin") => 7,
            ScoreKind::Toggle | ScoreKind::Users | ScoreKind::Plain => self.profile.users,
        }
    }

    /// The age of `lastSynced` at the report's midnight, in seconds, per product.
    pub(crate) fn sync_lag(&self, entry: &CatalogueEntry) -> u64 {
        let product = entry.service.len() as u64;
        draw_between(self.seed, "sync", product, 30 * 60, 40 * 60 * 60)
    }
}
