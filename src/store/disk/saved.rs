//! A tenant as it is written to disk.
//!
//! The model knows no serde, and a file must be readable after the model has
//! changed; so these are types of their own, with short names, since a
//! catalogue repeats them hundreds of times.

mod catalogue;
mod report;

use crate::events::Remembered;
use secure_score_model::{Api, Catalogue, CategoryPins, Points, PreviousScore, Report, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All of a tenant that survives a restart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Saved {
    /// Which directory it is of, as it was configured.
    pub directory: String,
    /// The directory's GUID, where it is known.
    pub entra_tenant_id: Option<Arc<str>>,
    /// The catalogue, as it was last confirmed.
    pub catalogue: Option<Confirmed<Arc<Catalogue>>>,
    /// The report, as it was last confirmed.
    pub report: Option<Confirmed<Arc<Report>>>,
    /// The score of the last report of an earlier day.
    pub earlier: Option<PreviousScore>,
    /// The category of each control when it was first seen.
    pub pins: CategoryPins,
    /// How the refreshes of each list stood.
    pub lists: BTreeMap<Api, ListStanding>,
    /// What was seen of its controls, so that nothing is told twice.
    pub seen: Remembered,
}

/// How the refreshes of a list stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListStanding {
    /// Whether the last one had succeeded.
    pub up: bool,
    /// When the last one succeeded.
    pub last_success: Option<Timestamp>,
    /// When the next one is due.
    pub next_refresh: Timestamp,
}

/// Something Graph said, and when it last said so.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed<T> {
    /// What it said.
    pub value: T,
    /// When it last said so.
    pub at: Timestamp,
    /// Whether it was the whole.
    pub whole: bool,
}

/// The whole file.
#[derive(Serialize, Deserialize)]
pub(super) struct File {
    alias: String,
    directory: String,
    id: Option<String>,
    catalogue: Option<Dated<catalogue::Catalogue>>,
    report: Option<Dated<report::Report>>,
    /// Day, points and the most possible; files written before there was a
    /// trend have none.
    #[serde(default)]
    earlier: Option<(i64, f64, f64)>,
    pins: BTreeMap<String, String>,
    lists: BTreeMap<String, Schedule>,
    seen: Remembered,
}

#[derive(Serialize, Deserialize)]
struct Schedule {
    up: bool,
    last: Option<i64>,
    next: i64,
}

#[derive(Serialize, Deserialize)]
struct Dated<T> {
    at: i64,
    whole: bool,
    value: T,
}

/// Why the contents of a file are of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it is of another tenant")]
    OtherTenant,
    #[error("it holds a word this version does not know")]
    UnknownWord,
}

impl File {
    pub(super) fn of(alias: &str, saved: &Saved) -> Self {
        let pins = saved.pins.iter();
        Self {
            alias: alias.to_owned(),
            directory: saved.directory.clone(),
            id: saved.entra_tenant_id.as_deref().map(str::to_owned),
            catalogue: saved
                .catalogue
                .as_ref()
                .map(|it| it.dated(catalogue::Catalogue::of)),
            report: saved.report.as_ref().map(|it| it.dated(report::Report::of)),
            earlier: saved
                .earlier
                .map(|it| (it.as_of.nanos(), it.score.get(), it.max_score.get())),
            pins: pins
                .map(|(id, category)| (id.to_owned(), category.as_str().to_owned()))
                .collect(),
            lists: saved
                .lists
                .iter()
                .map(|(api, standing)| (api.as_str().to_owned(), Schedule::of(standing)))
                .collect(),
            seen: saved.seen.clone(),
        }
    }

    pub(super) fn into_saved(self, alias: &str) -> Result<Saved, Unusable> {
        if self.alias != alias {
            return Err(Unusable::OtherTenant);
        }
        let lists = Api::ALL.into_iter().filter_map(|api| {
            let schedule = self.lists.get(api.as_str())?;
            Some((api, schedule.standing()))
        });
        Ok(Saved {
            directory: self.directory,
            entra_tenant_id: self.id.map(Into::into),
            lists: lists.collect(),
            catalogue: self.catalogue.map(catalogue_of).transpose()?,
            report: self.report.map(report_of).transpose()?,
            earlier: self.earlier.and_then(day_score),
            pins: pins(self.pins)?,
            seen: self.seen,
        })
    }
}

impl Schedule {
    fn of(standing: &ListStanding) -> Self {
        Self {
            up: standing.up,
            last: standing.last_success.map(Timestamp::nanos),
            next: standing.next_refresh.nanos(),
        }
    }

    fn standing(&self) -> ListStanding {
        ListStanding {
            up: self.up,
            last_success: self.last.map(Timestamp::from_nanos),
            next_refresh: Timestamp::from_nanos(self.next),
        }
    }
}

impl<T> Confirmed<Arc<T>> {
    fn dated<D>(&self, write: impl FnOnce(&T) -> D) -> Dated<D> {
        Dated {
            at: self.at.nanos(),
            whole: self.whole,
            value: write(&self.value),
        }
    }
}

fn catalogue_of(dated: Dated<catalogue::Catalogue>) -> Result<Confirmed<Arc<Catalogue>>, Unusable> {
    Ok(Confirmed {
        value: Arc::new(dated.value.into_model()?),
        at: Timestamp::from_nanos(dated.at),
        whole: dated.whole,
    })
}

fn report_of(dated: Dated<report::Report>) -> Result<Confirmed<Arc<Report>>, Unusable> {
    Ok(Confirmed {
        value: Arc::new(dated.value.into_model()?),
        at: Timestamp::from_nanos(dated.at),
        whole: dated.whole,
    })
}

fn day_score((as_of, score, max_score): (i64, f64, f64)) -> Option<PreviousScore> {
    Some(PreviousScore {
        as_of: Timestamp::from_nanos(as_of),
        score: Points::new(score)?,
        max_score: Points::new(max_score).filter(|max| max.get() > 0.0)?,
    })
}

fn pins(written: BTreeMap<String, String>) -> Result<CategoryPins, Unusable> {
    let pins = written.into_iter().map(|(id, category)| {
        let category = category.parse().map_err(|_| Unusable::UnknownWord)?;
        Ok((Arc::from(id), category))
    });
    pins.collect()
}

/// The member of a closed set that has this word.
fn named<T: Copy>(
    word: &str,
    all: impl IntoIterator<Item = T>,
    name: impl Fn(T) -> &'static str,
) -> Result<T, Unusable> {
    let mut all = all.into_iter();
    all.find(|member| name(*member) == word)
        .ok_or(Unusable::UnknownWord)
}
