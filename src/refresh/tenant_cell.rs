//! One tenant's data, and the only way to change it.

use super::context::{Context, Settings};
use super::directories::{Refusable, ServedAlias};
use super::logged_once::LoggedOnce;
use super::requested_lists::RequestedLists;
use super::tenant_data::TenantData;
use super::wait::Wait;
use crate::graph::{Fetched, GraphError, KnownList, ListAnswer, PastScores, Subject};
use crate::store::saved_tenant::{SavedList, SavedTenant};
use parking_lot::{Mutex, MutexGuard};
use secure_score_model::{
    Api, Catalogue, IdentityScore, Interner, RecommendationList, Report, ScoreHistory, Timestamp,
    Traffic, Trouble,
};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// One tenant's data, shared by its refresh loops.
///
/// A list replaces its predecessor completely or not at all; a failure leaves
/// the predecessor in use until `max_staleness`.
pub(super) struct TenantCell {
    alias: Arc<str>,
    context: Context,
    data: Mutex<TenantData>,
    pub(super) logged: LoggedOnce,
}

/// A list as Graph returned it.
pub(super) enum FetchResult {
    Catalogue(ListAnswer<Catalogue>),
    Report(ListAnswer<Option<Report>, Report>),
    Recommendations(ListAnswer<RecommendationList>),
    IdentityScore(Fetched<Option<IdentityScore>>),
}

impl TenantCell {
    /// A cell with what an earlier process saved of the tenant.
    pub(super) fn new(
        settings: Arc<Settings>,
        context: Context,
        saved: Option<SavedTenant>,
    ) -> Self {
        let alias = Arc::clone(&settings.identity.alias);
        let mut data = TenantData::new(settings);
        let logged = LoggedOnce::default();
        if let Some(saved) = saved {
            let moves = data.restore(saved, &context.interner, (context.clock)());
            logged.moved_controls(&alias, moves);
        }
        Self {
            alias,
            context,
            data: Mutex::new(data),
            logged,
        }
    }

    pub(super) fn alias(&self) -> &str {
        &self.alias
    }

    /// Joins the aliases of its Entra tenant, as far as that is known.
    pub(super) fn attach(self: &Arc<Self>) {
        let (id, has_data) = {
            let data = self.data.lock();
            (data.identity.entra_tenant_id.clone(), data.has_lists())
        };
        let weak: Weak<Self> = Arc::downgrade(self);
        let directories = &self.context.directories;
        let alias = directories.attach(&self.alias, id, has_data, weak);
        if let ServedAlias::Other(served) = alias {
            self.refuse(&served);
        }
    }

    /// What a later process would take over.
    #[cfg(test)]
    pub(super) fn saved(&self) -> SavedTenant {
        self.data.lock().to_saved(self.now())
    }

    pub(super) fn interner(&self) -> &Interner {
        &self.context.interner
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.context.clock)()
    }

    /// The catalogue, if it would be the same when its answer was decoded again now:
    /// the time decides how changes dated in the future are read.
    pub(super) fn known_catalogue(&self) -> Option<KnownList<Catalogue>> {
        let now = self.now();
        let data = self.data.lock();
        let known = data.catalogue.known();
        known.filter(|it| data.future_dates.is_settled(&it.value, now))
    }

    /// The report, if it is known what its answer was.
    pub(super) fn known_report(&self) -> Option<KnownList<Report>> {
        self.data.lock().report.known()
    }

    /// The recommendations, likewise.
    pub(super) fn known_recommendations(&self) -> Option<KnownList<RecommendationList>> {
        self.data.lock().recommendations.known()
    }

    /// A list that Graph returned now.
    pub(super) fn list<T>(&self, value: &Arc<T>, partial: bool) -> SavedList<Arc<T>> {
        SavedList {
            at: self.now(),
            complete: !partial,
            has_evidence: false,
            value: Arc::clone(value),
        }
    }

    /// Begins a change. The other loops of the tenant wait for its end.
    pub(super) fn update(&self) -> Update<'_> {
        let current = self.data.lock();
        Update {
            cell: self,
            next: current.clone(),
            current,
            duplicates: Vec::new(),
            save: false,
        }
    }

    /// Applies another configuration, and publishes the data it results in.
    pub(super) fn reconfigure(&self, settings: Arc<Settings>) {
        let mut update = self.update();
        update.next.reconfigure(settings, self.now());
        update.publish();
    }

    /// Drops the lists that exceed `max_staleness`, and publishes the gap.
    pub(super) fn drop_expired(&self) {
        let now = Instant::now();
        let mut update = self.update();
        let next = &mut update.next;
        let catalogue = next.catalogue.drop_expired(now);
        let report = next.report.drop_expired(now);
        let recommendations = next.recommendations.drop_expired(now);
        let identity_score = next.identity_score.drop_expired(now);
        if catalogue || report || recommendations || identity_score {
            tracing::warn!(
                tenant = %self.alias,
                catalogue,
                report,
                recommendations,
                identity_score,
                "data older than max_staleness is no longer exported"
            );
            if !update.next.has_lists() {
                self.context.directories.has_no_data(&self.alias);
            }
            update.publish();
        }
    }

    /// Renders the catalogue and the report together when both were requested, if the
    /// tenant has no data yet.
    pub(super) fn request_first_lists(&self) {
        let mut data = self.data.lock();
        if !data.categories_known {
            data.requested_lists = RequestedLists::first();
        }
    }

    /// Notes that a refresh of a list begins; it may still wait for its permit.
    pub(super) fn begin(&self, api: Api) {
        self.data.lock().requested_lists.begin(api);
    }

    /// Waits until one list is rendered without the other, if it waits for it.
    pub(super) async fn render_late(&self) {
        let wait_ends = self.data.lock().requested_lists.wait_ends();
        let Some(wait_ends) = wait_ends else {
            return;
        };
        tokio::time::sleep_until(wait_ends).await;
        let mut update = self.update();
        if update.next.requested_lists.wait_ends().is_some() {
            update.next.requested_lists = RequestedLists::default();
            update.publish();
        }
    }

    /// When a decision for the tenant ends next after a time.
    pub(super) fn next_decision_end(&self, now: Timestamp) -> Option<Timestamp> {
        let settings = Arc::clone(&self.data.lock().settings);
        let ends = settings.rules.decision_ends();
        ends.filter(|end| *end > now).min()
    }

    /// Renders the data with the decisions judged for the present time.
    pub(super) fn judge_decisions(&self) {
        self.update().publish();
    }

    /// Whether the scores of the days before the report are unknown.
    pub(super) fn lacks_past_scores(&self) -> bool {
        self.data.lock().score_history.lacks_days()
    }

    /// Publishes the scores of past days.
    pub(super) fn add_past_scores(&self, past: PastScores, traffic: Traffic) {
        let mut update = self.update();
        let before = &update.next.score_history;
        let mut history = ScoreHistory::clone(before);
        history.add_past(past.days, past.complete);
        if history != **before {
            update.next.score_history = history.into();
        }
        update.next.health.traffic = traffic;
        update.save = true;
        update.publish();
    }

    /// When a list exceeds `max_staleness`, if there is one.
    pub(super) fn expires_at(&self, api: Api) -> Option<Instant> {
        let data = self.data.lock();
        match api {
            Api::Profiles => data.catalogue.expires(),
            Api::Scores => data.report.expires(),
            Api::Recommendations => data.recommendations.expires(),
            Api::IdentityScores => data.identity_score.expires(),
        }
    }

    /// Publishes nothing from now on. A loop that is stopped in the middle of a
    /// refresh would otherwise bring back a removed tenant.
    pub(super) fn stop_publishing(&self) {
        self.data.lock().stopped = true;
    }

    /// Makes failing lists due at once, see [`TenantData::retry_failed`].
    pub(super) fn retry_failed(&self) {
        let now = self.now();
        self.data.lock().retry_failed(now);
    }

    /// Whether a list fails that [`retry_failed`](Self::retry_failed) makes due.
    pub(super) fn is_failing(&self) -> bool {
        let data = self.data.lock();
        Api::ALL.into_iter().any(|api| data.can_retry(api))
    }

    /// Whether a list is refreshed whatever the token allows, see
    /// [`TenantData::is_expected`].
    pub(super) fn is_expected(&self, api: Api) -> bool {
        self.data.lock().is_expected(api)
    }

    /// How long a list is not due, by the schedule of an earlier loop.
    pub(super) fn not_due_for(&self, api: Api) -> Option<Duration> {
        let wait = self.data.lock().waits.get(&api).copied()?;
        Some(wait.rest()).filter(|rest| !rest.is_zero())
    }
}

impl Refusable for TenantCell {
    fn refuse(&self, served: &str) {
        let mut update = self.update();
        update.next.refuse_duplicate(served);
        update.publish();
    }
}

/// A change to a tenant, made to a copy of its data.
///
/// [`publish`](Self::publish) ends it, in the one order that is right. An
/// update that is dropped before, by a panic for instance, leaves the tenant
/// as it was.
#[must_use = "an update that is not published changes nothing"]
pub(super) struct Update<'a> {
    pub(super) cell: &'a TenantCell,
    current: MutexGuard<'a, TenantData>,
    pub(super) next: TenantData,
    /// Other aliases of the same Entra tenant.
    duplicates: Vec<Arc<dyn Refusable>>,
    pub(super) save: bool,
}

impl Update<'_> {
    /// Takes over a list. An error is a failure of the refresh, although a
    /// partial list is taken over where there is no complete one.
    pub(super) fn apply(&mut self, fetched: FetchResult) -> Result<(), GraphError> {
        match fetched {
            FetchResult::Catalogue(answer) => self.apply_catalogue(answer),
            FetchResult::Report(answer) => self.apply_report(answer),
            FetchResult::Recommendations(answer) => self.apply_recommendations(answer),
            FetchResult::IdentityScore(fetched) => self.apply_identity_score(fetched),
        }
    }

    pub(super) fn max_staleness(&self) -> Duration {
        self.next.settings.refresh.max_staleness
    }

    /// Notes the Entra tenant of a response. Fails if another alias is served
    /// of it.
    pub(super) fn identify(
        &mut self,
        subject: Subject,
        id: Option<&Arc<str>>,
    ) -> Result<(), GraphError> {
        let next = &mut self.next;
        next.identify(id);
        let id = next.identity.entra_tenant_id.clone();
        let directories = &self.cell.context.directories;
        match directories.answered(&self.cell.alias, id) {
            ServedAlias::This(duplicates) => {
                self.duplicates = duplicates;
                Ok(())
            }
            ServedAlias::Other(served) => {
                next.refuse_duplicate(&served);
                Err(GraphError::duplicate_tenant(subject, &served))
            }
        }
    }

    /// Records how a refresh ended and when the next one is due.
    pub(super) fn record_outcome(
        &mut self,
        api: Api,
        outcome: &Result<(), GraphError>,
        traffic: Traffic,
        next_in: Duration,
    ) {
        let now = self.cell.now();
        let error = outcome.as_ref().err();
        let wait = Wait::after_refresh(error, next_in, now);
        self.next.waits.insert(api, wait);
        self.next.categories_known |= api == Api::Profiles;
        self.next.requested_lists.end(api);
        self.next.health.traffic = traffic;
        let health = self.next.health.of_mut(api);
        health.has_series = api.is_of_entra();
        health.record(error.map(Trouble::from), now, now.plus(next_in));
        self.save = true;
    }

    /// Records that a refresh was not started because Microsoft asked for a
    /// delay, and when it may start.
    pub(super) fn postpone(&mut self, api: Api, delay: Duration) {
        let now = self.cell.now();
        self.next
            .waits
            .insert(api, Wait::new(delay, now, Some(delay)));
        self.next.requested_lists.end(api);
        self.next.health.of_mut(api).next_refresh = Some(now.plus(delay));
        self.save = true;
    }

    /// Joins and renders what changed, puts it in use, publishes it, and only
    /// then emits the events found in it: a reader that an event brings here
    /// finds the data it is about. The state is saved last, so that a crash
    /// repeats an event instead of losing it.
    pub(super) fn publish(mut self) {
        let context = &self.cell.context;
        let now = self.cell.now();
        let statuses = self.next.observe_statuses(now);
        let mut events = match self.next.render(now) {
            true => self.next.detect_events(now),
            false => Vec::new(),
        };
        events.extend(self.next.status_events(&statuses, now));
        // A restart would emit them again: what was saved has not seen them.
        self.save |= !events.is_empty();
        *self.current = self.next;
        let data = &*self.current;
        if data.stopped {
            return;
        }
        context.store.publish(data.state());
        if let Some(receivers) = &data.settings.events {
            receivers.emit(&events);
        }
        if let Some(writer) = context.state_writer.as_ref().filter(|_| self.save) {
            writer.save(data.to_saved(now));
        }
        // Without the lock: a reload can change the order of the aliases, and
        // two cells must not wait for each other.
        drop(self.current);
        for duplicate in &self.duplicates {
            duplicate.refuse(&self.cell.alias);
        }
    }
}

/// A partial list is better than none, and still a failure.
pub(super) fn complete(partial: bool, subject: Subject) -> Result<(), GraphError> {
    match partial {
        true => Err(GraphError::partial(subject)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
