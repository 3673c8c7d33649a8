//! What Graph serves of a generated tenant.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::catalogue::CatalogueEntry;
use crate::completion::Completion;
use crate::control_profile;
use crate::daily_report;
use crate::generated_tenant::{GeneratedTenant, REPORTS};
use crate::history::StateUpdate;
use crate::recorded_request::Api;
use crate::report_calendar::newest_day;
use crate::tenant::{ListPage, TenantData};

impl GeneratedTenant {
    fn profile_json(&self, index: usize, entry: &CatalogueEntry) -> Value {
        match self.profile_overrides.get(&index) {
            Some(element) => element.clone(),
            None => control_profile::render(
                entry,
                index,
                &self.entra_id,
                self.history(index),
                self.profile.integers,
            ),
        }
    }

    fn scored_control(&self, id: &str) -> Option<(usize, &CatalogueEntry)> {
        self.scored()
            .find(|(_, entry)| entry.id.eq_ignore_ascii_case(id))
    }
}

impl TenantData for GeneratedTenant {
    fn profiles(&self, start: usize, size: usize) -> ListPage {
        let total = self.listed().count();
        let on_page = self.listed().skip(start).take(size);
        let next = start.saturating_add(size);
        ListPage {
            envelope: Map::new(),
            elements: on_page
                .map(|(index, entry)| self.profile_json(index, entry))
                .collect(),
            next: (next < total).then_some(next),
        }
    }

    fn report_count(&self) -> usize {
        REPORTS
    }

    fn report(&self, index: usize, now: Timestamp) -> Option<Value> {
        (index < REPORTS).then(|| daily_report::render(self, index, now))
    }

    fn has_property(&self, _: Api, _: &str) -> bool {
        false
    }

    fn controls(&self) -> Vec<String> {
        self.listed()
            .map(|(_, entry)| entry.id.to_owned())
            .collect()
    }

    fn scored_controls(&self) -> Vec<String> {
        self.scored()
            .map(|(_, entry)| entry.id.to_owned())
            .collect()
    }

    fn newest_change(&self, id: &str) -> Option<Timestamp> {
        let changes = self.history(self.catalogue.position(id)?);
        changes.iter().map(|change| change.at).max()
    }

    fn append(&mut self, id: &str, update: StateUpdate) {
        if let Some(index) = self.catalogue.position(id) {
            self.histories.entry(index).or_default().push(update);
        }
    }

    fn completion(&self, id: &str, now: Timestamp) -> Option<Completion> {
        let (index, entry) = self.scored_control(id)?;
        Some(self.completion_on(index, entry, newest_day(now), true))
    }

    fn set_completion(&mut self, id: &str, completion: Completion) -> bool {
        let index = self.scored_control(id).map(|(index, _)| index);
        index
            .map(|index| self.completions.insert(index, completion))
            .is_some()
    }

    fn replace_profile(&mut self, id: &str, element: Value) -> bool {
        let index = self.catalogue.position(id);
        index
            .map(|index| self.profile_overrides.insert(index, element))
            .is_some()
    }

    fn replace_score(&mut self, id: &str, element: Value) -> bool {
        let index = self.scored_control(id).map(|(index, _)| index);
        index
            .map(|index| self.score_overrides.insert(index, element))
            .is_some()
    }
}
