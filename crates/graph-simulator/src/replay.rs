//! Captured answers, served again.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::history::{Update, placeholder};
use super::measure::Share;
use super::tenant::{ProfilesPage, Records};

const SCORES: &str = "secureScores.json";
const PROFILES: &str = "secureScoreControlProfiles";

/// Why captured answers cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file or the directory could not be read.
    #[error("{} could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no page of the catalogue.
    #[error("{} holds no {PROFILES}*.json", directory.display())]
    NoProfiles {
        /// The directory looked into.
        directory: PathBuf,
    },
    /// A file holds something else than JSON.
    #[error("{} is not JSON", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Where it broke off.
        source: serde_json::Error,
    },
    /// A file holds JSON that is no list of Graph's.
    #[error("{} has no list called `value`, so it is no answer of Graph", path.display())]
    NotAList {
        /// The file.
        path: PathBuf,
    },
    /// Nothing tells whose answers these are.
    #[error("{} names no `azureTenantId`", path.display())]
    NoTenant {
        /// The file.
        path: PathBuf,
    },
}

/// One captured answer: its list, and all that stood beside it.
#[derive(Debug, Clone)]
struct Answer {
    rest: Map<String, Value>,
    elements: Vec<Value>,
}

/// The answers of one tenant.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) entra_id: String,
    scores: Answer,
    pages: Vec<Answer>,
}

impl Replay {
    /// Reads a directory of captured answers.
    pub(super) fn load(directory: &Path) -> Result<Self, ReplayError> {
        let path = directory.join(SCORES);
        let scores = Answer::load(&path)?;
        let files = page_files(directory)?;
        let pages = files.iter().map(|path| Answer::load(path));
        let pages = pages.collect::<Result<Vec<_>, _>>()?;
        let mut everything = scores
            .elements
            .iter()
            .chain(pages.iter().flat_map(|p| &p.elements));
        // Taken as it stands: an anonymised capture may hold no true GUID.
        let entra_id = everything.find_map(|element| element.get("azureTenantId")?.as_str());
        let entra_id = entra_id.ok_or(ReplayError::NoTenant { path })?.to_owned();
        Ok(Self {
            entra_id,
            scores,
            pages,
        })
    }

    fn elements_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.pages.iter_mut().flat_map(|page| &mut page.elements)
    }

    fn profile(&self, id: &str) -> Option<&Value> {
        self.pages
            .iter()
            .flat_map(|page| &page.elements)
            .find(|element| is(element, "id", id))
    }

    fn scores_of_newest(&self) -> Option<&Vec<Value>> {
        self.scores
            .elements
            .first()?
            .get("controlScores")?
            .as_array()
    }

    fn score_mut(&mut self, id: &str) -> Option<&mut Value> {
        let scores = self
            .scores
            .elements
            .first_mut()?
            .get_mut("controlScores")?
            .as_array_mut()?;
        scores.iter_mut().find(|score| is(score, "controlName", id))
    }

    /// A control's maximum: the profile's, or what score and percentage imply.
    fn maximum(&self, id: &str) -> Option<f64> {
        let named = self
            .profile(id)
            .and_then(|profile| profile.get("maxScore")?.as_f64());
        named.or_else(|| {
            let score = self
                .scores_of_newest()?
                .iter()
                .find(|score| is(score, "controlName", id))?;
            let percentage = score
                .get("scoreInPercentage")?
                .as_f64()
                .filter(|p| *p > 0.0)?;
            Some(score.get("score")?.as_f64()? * 100.0 / percentage)
        })
    }

    fn add_to_total(&mut self, difference: f64) -> Option<()> {
        let report = self.scores.elements.first_mut()?.as_object_mut()?;
        let total = report.get("currentScore")?.as_f64()? + difference;
        report.insert(
            "currentScore".into(),
            json!((total * 10_000.0).round() / 10_000.0),
        );
        Some(())
    }

    fn write_share(&mut self, id: &str, share: Share) -> Option<()> {
        let percentage = share.hundredths() as f64 / 100.0;
        let points = self.maximum(id)? * percentage / 100.0;
        let score = self.score_mut(id)?.as_object_mut()?;
        let before = score.get("score").and_then(Value::as_f64).unwrap_or(0.0);
        score.insert("score".into(), json!(points));
        score.insert("scoreInPercentage".into(), json!(percentage));
        self.add_to_total(points - before)
    }
}

impl Records for Replay {
    /// A captured page is served whole: `start` counts pages, `size` is moot.
    fn profiles(&self, start: usize, _size: usize) -> ProfilesPage {
        let page = self.pages.get(start).cloned();
        let page = page.unwrap_or(Answer {
            rest: Map::new(),
            elements: Vec::new(),
        });
        let next = (start + 1 < self.pages.len()).then_some(start + 1);
        ProfilesPage {
            rest: page.rest,
            elements: page.elements,
            next,
        }
    }

    fn report_count(&self) -> usize {
        self.scores.elements.len()
    }

    fn report(&self, place: usize, _now: Timestamp) -> Option<Value> {
        self.scores.elements.get(place).cloned()
    }

    fn control(&self, id: &str) -> Option<String> {
        self.profile(id)?.get("id")?.as_str().map(str::to_owned)
    }

    fn scored_controls(&self) -> Vec<String> {
        let scores = self.scores_of_newest().into_iter().flatten();
        scores
            .filter_map(|score| Some(score.get("controlName")?.as_str()?.to_owned()))
            .collect()
    }

    fn newest_change(&self, id: &str) -> Option<Timestamp> {
        let updates = self.profile(id)?.get("controlStateUpdates")?.as_array()?;
        let dates = updates
            .iter()
            .filter_map(|update| update.get("updatedDateTime")?.as_str());
        dates.filter_map(|date| date.parse().ok()).max()
    }

    fn append(&mut self, id: &str, update: Update) {
        let profile = self.elements_mut().find(|element| is(element, "id", id));
        let Some(profile) = profile.and_then(Value::as_object_mut) else {
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

    fn set_share(&mut self, id: &str, share: Share) -> bool {
        self.write_share(id, share).is_some()
    }

    fn share_now(&self, id: &str, _now: Timestamp) -> Option<Share> {
        let mut scores = self.scores_of_newest()?.iter();
        let score = scores.find(|score| is(score, "controlName", id))?;
        Share::from_percentage(score.get("scoreInPercentage")?.as_f64()?)
    }

    fn replace_profile(&mut self, id: &str, element: Value) -> bool {
        let place = self.elements_mut().find(|old| is(old, "id", id));
        place.map(|place| *place = element).is_some()
    }

    fn replace_score(&mut self, id: &str, element: Value) -> bool {
        self.score_mut(id).map(|place| *place = element).is_some()
    }
}

impl Answer {
    fn load(path: &Path) -> Result<Self, ReplayError> {
        let path = path.to_owned();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(ReplayError::Read { path, source }),
        };
        let answer: Value = match serde_json::from_slice(&bytes) {
            Ok(answer) => answer,
            Err(source) => return Err(ReplayError::NotJson { path, source }),
        };
        Self::from_json(answer).ok_or(ReplayError::NotAList { path })
    }

    fn from_json(answer: Value) -> Option<Self> {
        let Value::Object(mut rest) = answer else {
            return None;
        };
        let Value::Array(elements) = rest.remove("value")? else {
            return None;
        };
        // A captured link leads to Microsoft, or nowhere; the next page here
        // is the next file.
        rest.remove("@odata.nextLink");
        Some(Self { rest, elements })
    }
}

fn page_files(directory: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let unread = |source| ReplayError::Read {
        path: directory.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for file in fs::read_dir(directory).map_err(unread)? {
        let path = file.map_err(unread)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(PROFILES) && name.ends_with(".json") {
            files.push(path);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(ReplayError::NoProfiles {
            directory: directory.to_owned(),
        }),
        false => Ok(files),
    }
}

fn is(element: &Value, key: &str, id: &str) -> bool {
    element
        .get(key)
        .and_then(Value::as_str)
        .is_some_and(|known| known.eq_ignore_ascii_case(id))
}
