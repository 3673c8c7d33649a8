//! What is known of one tenant.

use super::context::Settings;
use crate::events::{self, Coverage, Event, Seen};
use crate::graph::{GraphError, Subject};
use crate::store::TenantState;
use crate::store::disk::{SavedList, SavedRefresh, SavedTenant};
use secure_score_exposition::{render_data, render_health};
use secure_score_model::{
    Api, Catalogue, CategoryPins, FutureDates, Interner, PreviousScore, Recategorised, Report,
    TenantHealth, TenantIdentity, TenantSnapshot, Timestamp, Trouble,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// One tenant's lists, and what was computed from them.
///
/// A clone is cheap: everything large is behind an `Arc` and is copied only
/// where an update changes it.
#[derive(Clone)]
pub(super) struct TenantData {
    /// As configured, with the Entra id of a response where that has none.
    pub(super) identity: TenantIdentity,
    pub(super) settings: Arc<Settings>,
    pub(super) health: TenantHealth,
    pub(super) catalogue: Option<Cached<Catalogue>>,
    pub(super) future_dates: Arc<FutureDates>,
    pub(super) report: Option<Cached<Report>>,
    pub(super) had_controls: bool,
    pub(super) had_report: bool,
    /// Whether a catalogue was requested, or restored. The catalogue decides
    /// the category of a control: series rendered from a report alone would
    /// soon move to another one.
    pub(super) categories_known: bool,
    pub(super) pins: Arc<CategoryPins>,
    pub(super) previous_score: Option<PreviousScore>,
    pub(super) seen: Arc<Seen>,
    pub(super) rendered: Option<Arc<Rendered>>,
    /// Set when another cell replaces this one, or none.
    pub(super) stopped: bool,
}

/// A list, and until when it is exported.
#[derive(Clone)]
pub(super) struct Cached<T> {
    pub(super) list: SavedList<Arc<T>>,
    /// When it exceeds `max_staleness`, by the monotonic clock.
    pub(super) expires: Instant,
}

impl<T> Cached<T> {
    /// A list of an earlier process, unless it is too old.
    fn restore(list: SavedList<Arc<T>>, now: Timestamp, max_staleness: Duration) -> Option<Self> {
        let left = max_staleness.checked_sub(now.since(list.at))?;
        let expires = Instant::now() + left;
        Some(Self { list, expires })
    }

    /// Moves the expiry from one `max_staleness` to another.
    fn reschedule(&mut self, before: Duration, after: Duration) {
        let later = self.expires + after;
        self.expires = later.checked_sub(before).unwrap_or(later);
    }
}

impl<T: PartialEq> Cached<T> {
    /// Replaces a list, and returns whether its content changed. Equal content
    /// stays in the allocation it was rendered from.
    pub(super) fn replace(
        slot: &mut Option<Self>,
        mut list: SavedList<Arc<T>>,
        max_staleness: Duration,
    ) -> bool {
        let known = slot.as_ref().map(|it| &it.list.value);
        let known = known.filter(|it| **it == list.value);
        let changed = known.is_none();
        if let Some(known) = known {
            list.value = Arc::clone(known);
        }
        *slot = Some(Self {
            list,
            expires: Instant::now() + max_staleness,
        });
        changed
    }
}

pub(super) fn is_complete<T>(cached: Option<&Cached<T>>) -> bool {
    cached.is_some_and(|it| it.list.complete)
}

impl TenantData {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            identity: settings.identity.clone(),
            settings,
            health: TenantHealth::default(),
            catalogue: None,
            future_dates: Arc::default(),
            report: None,
            had_controls: false,
            had_report: false,
            categories_known: false,
            pins: Arc::default(),
            previous_score: None,
            seen: Arc::default(),
            rendered: None,
            stopped: false,
        }
    }

    /// Keeps the Entra id of a response where the configuration has none.
    fn learn_id(&mut self, id: Option<&Arc<str>>) {
        if self.identity.entra_tenant_id.is_none() {
            let id = id.filter(|id| !id.is_empty());
            self.identity.entra_tenant_id = id.map(|id| id.to_ascii_lowercase().into());
        }
    }

    /// Notes the Entra id of a response. Where the configured domain stood for
    /// another tenant before, everything known of that one is dropped.
    pub(super) fn identify(&mut self, id: Option<&Arc<str>>) {
        let id = id.filter(|id| !id.is_empty());
        let known = self.identity.entra_tenant_id.as_ref();
        if let (Some(known), Some(id)) = (known, id)
            && !known.eq_ignore_ascii_case(id)
        {
            tracing::warn!(
                tenant = %self.identity.alias,
                before = %known,
                now = %id,
                "the domain belongs to another Entra tenant than before; the tenant begins anew"
            );
            *self = Self {
                health: self.health.clone(),
                stopped: self.stopped,
                ..Self::new(Arc::clone(&self.settings))
            };
        }
        self.learn_id(id);
    }

    /// Whether it has a catalogue or a report that can be exported.
    pub(super) fn has_lists(&self) -> bool {
        self.catalogue.is_some() || self.report.is_some()
    }

    /// Stops exporting, because another alias is served of the same Entra
    /// tenant.
    pub(super) fn refuse_duplicate(&mut self, served: &str) {
        self.catalogue = None;
        self.report = None;
        for (api, subject) in [
            (Api::Profiles, Subject::Catalogue),
            (Api::Scores, Subject::Report),
        ] {
            let health = self.health.of_mut(api);
            health.up = false;
            health.trouble = Some(Trouble::from(&GraphError::duplicate_tenant(
                subject, served,
            )));
        }
    }

    /// The day of the report in use, if it is later than that of another.
    pub(super) fn newer_than(&self, report: &Report) -> Option<Timestamp> {
        let in_use = self.report.as_ref()?.list.value.as_of?;
        (in_use > report.as_of?).then_some(in_use)
    }

    /// Keeps the score of the current report when the new one is of a later
    /// day. Within a day Microsoft corrects its report.
    pub(super) fn remember_previous_score(&mut self, new: &Report) {
        let current = self.report.as_ref();
        let score = current.and_then(|it| PreviousScore::of(&it.list.value));
        let is_later = |it: &PreviousScore| new.as_of.is_some_and(|day| day > it.as_of);
        if let Some(score) = score.filter(is_later) {
            self.previous_score = Some(score);
        }
    }

    pub(super) fn reconfigure(&mut self, settings: Arc<Settings>) {
        let (before, after) = (self.settings.max_staleness, settings.max_staleness);
        let learned = self.identity.entra_tenant_id.take();
        self.identity = settings.identity.clone();
        self.learn_id(learned.as_ref());
        self.settings = settings;
        if let Some(it) = &mut self.catalogue {
            it.reschedule(before, after);
        }
        if let Some(it) = &mut self.report {
            it.reschedule(before, after);
        }
    }

    /// Takes over what an earlier process saved, unless it is too old. Returns
    /// the controls that Graph files under another category than the exporter.
    pub(super) fn restore(
        &mut self,
        saved: SavedTenant,
        interner: &Interner,
        now: Timestamp,
    ) -> Vec<Recategorised> {
        if saved.directory != self.settings.directory {
            tracing::warn!(
                tenant = %self.identity.alias,
                "the saved state belongs to another directory; the tenant is fetched again"
            );
            return Vec::new();
        }
        self.learn_id(saved.entra_tenant_id.as_ref());
        let of_tenant = |id: Option<&Arc<str>>| {
            let known = saved.entra_tenant_id.as_ref();
            let id = id.filter(|id| !id.is_empty());
            known.zip(id).is_none_or(|(a, b)| a.eq_ignore_ascii_case(b))
        };
        self.previous_score = saved.previous_score;
        self.seen = saved.seen;
        self.future_dates = saved.future_dates;
        let max_staleness = self.settings.max_staleness;
        let catalogue = saved.catalogue;
        let catalogue = catalogue.filter(|it| of_tenant(it.value.entra_tenant_id.as_ref()));
        self.catalogue = catalogue.and_then(|mut it| {
            interner.intern_catalogue(Arc::make_mut(&mut it.value));
            Cached::restore(it, now, max_staleness)
        });
        let report = saved.report;
        let report = report.filter(|it| of_tenant(Some(&it.value.entra_tenant_id)));
        self.report = report.and_then(|mut it| {
            interner.intern_report(Arc::make_mut(&mut it.value));
            Cached::restore(it, now, max_staleness)
        });
        let restored = [
            (Api::Profiles, self.catalogue.is_some()),
            (Api::Scores, self.report.is_some()),
        ];
        for (api, restored) in restored {
            let refresh = saved.lists.get(&api).filter(|_| restored);
            let health = self.health.of_mut(api);
            health.last_success = refresh.and_then(|it| it.last_success);
            health.up = refresh.is_some_and(|it| it.up);
            health.next_refresh = refresh.map(|it| it.next_refresh);
        }
        let catalogue = self.catalogue.as_ref().map(|it| &it.list.value);
        // The catalogue may be too old to be exported. An empty one is still a
        // failure then, and no sign that every control left.
        self.had_controls = saved.pins.iter().next().is_some();
        self.had_controls |= catalogue.is_some_and(|it| !it.entries.is_empty());
        self.had_report = self.report.is_some();
        self.categories_known = true;
        self.pins = saved.pins;
        let learn = |it: &Arc<_>| Arc::make_mut(&mut self.pins).learn(it);
        catalogue.map(learn).unwrap_or_default()
    }

    pub(super) fn to_saved(&self) -> SavedTenant {
        let refresh = |api: Api| {
            let health = self.health.of(api);
            let refresh = SavedRefresh {
                up: health.up,
                last_success: health.last_success,
                next_refresh: health.next_refresh?,
            };
            Some((api, refresh))
        };
        SavedTenant {
            alias: Arc::clone(&self.identity.alias),
            directory: self.settings.directory.clone(),
            entra_tenant_id: self.identity.entra_tenant_id.clone(),
            catalogue: self.catalogue.as_ref().map(|it| it.list.clone()),
            report: self.report.as_ref().map(|it| it.list.clone()),
            pins: Arc::clone(&self.pins),
            lists: Api::ALL.into_iter().filter_map(refresh).collect(),
            previous_score: self.previous_score,
            seen: Arc::clone(&self.seen),
            future_dates: Arc::clone(&self.future_dates),
        }
    }

    /// Joins and renders the lists anew where they, or what they are rendered
    /// with, changed. Returns whether it did.
    pub(super) fn render(&mut self) -> bool {
        let inputs = self.inputs();
        let current = self.rendered.as_ref();
        let outdated = self.categories_known && current.is_none_or(|it| it.inputs != inputs);
        if outdated {
            self.rendered = Some(Arc::new(Rendered::new(inputs)));
        }
        outdated
    }

    fn inputs(&self) -> Inputs {
        let catalogue = self.catalogue.as_ref();
        let report = self.report.as_ref();
        Inputs {
            identity: self.identity.clone(),
            settings: Shared(Arc::clone(&self.settings)),
            catalogue: catalogue.map(|it| Shared(Arc::clone(&it.list.value))),
            complete: is_complete(catalogue),
            has_evidence: catalogue.is_some_and(|it| it.list.has_evidence),
            report: report.map(|it| Shared(Arc::clone(&it.list.value))),
            pins: Shared(Arc::clone(&self.pins)),
            previous_score: self.previous_score,
        }
    }

    /// What happened to the controls since the last rendering.
    pub(super) fn detect_events(&mut self, now: Timestamp) -> Vec<Event> {
        let (Some(rendered), Some(catalogue)) = (&self.rendered, &self.catalogue) else {
            return Vec::new();
        };
        if self.settings.events.is_none() {
            return Vec::new();
        }
        let controls = &rendered.state.snapshot.controls;
        let list = &catalogue.list;
        let coverage = Coverage::of(&list.value, list.complete && !list.has_evidence);
        let seen = Arc::make_mut(&mut self.seen);
        events::detect(seen, &self.identity, controls, coverage, now)
    }

    /// What readers of the store see: the last rendering, and the health.
    pub(super) fn state(&self) -> TenantState {
        let rendered = self.rendered.as_ref().map(|it| it.state.clone());
        let state = rendered.unwrap_or_else(|| TenantState::new(self.identity.clone()));
        TenantState {
            health: self.health.clone(),
            health_lines: render_health(&state.identity, &self.health),
            ..state
        }
    }
}

/// The lists joined, as a snapshot and as samples.
pub(super) struct Rendered {
    inputs: Inputs,
    /// Without the health. The policy is published with the lines that were
    /// rendered with it.
    state: TenantState,
}

impl Rendered {
    /// A rendering depends on its inputs only, so that it cannot be outdated
    /// without comparing unequal.
    fn new(inputs: Inputs) -> Self {
        let settings = &inputs.settings.0;
        let joined = TenantSnapshot::join(
            inputs.catalogue.as_ref().map(|it| &*it.0),
            inputs.report.as_ref().map(|it| Arc::clone(&it.0)),
            &inputs.pins.0,
            &settings.rules,
        );
        let snapshot = TenantSnapshot {
            previous_score: inputs.previous_score,
            ..joined
        };
        let policy = Arc::clone(&settings.policy);
        let state = TenantState {
            data: render_data(&inputs.identity, &snapshot, &policy),
            snapshot: Arc::new(snapshot),
            policy,
            ..TenantState::new(inputs.identity.clone())
        };
        Self { inputs, state }
    }
}

/// All that a rendering, and the detection of events in it, depends on.
#[derive(PartialEq)]
struct Inputs {
    identity: TenantIdentity,
    settings: Shared<Settings>,
    catalogue: Option<Shared<Catalogue>>,
    complete: bool,
    has_evidence: bool,
    report: Option<Shared<Report>>,
    pins: Shared<CategoryPins>,
    previous_score: Option<PreviousScore>,
}

/// A value that is compared by address: an update that leaves it unchanged
/// keeps its allocation.
struct Shared<T>(Arc<T>);

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
