//! Captured responses.

use std::cmp::Reverse;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::capture_files::{ReplayError, entries, load_page, load_pages};
use crate::completion::Completion;
use crate::history::{StateUpdate, placeholder, time, updated_at};
use crate::list::List;
use crate::status_change::RecommendationEdit;
use crate::tenant::{ListPage, TenantData};

/// The name of the tenant of a directory of responses.
const REPLAY_TENANT: &str = "replay";

const SCORES: &str = "secureScores.json";
const PROFILES: &str = "secureScoreControlProfiles";
const RECOMMENDATIONS: &str = "recommendations";
const IDENTITY_SCORES: &str = "tenantSecureScores";

/// The captured responses of one tenant.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) entra_id: String,
    /// Newest first, as Graph sends them.
    reports: Vec<Value>,
    profiles: Vec<ListPage>,
    recommendations: Vec<ListPage>,
    identity_scores: Vec<ListPage>,
}

/// Loads each captured tenant with its name: the directory itself, or each of its
/// directories if it holds no responses.
pub(crate) fn load(directory: &Path) -> Result<Vec<(String, Replay)>, ReplayError> {
    let mut tenants = Vec::new();
    if !directory.join(SCORES).exists() {
        for path in entries(directory)?.into_iter().filter(|path| path.is_dir()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            tenants.push((name.into_owned(), Replay::load(&path)?));
        }
    }
    if tenants.is_empty() {
        tenants.push((REPLAY_TENANT.to_owned(), Replay::load(directory)?));
    }
    Ok(tenants)
}

impl Replay {
    /// Loads the responses of one tenant.
    fn load(directory: &Path) -> Result<Self, ReplayError> {
        let path = directory.join(SCORES);
        let mut reports = load_page(&path)?.elements;
        reports.sort_by_key(|report| Reverse(day(report)));
        let profiles = load_pages(directory, PROFILES)?;
        if profiles.is_empty() {
            let directory = directory.to_owned();
            return Err(ReplayError::NoProfiles { directory });
        }
        let controls = profiles.iter().flat_map(|page| &page.elements);
        let mut elements = reports.iter().chain(controls);
        // Unchecked: the id in an anonymised capture may not be a GUID.
        let entra_id = elements.find_map(|element| element.get("azureTenantId")?.as_str());
        let entra_id = entra_id.ok_or(ReplayError::NoTenant { path })?.to_owned();
        Ok(Self {
            entra_id,
            reports,
            profiles,
            recommendations: load_pages(directory, RECOMMENDATIONS)?,
            identity_scores: load_pages(directory, IDENTITY_SCORES)?,
        })
    }

    /// Whether the capture contains what the permission for recommendations shows.
    pub(crate) fn has_recommendations(&self) -> bool {
        !self.recommendations.is_empty() || !self.identity_scores.is_empty()
    }

    fn report_page(&self, start: usize, size: usize) -> ListPage {
        let total = self.reports.len();
        let next = start.saturating_add(size);
        let reports = self.reports.iter().skip(start).take(size);
        ListPage {
            elements: reports.cloned().collect(),
            next: (next < total).then_some(next),
            ..ListPage::default()
        }
    }

    fn elements(&self) -> impl Iterator<Item = &Value> {
        self.profiles.iter().flat_map(|page| &page.elements)
    }

    fn profile(&self, id: &str) -> Option<&Value> {
        self.elements().find(|profile| has_id(profile, "id", id))
    }

    fn profile_mut(&mut self, id: &str) -> Option<&mut Value> {
        let mut elements = self.profiles.iter_mut().flat_map(|page| &mut page.elements);
        elements.find(|profile| has_id(profile, "id", id))
    }

    fn scores(&self) -> impl Iterator<Item = &Value> {
        let newest = self.reports.first();
        let scores = newest.and_then(|report| report.get("controlScores")?.as_array());
        scores.into_iter().flatten()
    }

    fn score(&self, id: &str) -> Option<&Value> {
        self.scores().find(|score| has_id(score, "controlName", id))
    }

    fn score_mut(&mut self, id: &str) -> Option<&mut Value> {
        let scores = self.reports.first_mut()?.get_mut("controlScores")?;
        let mut scores = scores.as_array_mut()?.iter_mut();
        scores.find(|score| has_id(score, "controlName", id))
    }

    /// A control's maximum: that of its profile, or what score and percentage imply.
    fn maximum(&self, id: &str) -> Option<f64> {
        let profile = self.profile(id);
        let maximum = profile.and_then(|profile| profile.get("maxScore")?.as_f64());
        maximum.or_else(|| {
            let score = self.score(id)?;
            let percentage = score.get("scoreInPercentage")?.as_f64()?;
            let points = score.get("score")?.as_f64()?;
            (percentage > 0.0).then_some(points * 100.0 / percentage)
        })
    }

    fn add_to_current_score(&mut self, difference: f64) -> Option<()> {
        let report = self.reports.first_mut()?.as_object_mut()?;
        let total = report.get("currentScore")?.as_f64()? + difference;
        let rounded = (total * 10_000.0).round() / 10_000.0;
        report.insert("currentScore".into(), json!(rounded));
        Some(())
    }

    fn write_completion(&mut self, id: &str, completion: Completion) -> Option<()> {
        let percentage = completion.percentage();
        let points = self.maximum(id)? * percentage / 100.0;
        let score = self.score_mut(id)?.as_object_mut()?;
        let before = score.get("score").and_then(Value::as_f64).unwrap_or(0.0);
        score.insert("score".into(), json!(points));
        score.insert("scoreInPercentage".into(), json!(percentage));
        self.add_to_current_score(points - before)
    }
}

impl TenantData for Replay {
    /// Serves a captured page as it is: `start` counts pages and `size` is ignored, except
    /// for reports.
    fn page(&self, list: List, start: usize, size: usize, _now: Timestamp) -> ListPage {
        let pages = match list {
            List::Scores => return self.report_page(start, size),
            List::Profiles => &self.profiles,
            List::Recommendations => &self.recommendations,
            List::IdentityScores => &self.identity_scores,
            List::Customers | List::Relationships | List::Organization => {
                return ListPage::default();
            }
        };
        pages.get(start).cloned().unwrap_or_default()
    }

    fn has_property(&self, list: List, name: &str) -> bool {
        let pages = match list {
            List::Scores => return self.reports.iter().any(|it| it.get(name).is_some()),
            List::Profiles => &self.profiles,
            List::Recommendations => &self.recommendations,
            List::IdentityScores => &self.identity_scores,
            List::Customers | List::Relationships | List::Organization => return false,
        };
        let mut elements = pages.iter().flat_map(|page| &page.elements);
        elements.any(|element| element.get(name).is_some())
    }

    fn controls(&self) -> Vec<String> {
        let ids = self
            .elements()
            .filter_map(|profile| profile.get("id")?.as_str());
        ids.map(str::to_owned).collect()
    }

    fn scored_controls(&self) -> Vec<String> {
        let ids = self
            .scores()
            .filter_map(|score| score.get("controlName")?.as_str());
        ids.map(str::to_owned).collect()
    }

    fn newest_change(&self, id: &str) -> Option<Timestamp> {
        let updates = self.profile(id)?.get("controlStateUpdates")?.as_array()?;
        updates.iter().filter_map(updated_at).max()
    }

    fn append(&mut self, id: &str, update: StateUpdate) {
        let Some(profile) = self.profile_mut(id).and_then(Value::as_object_mut) else {
            return;
        };
        let updates = profile
            .entry("controlStateUpdates")
            .or_insert_with(|| json!([]));
        match updates.as_array_mut() {
            Some(updates) => updates.push(update.to_json()),
            None => *updates = json!([placeholder(), update.to_json()]),
        }
    }

    fn completion(&self, id: &str, _now: Timestamp) -> Option<Completion> {
        Completion::from_percentage(self.score(id)?.get("scoreInPercentage")?.as_f64()?)
    }

    fn set_completion(&mut self, id: &str, completion: Completion) -> bool {
        self.write_completion(id, completion).is_some()
    }

    fn replace_profile(&mut self, id: &str, element: Value) -> bool {
        self.profile_mut(id).map(|old| *old = element).is_some()
    }

    fn recommendations(&self) -> Vec<String> {
        let elements = self.recommendations.iter().flat_map(|page| &page.elements);
        let ids = elements.filter_map(|element| element.get("id")?.as_str());
        ids.map(str::to_owned).collect()
    }

    fn edit_recommendation(&mut self, id: &str, edit: RecommendationEdit) {
        let pages = self.recommendations.iter_mut();
        let mut elements = pages.flat_map(|page| &mut page.elements);
        if let Some(element) = elements.find(|element| has_id(element, "id", id)) {
            edit.apply(element);
        }
    }

    fn set_identity_score(&mut self, score: u64, maximum: u64) {
        let page = self.identity_scores.first_mut();
        let newest = page.and_then(|page| page.elements.first_mut()?.as_object_mut());
        if let Some(fields) = newest {
            fields.insert("tenantScore".to_owned(), json!(score));
            fields.insert("tenantMaxScore".to_owned(), json!(maximum));
        }
    }

    fn replace_score(&mut self, id: &str, element: Value) -> bool {
        self.score_mut(id).map(|old| *old = element).is_some()
    }
}

/// The day of a report; one without a day is the oldest.
fn day(report: &Value) -> Option<Timestamp> {
    time(report, "createdDateTime")
}

fn has_id(element: &Value, key: &str, id: &str) -> bool {
    let known = element.get(key).and_then(Value::as_str);
    known.is_some_and(|known| known.eq_ignore_ascii_case(id))
}
