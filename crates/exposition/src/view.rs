//! What the families are rendered from.

use super::lines::shown;
use secure_score_model::{
    CatalogueEntry, Control, ControlScore, Naming, TenantHealth, TenantIdentity, TenantSnapshot,
};
use std::collections::HashSet;
use std::num::NonZeroUsize;

/// What the configuration says about series.
#[derive(Clone)]
pub struct Policy {
    /// How many of the last states of a control are looked at.
    pub lookback: NonZeroUsize,
    /// How the person who accepted is named in labels, if at all.
    pub accepted_by: Option<Naming>,
    /// Whether the comment stands in labels.
    pub comment: bool,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy")
            .field("lookback", &self.lookback)
            .field("accepted_by", &self.accepted_by.is_some())
            .field("comment", &self.comment)
            .finish()
    }
}

/// A tenant's data, and what may be shown of it.
pub struct DataView<'a> {
    pub(super) snapshot: &'a TenantSnapshot,
    pub(super) policy: &'a Policy,
    controls: Vec<&'a Control>,
}

impl<'a> DataView<'a> {
    /// Ids that differ only in what a label cannot show are one control to a
    /// reader. The first of them has the series, as Prometheus, too, keeps the
    /// first of two equal ones.
    pub(super) fn new(snapshot: &'a TenantSnapshot, policy: &'a Policy) -> Self {
        let mut seen = HashSet::new();
        let selected = snapshot.controls.iter().filter(|c| c.selected);
        Self {
            snapshot,
            policy,
            controls: selected.filter(|c| seen.insert(shown(&c.id))).collect(),
        }
    }

    /// The controls the configuration selects.
    pub(super) fn controls(&self) -> impl Iterator<Item = &'a Control> {
        self.controls.iter().copied()
    }

    /// Selected controls with what the catalogue says of them.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Control, &CatalogueEntry)> {
        self.controls()
            .filter_map(|control| Some((control, control.entry.as_deref()?)))
    }

    /// Selected controls with what the report says of them.
    pub(super) fn scores(&self) -> impl Iterator<Item = (&Control, &ControlScore)> {
        self.controls()
            .filter_map(|control| Some((control, control.score.as_deref()?)))
    }
}

/// A tenant's names and health.
pub struct HealthView<'a> {
    pub(super) identity: &'a TenantIdentity,
    pub(super) health: &'a TenantHealth,
}
