//! A catalogue on disk.

use super::{Unusable, named};
use secure_score_model::{
    ActionType, Anomalies, CatalogueEntry, ControlState, Field as _, History, Level, Points,
    SkippedField, StateUpdate, Tier, Timestamp, UnknownField,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
pub(super) struct Catalogue {
    id: Option<Arc<str>>,
    entries: Vec<Entry>,
    odd: Oddities,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    id: Arc<str>,
    title: Arc<str>,
    category: String,
    product: Arc<str>,
    tier: String,
    impact: String,
    cost: String,
    action: String,
    max: Option<f64>,
    deprecated: bool,
    url: Option<Arc<str>>,
    changes: Vec<Change>,
}

#[derive(Serialize, Deserialize)]
struct Change {
    state: String,
    at: Option<i64>,
    by: Option<Arc<str>>,
    comment: Option<Arc<str>>,
    assigned: Option<Arc<str>>,
}

/// What in an answer could not be used, by the words of the labels.
#[derive(Serialize, Deserialize)]
pub(super) struct Oddities {
    unknown: BTreeMap<String, u64>,
    skipped: BTreeMap<String, u64>,
}

impl Catalogue {
    pub(super) fn of(catalogue: &secure_score_model::Catalogue) -> Self {
        Self {
            id: catalogue.entra_tenant_id.clone(),
            entries: catalogue.entries.iter().map(|it| Entry::of(it)).collect(),
            odd: Oddities::of(&catalogue.anomalies),
        }
    }

    pub(super) fn into_model(self) -> Result<secure_score_model::Catalogue, Unusable> {
        let entries = self.entries.into_iter();
        Ok(secure_score_model::Catalogue {
            entra_tenant_id: self.id,
            entries: entries
                .map(|entry| entry.into_model().map(Arc::new))
                .collect::<Result<_, _>>()?,
            anomalies: self.odd.into_model()?,
        })
    }
}

impl Entry {
    fn of(entry: &CatalogueEntry) -> Self {
        Self {
            id: Arc::clone(&entry.id),
            title: Arc::clone(&entry.title),
            category: entry.category.as_str().to_owned(),
            product: Arc::clone(&entry.product),
            tier: entry.tier.as_str().to_owned(),
            impact: entry.user_impact.as_str().to_owned(),
            cost: entry.implementation_cost.as_str().to_owned(),
            action: entry.action_type.as_str().to_owned(),
            max: entry.max_score.map(Points::get),
            deprecated: entry.deprecated,
            url: entry.action_url.clone(),
            changes: entry.history.changes().iter().map(Change::of).collect(),
        }
    }

    fn into_model(self) -> Result<CatalogueEntry, Unusable> {
        let changes = self.changes.into_iter().map(Change::into_model);
        Ok(CatalogueEntry {
            id: self.id,
            title: self.title,
            category: self.category.parse().map_err(|_| Unusable::UnknownWord)?,
            product: self.product,
            tier: named(&self.tier, Tier::ALL, Tier::as_str)?,
            user_impact: named(&self.impact, Level::ALL, Level::as_str)?,
            implementation_cost: named(&self.cost, Level::ALL, Level::as_str)?,
            action_type: named(&self.action, ActionType::ALL, ActionType::as_str)?,
            max_score: self.max.and_then(Points::new),
            deprecated: self.deprecated,
            action_url: self.url,
            history: History::from_updates(changes.collect::<Result<_, _>>()?),
        })
    }
}

impl Change {
    fn of(change: &StateUpdate) -> Self {
        Self {
            state: change.state.as_str().to_owned(),
            at: change.at.map(Timestamp::nanos),
            by: change.by.clone(),
            comment: change.comment.clone(),
            assigned: change.assigned_to.clone(),
        }
    }

    fn into_model(self) -> Result<StateUpdate, Unusable> {
        Ok(StateUpdate {
            state: named(&self.state, ControlState::ALL, ControlState::as_str)?,
            at: self.at.map(Timestamp::from_nanos),
            by: self.by,
            comment: self.comment,
            assigned_to: self.assigned,
        })
    }
}

impl Oddities {
    pub(super) fn of(anomalies: &Anomalies) -> Self {
        let unknown = anomalies.all_unknown();
        let skipped = anomalies.all_skipped();
        Self {
            unknown: unknown
                .map(|(field, count)| (field.as_str().to_owned(), count))
                .collect(),
            skipped: skipped
                .map(|(field, count)| (field.as_str().to_owned(), count))
                .collect(),
        }
    }

    pub(super) fn into_model(self) -> Result<Anomalies, Unusable> {
        let mut anomalies = Anomalies::default();
        for (word, count) in self.unknown {
            let field = named(&word, both::<UnknownField>(), UnknownField::as_str)?;
            anomalies.add_unknown(field, count);
        }
        for (word, count) in self.skipped {
            let field = named(&word, both::<SkippedField>(), SkippedField::as_str)?;
            anomalies.add_skipped(field, count);
        }
        Ok(anomalies)
    }
}

/// The fields of either list.
fn both<F: secure_score_model::Field>() -> impl Iterator<Item = F> {
    F::PROFILES.iter().chain(F::SCORES).copied()
}
