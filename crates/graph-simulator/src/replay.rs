//! Captured responses.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use strict_yaml::read_at_most;

use crate::completion::Completion;
use crate::history::{StateUpdate, placeholder};
use crate::raw_json;
use crate::recorded_request::Api;
use crate::tenant::{ListPage, TenantData};

/// The name of the tenant of a directory of responses.
const REPLAY_TENANT: &str = "replay";

const SCORES: &str = "secureScores.json";
const PROFILES: &str = "secureScoreControlProfiles";

/// More than the reports of 90 days, some 10 MB.
const MAX_PAGE: u64 = 256 * 1024 * 1024;

/// Why captured responses cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file or the directory could not be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The directory has no page of the catalogue.
    #[error("{} contains no {PROFILES}*.json", directory.display())]
    NoProfiles {
        /// The directory.
        directory: PathBuf,
    },
    /// A file is not text in UTF-8.
    #[error("{} is not UTF-8; save it as UTF-8, since PowerShell's `>` writes UTF-16", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// A file is not JSON.
    #[error("{} is not JSON", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// The place of the error.
        source: serde_json::Error,
    },
    /// A file is not a list of Graph's.
    #[error("{} has no list named `value`, so it is not a response of Graph", path.display())]
    NotAList {
        /// The file.
        path: PathBuf,
    },
    /// No element identifies the tenant.
    #[error("{} has no `azureTenantId`", path.display())]
    NoTenant {
        /// The file.
        path: PathBuf,
    },
}

/// The captured responses of one tenant.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) entra_id: String,
    /// Newest first, as Graph sends them.
    reports: Vec<Value>,
    pages: Vec<ListPage>,
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
        let files = page_files(directory)?;
        let pages = files.iter().map(|path| load_page(path));
        let mut pages = pages.collect::<Result<Vec<_>, _>>()?;
        let count = pages.len();
        for (page, next) in pages.iter_mut().zip(1..count) {
            page.next = Some(next);
        }
        let profiles = pages.iter().flat_map(|page| &page.elements);
        let mut elements = reports.iter().chain(profiles);
        // Unchecked: the id in an anonymised capture may not be a GUID.
        let entra_id = elements.find_map(|element| element.get("azureTenantId")?.as_str());
        let entra_id = entra_id.ok_or(ReplayError::NoTenant { path })?.to_owned();
        Ok(Self {
            entra_id,
            reports,
            pages,
        })
    }

    fn elements(&self) -> impl Iterator<Item = &Value> {
        self.pages.iter().flat_map(|page| &page.elements)
    }

    fn profile(&self, id: &str) -> Option<&Value> {
        self.elements().find(|profile| has_id(profile, "id", id))
    }

    fn profile_mut(&mut self, id: &str) -> Option<&mut Value> {
        let mut elements = self.pages.iter_mut().flat_map(|page| &mut page.elements);
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
    /// Serves a captured page as it is: `start` counts pages, `size` is ignored.
    fn profiles(&self, start: usize, _size: usize) -> ListPage {
        self.pages.get(start).cloned().unwrap_or_default()
    }

    fn report_count(&self) -> usize {
        self.reports.len()
    }

    fn report(&self, index: usize, _now: Timestamp) -> Option<Value> {
        self.reports.get(index).cloned()
    }

    fn has_property(&self, api: Api, name: &str) -> bool {
        let has = |element: &Value| element.get(name).is_some();
        match api {
            Api::Profiles => self.elements().any(has),
            _ => self.reports.iter().any(has),
        }
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
        let dates = updates
            .iter()
            .filter_map(|update| update.get("updatedDateTime")?.as_str());
        dates.filter_map(instant).max()
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

    fn replace_score(&mut self, id: &str, element: Value) -> bool {
        self.score_mut(id).map(|old| *old = element).is_some()
    }
}

fn load_page(path: &Path) -> Result<ListPage, ReplayError> {
    let path = path.to_owned();
    let bytes = match read_at_most(&path, MAX_PAGE) {
        Ok(bytes) => bytes,
        Err(source) => return Err(ReplayError::Read { path, source }),
    };
    let Ok(text) = str::from_utf8(&bytes) else {
        return Err(ReplayError::NotUtf8 { path });
    };
    let text = text.trim_start_matches('\u{feff}');
    let mut envelope = match serde_json::from_str(text).map(raw_json::parse) {
        Ok(Value::Object(envelope)) => envelope,
        Ok(_) => return Err(ReplayError::NotAList { path }),
        Err(source) => return Err(ReplayError::NotJson { path, source }),
    };
    let Some(Value::Array(elements)) = envelope.remove("value") else {
        return Err(ReplayError::NotAList { path });
    };
    // The captured link leads to Microsoft; the next page here is the next file.
    envelope.remove("@odata.nextLink");
    Ok(ListPage {
        envelope,
        elements,
        next: None,
    })
}

/// The day of a report; one without a day is the oldest.
fn day(report: &Value) -> Option<Timestamp> {
    instant(report.get("createdDateTime")?.as_str()?)
}

/// A date of Graph; without an offset it is UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let utc = || {
        let local: DateTime = text.parse().ok()?;
        Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(utc)
}

/// The entries of a directory, by name.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let unread = |source| ReplayError::Read {
        path: directory.to_owned(),
        source,
    };
    let entries = fs::read_dir(directory).map_err(unread)?;
    let paths = entries.map(|entry| Ok(entry.map_err(unread)?.path()));
    let mut paths = paths.collect::<Result<Vec<_>, ReplayError>>()?;
    paths.sort();
    Ok(paths)
}

fn page_files(directory: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let is_page = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(PROFILES) && name.ends_with(".json")
    };
    let files: Vec<PathBuf> = entries(directory)?.into_iter().filter(is_page).collect();
    match files.is_empty() {
        true => Err(ReplayError::NoProfiles {
            directory: directory.to_owned(),
        }),
        false => Ok(files),
    }
}

fn has_id(element: &Value, key: &str, id: &str) -> bool {
    let known = element.get(key).and_then(Value::as_str);
    known.is_some_and(|known| known.eq_ignore_ascii_case(id))
}
