//! What Graph serves of a generated tenant.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::catalogue::CatalogueEntry;
use crate::completion::Completion;
use crate::control_profile;
use crate::daily_report;
use crate::generated_tenant::{GeneratedTenant, REPORTS};
use crate::history::StateUpdate;
use crate::list::List;
use crate::recommendation_catalogue::ENTRIES;
use crate::report_calendar::newest_day;
use crate::status_change::RecommendationEdit;
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
    fn page(&self, list: List, start: usize, size: usize, now: Timestamp) -> ListPage {
        let total = match list {
            List::Profiles => self.listed().count(),
            List::Recommendations => ENTRIES.len(),
            List::Scores | List::IdentityScores => REPORTS,
            List::Customers | List::Relationships | List::Organization => 0,
        };
        let next = start.saturating_add(size);
        let indices = start..next.min(total);
        let count = indices.len();
        ListPage {
            envelope: Map::new(),
            elements: match list {
                List::Scores => indices
                    .map(|index| daily_report::render(self, index, now))
                    .collect(),
                List::Profiles => {
                    let on_page = self.listed().skip(start).take(count);
                    on_page
                        .map(|(index, entry)| self.profile_json(index, entry))
                        .collect()
                }
                List::Recommendations => indices
                    .filter_map(|index| self.recommendation(index, now))
                    .collect(),
                List::IdentityScores => indices
                    .map(|index| self.identity_score(index, now))
                    .collect(),
                List::Customers | List::Relationships | List::Organization => Vec::new(),
            },
            next: (next < total).then_some(next),
        }
    }

    fn has_property(&self, _: List, _: &str) -> bool {
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

    fn recommendations(&self) -> Vec<String> {
        let ids = ENTRIES.iter().map(|entry| entry.id(&self.entra_id));
        ids.collect()
    }

    fn edit_recommendation(&mut self, id: &str, edit: RecommendationEdit) {
        let mut entries = ENTRIES.iter();
        if let Some(index) = entries.position(|entry| entry.id(&self.entra_id) == id) {
            let edits = self.recommendation_edits.entry(index).or_default();
            edits.push(edit);
        }
    }

    fn set_identity_score(&mut self, score: u64, maximum: u64) {
        self.identity_score = Some((score, maximum));
    }

    fn replace_score(&mut self, id: &str, element: Value) -> bool {
        let index = self.scored_control(id).map(|(index, _)| index);
        index
            .map(|index| self.score_overrides.insert(index, element))
            .is_some()
    }
}
