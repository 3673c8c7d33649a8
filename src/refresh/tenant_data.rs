//! What is known of one tenant.

use super::cached::Cached;
use super::context::Settings;
use super::rendered::{Inputs, Rendered, Shared};
use super::wait::Wait;
use crate::events::{self, Coverage, Event, Seen};
use crate::graph::{GraphError, Subject};
use crate::store::TenantState;
use crate::store::saved_tenant::{SavedList, SavedRefresh, SavedTenant};
use secure_score_exposition::render_health;
use secure_score_model::{
    Api, Catalogue, CategoryPins, FutureDates, Interner, PreviousScore, Recategorised, Report,
    TenantHealth, TenantIdentity, Timestamp, Trouble, is_future_day,
};
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// When each list is due.
    pub(super) waits: BTreeMap<Api, Wait>,
    pub(super) catalogue: Option<Cached<Catalogue>>,
    /// The last one, also when it is too old to be exported.
    pub(super) last_catalogue: Option<SavedList<Arc<Catalogue>>>,
    pub(super) future_dates: Arc<FutureDates>,
    pub(super) report: Option<Cached<Report>>,
    /// The last one, also when it is too old to be exported: no older one
    /// replaces it.
    pub(super) last_report: Option<SavedList<Arc<Report>>>,
    /// Since when Graph has sent reports older than that one only.
    pub(super) older_since: Option<Timestamp>,
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

pub(super) fn is_complete<T>(cached: Option<&Cached<T>>) -> bool {
    cached.is_some_and(|it| it.list.complete)
}

impl TenantData {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            identity: settings.identity.clone(),
            settings,
            health: TenantHealth::default(),
            waits: BTreeMap::new(),
            catalogue: None,
            last_catalogue: None,
            future_dates: Arc::default(),
            report: None,
            last_report: None,
            older_since: None,
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
        self.last_catalogue = None;
        self.report = None;
        self.last_report = None;
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

    /// The day of the last report, if it is later than that of another one,
    /// which is not used then.
    ///
    /// Microsoft's replicas differ for a while, so the older one counts only
    /// where Graph has sent no newer one for `max_staleness`: Microsoft has
    /// withdrawn the last one then. A report without a day counts as older.
    pub(super) fn refuse_older(&mut self, report: &Report, now: Timestamp) -> Option<Timestamp> {
        let last = self.last_report.as_ref().and_then(|it| it.value.as_of);
        let newer = last.filter(|last| {
            !is_future_day(*last, now) && report.as_of.is_none_or(|day| day < *last)
        });
        // Of a clock that was ahead.
        let since = self.older_since.filter(|since| *since <= now);
        self.older_since = newer.map(|_| since.unwrap_or(now));
        let outlasted = |since| now.since(since) >= self.settings.refresh.max_staleness;
        if self.older_since.is_some_and(outlasted) {
            self.older_since = None;
            return None;
        }
        newer
    }

    /// Makes failing lists due at once, as an administrator may have fixed the
    /// cause. A delay that Microsoft asked for stays, and holds for both lists.
    pub(super) fn retry_failed(&mut self, now: Timestamp) {
        for api in Api::ALL {
            if self.can_retry(api) {
                match self.is_waiting(api) {
                    true => self.change_wait(api, now, Wait::shortened),
                    false => self.make_due(api, now),
                }
            }
        }
        let waits = self.waits.values().map(|it| it.shortened());
        let Some(longest) = waits.max_by_key(Wait::requested_rest) else {
            return;
        };
        for api in Api::ALL {
            let rest = self.waits.get(&api).map(Wait::rest);
            if !self.is_waiting(api) && rest.unwrap_or_default() < longest.requested_rest() {
                self.waits.insert(api, longest);
                self.health.of_mut(api).next_refresh = Some(now.plus(longest.rest()));
            }
        }
    }

    fn change_wait(&mut self, api: Api, now: Timestamp, change: impl Fn(Wait) -> Wait) {
        let Some(wait) = self.waits.get_mut(&api) else {
            return;
        };
        let changed = change(*wait);
        if changed != *wait {
            *wait = changed;
            self.health.of_mut(api).next_refresh = Some(now.plus(wait.rest()));
        }
    }

    fn make_due(&mut self, api: Api, now: Timestamp) {
        self.waits.remove(&api);
        self.health.of_mut(api).next_refresh = Some(now);
    }

    /// Whether a list fails and waits longer than Microsoft asked for.
    pub(super) fn can_retry(&self, api: Api) -> bool {
        let wait = self.waits.get(&api);
        let can_end = wait.is_none_or(|it| !it.is_requested() || it.shortened() != *it);
        self.health.of(api).trouble.is_some() && can_end
    }

    /// Whether Microsoft asked for a delay of a list that is not over.
    fn is_waiting(&self, api: Api) -> bool {
        self.waits.get(&api).is_some_and(Wait::is_requested)
    }

    /// Keeps the score of the last report when the new one is of a later day. Within a day Microsoft corrects its report.
    pub(super) fn remember_previous_score(&mut self, new: &Report) {
        let last = self.last_report.as_ref();
        let score = last.and_then(|it| PreviousScore::of(&it.value));
        let is_later = |it: &PreviousScore| new.as_of.is_some_and(|day| day > it.as_of);
        if let Some(score) = score.filter(is_later) {
            self.previous_score = Some(score);
        }
    }

    pub(super) fn reconfigure(&mut self, settings: Arc<Settings>, now: Timestamp) {
        let (before, after) = (
            self.settings.refresh.max_staleness,
            settings.refresh.max_staleness,
        );
        let learned = self.identity.entra_tenant_id.take();
        self.identity = settings.identity.clone();
        self.learn_id(learned.as_ref());
        self.settings = settings;
        for api in Api::ALL {
            let interval = self.settings.refresh.interval(api);
            self.change_wait(api, now, |it| it.capped(interval));
        }
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
        let is_valid = |day: Timestamp| !is_future_day(day, now);
        self.previous_score = saved.previous_score.filter(|it| is_valid(it.as_of));
        self.seen = saved.seen;
        self.future_dates = saved.future_dates;
        self.older_since = saved.older_since;
        let max_staleness = self.settings.refresh.max_staleness;
        let catalogue = saved.catalogue;
        let catalogue = catalogue.filter(|it| of_tenant(it.value.entra_tenant_id.as_ref()));
        self.last_catalogue = catalogue.map(|mut it| {
            interner.intern_catalogue(Arc::make_mut(&mut it.value));
            it.not_later_than(now)
        });
        let last = self.last_catalogue.clone();
        self.catalogue = last.and_then(|it| Cached::restore(it, now, max_staleness));
        let report = saved.report;
        let report = report.filter(|it| of_tenant(Some(&it.value.entra_tenant_id)));
        let report = report.filter(|it| it.value.as_of.is_none_or(is_valid));
        self.last_report = report.map(|mut it| {
            interner.intern_report(Arc::make_mut(&mut it.value));
            it.not_later_than(now)
        });
        let last = self.last_report.clone();
        self.report = last.and_then(|it| Cached::restore(it, now, max_staleness));
        for (api, refresh) in saved.lists {
            self.restore_refresh(api, refresh, now);
        }
        self.retry_failed(now);
        let catalogue = self.last_catalogue.as_ref().map(|it| &it.value);
        // The catalogue may be too old to be exported. An empty one is still a
        // failure then, and no sign that every control left.
        self.had_controls = saved.pins.iter().next().is_some();
        self.had_controls |= catalogue.is_some_and(|it| !it.entries.is_empty());
        self.had_report = self.last_report.is_some();
        self.categories_known = true;
        self.pins = saved.pins;
        let learn = |it: &Arc<_>| Arc::make_mut(&mut self.pins).learn(it);
        catalogue.map(learn).unwrap_or_default()
    }

    /// Takes over the refreshes of a list, and why the last one failed. A list
    /// without data to export is due at once.
    fn restore_refresh(&mut self, api: Api, saved: SavedRefresh, now: Timestamp) {
        let (wait, next_refresh) = Wait::restore(&saved, self.settings.refresh.interval(api), now);
        let is_restored = match api {
            Api::Profiles => self.catalogue.is_some(),
            Api::Scores => self.report.is_some(),
        };
        let health = self.health.of_mut(api);
        health.up = saved.up;
        health.last_success = saved.last_success.map(|it| it.min(now));
        health.next_refresh = Some(next_refresh);
        health.refreshes = saved.refreshes;
        health.failures = saved.failures;
        health.trouble = saved.trouble;
        self.waits.insert(api, wait);
        if !is_restored && !self.is_waiting(api) {
            self.make_due(api, now);
        }
    }

    pub(super) fn to_saved(&self, now: Timestamp) -> SavedTenant {
        let refresh = |api: Api| {
            let health = self.health.of(api);
            let wait = self.waits.get(&api);
            let requested = wait.filter(|it| it.is_requested());
            let refresh = SavedRefresh {
                up: health.up,
                last_success: health.last_success,
                next_refresh: health.next_refresh?,
                decided_at: wait.map(|it| it.decided_at),
                requested_until: requested.map(|it| now.plus(it.requested_rest())),
                refreshes: health.refreshes,
                failures: health.failures.clone(),
                trouble: health.trouble.clone(),
            };
            Some((api, refresh))
        };
        SavedTenant {
            alias: Arc::clone(&self.identity.alias),
            directory: self.settings.directory.clone(),
            entra_tenant_id: self.identity.entra_tenant_id.clone(),
            catalogue: self.last_catalogue.clone(),
            report: self.last_report.clone(),
            older_since: self.older_since,
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
