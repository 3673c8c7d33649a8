//! A report on disk.

use super::catalogue::Oddities;
use super::{Unusable, named};
use secure_score_model::{
    Basis, Category, CategoryComparison, Comparison, ControlScore, Points, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
pub(super) struct Report {
    id: Arc<str>,
    as_of: Option<i64>,
    score: Option<f64>,
    max: Option<f64>,
    active: Option<u64>,
    licensed: Option<u64>,
    comparisons: Vec<Compared>,
    controls: Vec<Scored>,
    odd: Oddities,
}

#[derive(Serialize, Deserialize)]
struct Compared {
    basis: String,
    ratio: Option<f64>,
    categories: Vec<(String, Option<f64>, Option<f64>)>,
}

#[derive(Serialize, Deserialize)]
struct Scored {
    id: Arc<str>,
    category: String,
    score: f64,
    percentage: Option<f64>,
    synced: Option<i64>,
    status: Option<Arc<str>>,
}

impl Report {
    pub(super) fn of(report: &secure_score_model::Report) -> Self {
        Self {
            id: Arc::clone(&report.entra_tenant_id),
            as_of: report.as_of.map(Timestamp::nanos),
            score: report.current_score.map(Points::get),
            max: report.max_score.map(Points::get),
            active: report.active_users,
            licensed: report.licensed_users,
            comparisons: report.comparisons.iter().map(Compared::of).collect(),
            controls: report.scores.iter().map(|it| Scored::of(it)).collect(),
            odd: Oddities::of(&report.anomalies),
        }
    }

    pub(super) fn into_model(self) -> Result<secure_score_model::Report, Unusable> {
        let comparisons = self.comparisons.into_iter().map(Compared::into_model);
        let scores = self.controls.into_iter().map(Scored::into_model);
        Ok(secure_score_model::Report {
            entra_tenant_id: self.id,
            as_of: self.as_of.map(Timestamp::from_nanos),
            current_score: self.score.and_then(Points::new),
            max_score: self.max.and_then(Points::new),
            active_users: self.active,
            licensed_users: self.licensed,
            comparisons: comparisons.collect::<Result<_, _>>()?,
            scores: scores
                .map(|it| it.map(Arc::new))
                .collect::<Result<_, _>>()?,
            anomalies: self.odd.into_model()?,
        })
    }
}

impl Compared {
    fn of(comparison: &Comparison) -> Self {
        let categories = comparison.categories.iter().map(|it| {
            let (score, max) = (it.score.map(Points::get), it.max_score.map(Points::get));
            (it.category.as_str().to_owned(), score, max)
        });
        Self {
            basis: comparison.basis.as_str().to_owned(),
            ratio: comparison.ratio,
            categories: categories.collect(),
        }
    }

    fn into_model(self) -> Result<Comparison, Unusable> {
        let categories = self.categories.into_iter().map(|(category, score, max)| {
            Ok(CategoryComparison {
                category: self::category(&category)?,
                score: score.and_then(Points::new),
                max_score: max.and_then(Points::new),
            })
        });
        Ok(Comparison {
            basis: named(&self.basis, Basis::ALL, Basis::as_str)?,
            ratio: self.ratio,
            categories: categories.collect::<Result<_, _>>()?,
        })
    }
}

impl Scored {
    fn of(score: &ControlScore) -> Self {
        Self {
            id: Arc::clone(&score.id),
            category: score.category.as_str().to_owned(),
            score: score.score.get(),
            percentage: score.percentage,
            synced: score.last_synced.map(Timestamp::nanos),
            status: score.implementation_status.clone(),
        }
    }

    fn into_model(self) -> Result<ControlScore, Unusable> {
        Ok(ControlScore {
            id: self.id,
            category: category(&self.category)?,
            score: Points::new(self.score).ok_or(Unusable::UnknownWord)?,
            percentage: self.percentage,
            last_synced: self.synced.map(Timestamp::from_nanos),
            implementation_status: self.status,
        })
    }
}

fn category(word: &str) -> Result<Category, Unusable> {
    word.parse().map_err(|_| Unusable::UnknownWord)
}
