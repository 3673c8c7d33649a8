//! What is known of one tenant.

use super::context::Settings;
use super::kept_list::KeptList;
use super::rendered::{Inputs, Rendered, Shared};
use super::requested_lists::RequestedLists;
use super::wait::Wait;
use crate::config::Enabled;
use crate::events::{self, Coverage, Event, Seen};
use crate::graph::{GraphError, Subject};
use crate::store::TenantState;
use secure_score_exposition::render_health;
use secure_score_model::{
    Api, Catalogue, CategoryPins, DailyScore, FutureDates, IdentityScore, NewStatus,
    RecommendationList, RefreshHealth, Report, ScoreHistory, SkippedField, StatusHistories,
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
    pub(super) catalogue: KeptList<Catalogue>,
    pub(super) future_dates: Arc<FutureDates>,
    pub(super) report: KeptList<Report>,
    pub(super) recommendations: KeptList<RecommendationList>,
    pub(super) identity_score: KeptList<IdentityScore>,
    /// The statuses that the recommendations had.
    pub(super) statuses: Arc<StatusHistories>,
    /// Since when Graph has sent reports older than that one only.
    pub(super) older_since: Option<Timestamp>,
    pub(super) requested_lists: RequestedLists,
    pub(super) had_controls: bool,
    pub(super) had_report: bool,
    /// Whether a catalogue was requested, or restored. The catalogue decides
    /// the category of a control: series rendered from a report alone would
    /// soon move to another one.
    pub(super) categories_known: bool,
    pub(super) pins: Arc<CategoryPins>,
    pub(super) score_history: Arc<ScoreHistory>,
    pub(super) seen: Arc<Seen>,
    pub(super) rendered: Option<Arc<Rendered>>,
    /// Set when another cell replaces this one, or none.
    pub(super) stopped: bool,
}

impl TenantData {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            identity: settings.identity.clone(),
            settings,
            health: TenantHealth::default(),
            waits: BTreeMap::new(),
            catalogue: KeptList::default(),
            future_dates: Arc::default(),
            report: KeptList::default(),
            recommendations: KeptList::default(),
            identity_score: KeptList::default(),
            statuses: Arc::default(),
            older_since: None,
            requested_lists: RequestedLists::default(),
            had_controls: false,
            had_report: false,
            categories_known: false,
            pins: Arc::default(),
            score_history: Arc::default(),
            seen: Arc::default(),
            rendered: None,
            stopped: false,
        }
    }

    /// Keeps the Entra id of a response where the configuration has none.
    pub(super) fn learn_id(&mut self, id: Option<&Arc<str>>) {
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
            let health = TenantHealth {
                recommendations: RefreshHealth::default(),
                identity_scores: RefreshHealth::default(),
                ..self.health.clone()
            };
            *self = Self {
                health,
                stopped: self.stopped,
                ..Self::new(Arc::clone(&self.settings))
            };
        }
        self.learn_id(id);
    }

    /// Whether a list is refreshed whatever the token allows: those of Secure
    /// Score, and those of Entra that were read once or are switched on.
    pub(super) fn is_expected(&self, api: Api) -> bool {
        let enabled = self.settings.recommendations.enabled;
        enabled == Enabled::On || self.was_read(api)
    }

    /// Whether a list of Entra was ever read; true for those of Secure Score.
    pub(super) fn was_read(&self, api: Api) -> bool {
        let has_list = match api {
            Api::Profiles | Api::Scores => true,
            Api::Recommendations => self.recommendations.last().is_some(),
            Api::IdentityScores => self.identity_score.last().is_some(),
        };
        has_list || self.health.of(api).last_success.is_some()
    }

    /// Drops the lists of Entra where the configuration switches them off. The
    /// statuses stay: Graph could not tell them again.
    pub(super) fn forget_unwanted(&mut self) {
        if self.settings.recommendations.enabled != Enabled::Off {
            return;
        }
        self.recommendations = KeptList::default();
        self.identity_score = KeptList::default();
        for api in Api::ENTRA {
            *self.health.of_mut(api) = RefreshHealth::default();
            self.waits.remove(&api);
        }
    }

    /// Whether it has a catalogue or a report that can be exported.
    pub(super) fn has_lists(&self) -> bool {
        self.catalogue.current().is_some() || self.report.current().is_some()
    }

    /// Stops exporting, because another alias is served of the same Entra
    /// tenant.
    pub(super) fn refuse_duplicate(&mut self, served: &str) {
        self.requested_lists = RequestedLists::default();
        self.catalogue = KeptList::default();
        self.report = KeptList::default();
        self.recommendations = KeptList::default();
        self.identity_score = KeptList::default();
        let lists: Vec<Api> = self.health.lists().map(|(api, _)| api).collect();
        for api in lists {
            let error = GraphError::duplicate_tenant(Subject::of(api), served);
            let health = self.health.of_mut(api);
            health.up = false;
            health.trouble = Some(Trouble::from(&error));
        }
    }

    /// The day of the last report, if it is later than that of another one,
    /// which is not used then.
    ///
    /// Microsoft's replicas differ for a while, so the older one counts only
    /// where Graph has sent no newer one for `max_staleness`: Microsoft has
    /// withdrawn the last one then. A report without a day counts as older.
    pub(super) fn refuse_older(&mut self, report: &Report, now: Timestamp) -> Option<Timestamp> {
        let last = self.report.last().and_then(|it| it.value.as_of);
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
    /// cause. A delay that Microsoft asked for stays, and holds for all lists.
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

    pub(super) fn make_due(&mut self, api: Api, now: Timestamp) {
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
    pub(super) fn is_waiting(&self, api: Api) -> bool {
        self.waits.get(&api).is_some_and(Wait::is_requested)
    }

    /// Adds the score of the newest report to those of the days before.
    pub(super) fn remember_score(&mut self, report: &Report) {
        let Some(score) = DailyScore::of(report) else {
            return;
        };
        if self.score_history.days().last() != Some(&score) {
            Arc::make_mut(&mut self.score_history).add_newest(score);
        }
    }

    pub(super) fn reconfigure(&mut self, settings: Arc<Settings>, now: Timestamp) {
        // Some of their loops may be stopped, and nothing old is shown after a reload.
        self.requested_lists = RequestedLists::default();
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
            let up = self.health.of(api).up;
            self.change_wait(api, now, |it| it.capped(interval, up));
        }
        self.catalogue.reschedule(before, after);
        self.report.reschedule(before, after);
        self.recommendations.reschedule(before, after);
        self.identity_score.reschedule(before, after);
        self.forget_unwanted();
    }

    /// Joins and renders the lists anew where they, or what they are rendered
    /// with, changed. Returns whether it did.
    pub(super) fn render(&mut self, now: Timestamp) -> bool {
        let inputs = self.inputs(now);
        let current = self.rendered.as_ref();
        let outdated = self.is_rendered() && current.is_none_or(|it| it.inputs != inputs);
        if outdated {
            self.rendered = Some(Arc::new(Rendered::new(inputs)));
        }
        outdated
    }

    /// Whether there is enough to render.
    fn is_rendered(&self) -> bool {
        self.categories_known && !self.requested_lists.are_awaited()
    }

    fn inputs(&self, now: Timestamp) -> Inputs {
        let ends = self.settings.rules.decision_ends();
        let catalogue = self.catalogue.current();
        Inputs {
            identity: self.identity.clone(),
            settings: Shared(Arc::clone(&self.settings)),
            catalogue: shared(&self.catalogue),
            complete: self.catalogue.is_complete(),
            has_evidence: catalogue.is_some_and(|it| it.has_evidence),
            report: shared(&self.report),
            recommendations: shared(&self.recommendations),
            identity_score: shared(&self.identity_score),
            statuses: Shared(self.statuses_to_render()),
            pins: Shared(Arc::clone(&self.pins)),
            score_history: Shared(Arc::clone(&self.score_history)),
            judged_at: ends.filter(|end| *end <= now).max(),
        }
    }

    /// The statuses, in the allocation of the last rendering if it shows the same:
    /// each list moves when they were last seen.
    fn statuses_to_render(&self) -> Arc<StatusHistories> {
        let rendered = self.rendered.as_ref();
        let rendered = rendered.map(|it| &it.inputs.statuses.0);
        let same = rendered.filter(|it| it.shows_same(&self.statuses));
        Arc::clone(same.unwrap_or(&self.statuses))
    }

    /// Remembers the present statuses of the recommendations, and returns those
    /// that are new. It waits for the catalogue, which says what the controls of
    /// their events are, and for a first complete list: what an incomplete one
    /// lacks is not new when it appears.
    pub(super) fn observe_statuses(&mut self, now: Timestamp) -> Vec<NewStatus> {
        let list = self.recommendations.current();
        let list = list.filter(|it| it.complete || !self.statuses.is_empty());
        let Some(list) = list.filter(|_| self.is_rendered()) else {
            return Vec::new();
        };
        let mut statuses = StatusHistories::clone(&self.statuses);
        let unread = [SkippedField::Element, SkippedField::Id];
        let anomalies = &list.value.anomalies;
        let is_readable = unread
            .iter()
            .all(|field| anomalies.count_skipped(*field) == 0);
        let is_complete = list.complete && !list.has_evidence;
        let is_complete = is_complete && is_readable;
        let new = statuses.observe(&list.value, is_complete, list.at, now);
        if statuses != *self.statuses {
            self.statuses = Arc::new(statuses);
        }
        new
    }

    /// The events of new statuses of recommendations.
    pub(super) fn status_events(&self, new: &[NewStatus], now: Timestamp) -> Vec<Event> {
        let Some(rendered) = self
            .rendered
            .as_ref()
            .filter(|_| self.settings.events.is_some())
        else {
            return Vec::new();
        };
        let snapshot = &rendered.state.snapshot;
        events::of_statuses(&self.identity, snapshot, new, now)
    }

    /// What happened to the controls since the last rendering.
    pub(super) fn detect_events(&mut self, now: Timestamp) -> Vec<Event> {
        let (Some(rendered), Some(list)) = (&self.rendered, self.catalogue.current()) else {
            return Vec::new();
        };
        if self.settings.events.is_none() {
            return Vec::new();
        }
        let snapshot = &rendered.state.snapshot;
        let controls = (snapshot.controls.as_slice(), snapshot.minimum_reason);
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
            health_lines: render_health(&state.identity, &self.health, self.settings.policy.series),
            ..state
        }
    }
}

fn shared<T>(list: &KeptList<T>) -> Option<Shared<T>> {
    let current = list.current();
    current.map(|it| Shared(Arc::clone(&it.value)))
}
