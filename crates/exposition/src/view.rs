//! What the families are rendered from.

use super::control_labels::ControlLabels;
use super::label::shown;
use super::series_set::SeriesSet;
use secure_score_model::{
    CatalogueEntry, Category, Control, Naming, Recommendation, TenantHealth, TenantIdentity,
    TenantSnapshot,
};
use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroUsize;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// About what the labels of a control take, bytes.
const BYTES_OF_LABELS: usize = 64;

/// The part of the configuration that shapes series.
#[derive(Clone)]
pub struct Policy {
    /// Which series there are.
    pub series: SeriesSet,
    /// How many of the last states of a control `…_in_lookback` covers.
    pub lookback: NonZeroUsize,
    /// How labels name the person who accepted; `None` leaves the person out.
    pub accepted_by: Option<Naming>,
    /// Whether labels carry the comment.
    pub comment: bool,
}

impl Default for Policy {
    /// The configuration's defaults: every series, three states, no person, no comment.
    fn default() -> Self {
        Self {
            series: SeriesSet::default(),
            lookback: NonZeroUsize::MIN.saturating_add(2),
            accepted_by: None,
            comment: false,
        }
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy")
            .field("series", &self.series)
            .field("lookback", &self.lookback)
            .field("accepted_by", &self.accepted_by.is_some())
            .field("comment", &self.comment)
            .finish()
    }
}

/// A tenant's data, limited to what its series may show.
pub struct DataView<'a> {
    pub(super) snapshot: &'a TenantSnapshot,
    pub(super) policy: &'a Policy,
    /// The controls, and where their labels are in `labels`.
    controls: Vec<(&'a Control, Range<usize>)>,
    labels: Arc<[u8]>,
    recommendations: Vec<&'a Recommendation>,
    categories: Option<&'a BTreeSet<Category>>,
}

impl<'a> DataView<'a> {
    /// A view of some categories, or of all.
    ///
    /// Of control ids that are the same label value, the first one has the
    /// series: Prometheus, too, keeps the first of two equal series.
    pub(super) fn new(
        snapshot: &'a TenantSnapshot,
        policy: &'a Policy,
        categories: Option<&'a BTreeSet<Category>>,
    ) -> Self {
        let mut view = Self {
            snapshot,
            policy,
            controls: Vec::new(),
            labels: Arc::default(),
            recommendations: Vec::new(),
            categories,
        };
        let mut seen = HashSet::with_capacity(snapshot.controls.len());
        let selected = snapshot.controls.iter().filter(|it| it.selected);
        let controls = selected.filter(|it| seen.insert(shown(&it.id)));
        let controls = controls.filter(|it| view.shows(it.category));
        let mut labels = Vec::with_capacity(snapshot.controls.len() * BYTES_OF_LABELS);
        let controls = controls.map(|control| {
            let start = labels.len();
            ControlLabels::write(control, &mut labels);
            (control, start..labels.len())
        });
        view.controls = controls.collect();
        view.labels = labels.into();
        let mut seen = HashSet::new();
        let selected = snapshot.recommendations.iter().filter(|it| it.selected);
        let recommendations = selected.filter(|it| seen.insert(shown(&it.entry.name)));
        view.recommendations = recommendations.collect();
        view
    }

    /// The same without the controls and recommendations whose state was never
    /// declared.
    pub(super) fn declared(&self) -> Self {
        let recommendations = self.recommendations().filter(|it| it.is_declared());
        self.limited_to(Control::was_declared, recommendations.collect())
    }

    /// The same without the controls that are neither scored nor declared.
    pub(super) fn scored_or_declared(&self) -> Self {
        let counts = |it: &Control| it.score.is_some() || it.was_declared();
        self.limited_to(counts, self.recommendations.clone())
    }

    fn limited_to(
        &self,
        is_shown: impl Fn(&Control) -> bool,
        recommendations: Vec<&'a Recommendation>,
    ) -> Self {
        let controls = self.controls.iter().filter(|(it, _)| is_shown(it));
        Self {
            controls: controls.cloned().collect(),
            labels: Arc::clone(&self.labels),
            recommendations,
            ..*self
        }
    }

    /// Whether series of a category are shown.
    pub(super) fn shows(&self, category: Category) -> bool {
        self.categories.is_none_or(|them| them.contains(&category))
    }

    /// The controls that the configuration selects.
    pub(super) fn controls(&self) -> impl Iterator<Item = ShownControl<'_>> {
        self.controls.iter().map(|(control, place)| {
            let labels = self.labels.get(place.clone()).unwrap_or_default();
            let labels = ControlLabels::new(control, labels);
            ShownControl { control, labels }
        })
    }

    /// The recommendations that the configuration selects.
    pub(super) fn recommendations(&self) -> impl Iterator<Item = &'a Recommendation> {
        self.recommendations.iter().copied()
    }

    /// Selected controls with their catalogue entry.
    pub(super) fn entries(&self) -> impl Iterator<Item = (ShownControl<'_>, &CatalogueEntry)> {
        self.controls().filter_map(|shown| {
            let entry = shown.control.entry.as_deref()?;
            Some((shown, entry))
        })
    }
}

/// A control that has series.
pub(super) struct ShownControl<'a> {
    control: &'a Control,
    pub(super) labels: ControlLabels<'a>,
}

impl Deref for ShownControl<'_> {
    type Target = Control;

    fn deref(&self) -> &Control {
        self.control
    }
}

/// A tenant's names and health.
pub struct HealthView<'a> {
    pub(super) identity: &'a TenantIdentity,
    pub(super) health: &'a TenantHealth,
}
