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
mod tests {
    use super::super::kept_list::KeptList;
    use super::*;
    use crate::config::{Recommendations, Refresh, TenantRules};
    use crate::events::Events;
    use crate::graph::UnknownWord;
    use crate::logged::log_of;
    use crate::refresh::StateWriter;
    use crate::store::TenantState;
    use crate::store::state_directory::StateDirectory;
    use crate::telemetry::Telemetry;
    use secure_score_model::{
        CatalogueEntry, Category, ControlState, History, Persons, Points, Reason,
        RecommendationEntry, RecommendationStatus, StateUpdate, TenantIdentity, TenantSnapshot,
        UnknownField,
    };
    use std::collections::BTreeSet;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    /// A tenant whose events are queued for a webhook.
    fn cell() -> TenantCell {
        let events = Events {
            persons: Persons::Plain,
            telemetry: Arc::new(Telemetry::new().unwrap()),
            exporter: None,
            queue: Some(Arc::default()),
        };
        let settings = Settings {
            identity: TenantIdentity::new("contoso"),
            rules: TenantRules::default(),
            policy: Arc::default(),
            refresh: Refresh::default(),
            recommendations: Recommendations::default(),
            directory: "global/guid".to_owned(),
            events: Some(Arc::new(events)),
        };
        let context = Context {
            store: Arc::default(),
            clock: Arc::new(|| Timestamp::from_seconds(1_000)),
            state_writer: None,
            interner: Arc::default(),
            directories: Arc::default(),
        };
        TenantCell::new(Arc::new(settings), context, None)
    }

    fn fetched<T>(value: T, partial: bool) -> Fetched<T> {
        Fetched {
            value,
            partial,
            unknown_words: BTreeSet::new(),
            digest: None,
        }
    }

    fn catalogue_of(entries: Vec<CatalogueEntry>, partial: bool) -> FetchResult {
        let catalogue = Catalogue {
            entra_tenant_id: Some("guid".into()),
            entries: entries.into_iter().map(Arc::new).collect(),
            ..Catalogue::default()
        };
        FetchResult::Catalogue(ListAnswer::Other(fetched(catalogue, partial)))
    }

    fn catalogue(ids: &[&str], partial: bool) -> FetchResult {
        let entries = ids.iter().map(|id| CatalogueEntry::new(id));
        catalogue_of(entries.collect(), partial)
    }

    /// Control `A` with its risk accepted, and control `B`.
    fn accepted(partial: bool) -> FetchResult {
        let update = StateUpdate {
            at: Some(Timestamp::from_seconds(900)),
            by: Some("alex@contoso.example".into()),
            comment: Some("the vendor is slow".into()),
            ..StateUpdate::new(ControlState::RiskAccepted)
        };
        let accepted = CatalogueEntry {
            category: Category::Identity,
            history: History::from_updates(vec![update]),
            ..CatalogueEntry::new("A")
        };
        catalogue_of(vec![accepted, CatalogueEntry::new("B")], partial)
    }

    fn report(points: f64) -> Report {
        Report {
            current_score: Points::new(points),
            ..Report::new("guid")
        }
    }

    fn score(report: Report) -> FetchResult {
        FetchResult::Report(ListAnswer::Other(fetched(Some(report), false)))
    }

    fn apply(cell: &TenantCell, fetched: FetchResult) -> Result<(), GraphError> {
        let mut update = cell.update();
        let outcome = update.apply(fetched);
        update.publish();
        outcome
    }

    fn published(cell: &TenantCell) -> Arc<TenantState> {
        cell.update().publish();
        Arc::clone(cell.context.store.current().find("contoso").unwrap())
    }

    /// Ends a refresh of the catalogue without a new one.
    fn record(cell: &TenantCell, outcome: Result<(), GraphError>) -> Arc<TenantState> {
        let mut update = cell.update();
        update.record_outcome(Api::Profiles, &outcome, Traffic::default(), HOUR);
        update.publish();
        published(cell)
    }

    fn controls(cell: &TenantCell) -> usize {
        published(cell).snapshot.controls.len()
    }

    /// The kinds of the events emitted so far.
    fn emitted(cell: &TenantCell) -> Vec<&'static str> {
        let settings = Arc::clone(&cell.data.lock().settings);
        let events = settings.events.as_ref().unwrap();
        let queued = events.queue.as_ref().unwrap().undelivered();
        queued.iter().map(|event| event.kind.as_str()).collect()
    }

    #[tokio::test]
    async fn a_report_is_published_once_the_catalogue_was_requested() {
        let cell = cell();
        apply(&cell, score(report(5.0))).unwrap();
        assert!(published(&cell).snapshot.report.is_none());
        let failed = record(&cell, Err(GraphError::partial(Subject::Catalogue)));
        assert!(failed.snapshot.report.is_some());
    }

    /// Ends a refresh, and returns whether the catalogue and the report are published.
    fn refreshed(
        cell: &TenantCell,
        api: Api,
        fetched: Result<FetchResult, GraphError>,
    ) -> [bool; 2] {
        let before = cell.context.store.current().generation;
        let mut update = cell.update();
        let refreshes = update.next.health.of(api).refreshes;
        let outcome = fetched.and_then(|it| update.apply(it));
        update.record_outcome(api, &outcome, Traffic::default(), HOUR);
        update.publish();
        let tenants = cell.context.store.current();
        assert_eq!(tenants.generation, before + 1);
        let state = tenants.find("contoso").unwrap();
        let count = state.health.of(api).refreshes;
        assert_eq!(count, refreshes + 1, "the health does not wait");
        let snapshot = &state.snapshot;
        [!snapshot.controls.is_empty(), snapshot.report.is_some()]
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_catalogue_and_report_are_rendered_together_or_after_a_second() {
        let error = || GraphError::internal(Subject::Report);
        let rendered = |cell: &TenantCell| cell.data.lock().rendered.clone();
        for late in [Ok(score(report(5.0))), Err(error())] {
            let cell = cell();
            cell.request_first_lists();
            let first = refreshed(&cell, Api::Profiles, Ok(accepted(false)));
            assert_eq!(first, [false; 2]);
            assert!(rendered(&cell).is_none() && emitted(&cell).is_empty());
            let has_report = late.is_ok();
            assert_eq!(refreshed(&cell, Api::Scores, late), [true, has_report]);
            assert_eq!(emitted(&cell), ["state_changed"]);
            assert!(cell.data.lock().requested_lists.wait_ends().is_none());
        }

        let cell = cell();
        cell.request_first_lists();
        refreshed(&cell, Api::Profiles, Ok(accepted(false)));
        let began = Instant::now();
        cell.render_late().await;
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        assert_eq!(emitted(&cell), ["state_changed"]);
        assert_eq!(
            refreshed(&cell, Api::Scores, Ok(score(report(5.0)))),
            [true; 2]
        );
        assert_eq!(emitted(&cell), ["state_changed"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_refresh_waits_for_no_other_list() {
        let cell = cell();
        cell.request_first_lists();
        refreshed(&cell, Api::Scores, Ok(score(report(5.0))));
        refreshed(&cell, Api::Profiles, Ok(catalogue(&["A", "B"], false)));
        let before = published(&cell);
        apply(&cell, accepted(false)).unwrap();
        let after = cell.context.store.current();
        let after = after.find("contoso").unwrap();
        assert!(!Arc::ptr_eq(&before.snapshot, &after.snapshot));
        assert_eq!(emitted(&cell), ["state_changed"]);
        for cell in [restarted(&cell), cell] {
            cell.request_first_lists();
            assert!(!cell.data.lock().requested_lists.are_awaited());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lists_that_are_requested_at_the_same_time_are_rendered_together() {
        let cell = cell();
        refreshed(&cell, Api::Profiles, Ok(catalogue(&["A", "B"], false)));
        refreshed(&cell, Api::Scores, Ok(score(report(5.0))));
        let snapshot = |cell: &TenantCell| Arc::clone(&published(cell).snapshot);
        let points = |it: &TenantSnapshot| it.report.as_ref().unwrap().current_score;
        let before = snapshot(&cell);
        cell.begin(Api::Profiles);
        cell.begin(Api::Scores);
        refreshed(&cell, Api::Profiles, Ok(accepted(false)));
        assert!(Arc::ptr_eq(&before, &snapshot(&cell)), "it waits");
        refreshed(&cell, Api::Scores, Ok(score(report(6.0))));
        let after = snapshot(&cell);
        assert_eq!(emitted(&cell), ["state_changed"]);
        assert_eq!(points(&after), Points::new(6.0));

        cell.begin(Api::Recommendations);
        cell.begin(Api::Profiles);
        refreshed(&cell, Api::Profiles, Ok(catalogue(&["A"], false)));
        let alone = snapshot(&cell);
        assert!(!Arc::ptr_eq(&after, &alone), "it waits for none of Entra");

        cell.begin(Api::Scores);
        cell.begin(Api::Profiles);
        refreshed(&cell, Api::Profiles, Ok(accepted(false)));
        let began = Instant::now();
        cell.render_late().await;
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        assert!(!Arc::ptr_eq(&alone, &snapshot(&cell)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_waits_for_another_is_rendered_when_that_is_given_up() {
        let waiting = || {
            let cell = cell();
            cell.begin(Api::Scores);
            refreshed(&cell, Api::Profiles, Ok(accepted(false)));
            assert!(emitted(&cell).is_empty());
            cell
        };
        let reloaded = waiting();
        let settings = Arc::clone(&reloaded.data.lock().settings);
        reloaded.reconfigure(settings);
        assert_eq!(emitted(&reloaded), ["state_changed"]);

        let postponed = waiting();
        let mut update = postponed.update();
        update.postpone(Api::Scores, HOUR);
        update.publish();
        assert_eq!(emitted(&postponed), ["state_changed"]);

        let refused = waiting();
        refused.refuse("fabrikam");
        assert!(!refused.data.lock().requested_lists.are_awaited());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_rendered_late_is_saved_with_its_events_as_seen() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Arc::new(StateDirectory::open(folder.path()).unwrap());
        let telemetry = Arc::new(Telemetry::new().unwrap());
        let writer = StateWriter::new(Arc::clone(&directory), Arc::default(), telemetry);
        let writer = Arc::new(writer);
        let mut cell = cell();
        cell.context.state_writer = Some(Arc::clone(&writer));
        cell.begin(Api::Scores);
        refreshed(&cell, Api::Profiles, Ok(accepted(false)));
        cell.render_late().await;
        assert_eq!(emitted(&cell), ["state_changed"]);
        writer.close();
        let saved = directory.load("contoso").unwrap();
        assert_eq!(saved.seen, cell.data.lock().seen);
    }

    #[tokio::test]
    async fn the_last_score_of_an_earlier_day_is_remembered() {
        let cell = cell();
        apply(&cell, catalogue(&["A"], false)).unwrap();
        let previous = |day: Option<i64>, points| {
            let report = Report {
                as_of: day.map(|day| Timestamp::from_seconds(day * 86_400)),
                max_score: Points::new(10.0),
                ..report(points)
            };
            apply(&cell, score(report)).unwrap();
            let snapshot = &published(&cell).snapshot;
            let as_of = snapshot.report.as_ref().and_then(|it| it.as_of);
            let previous = as_of.and_then(|it| snapshot.score_history.before(it));
            previous.map(|it| (it.as_of.as_seconds(), it.score.get()))
        };
        assert_eq!(previous(Some(1), 4.0), None);
        assert_eq!(previous(Some(1), 5.0), None, "the same day, corrected");
        assert_eq!(previous(Some(2), 6.0), Some((86_400.0, 5.0)));
        assert_eq!(previous(Some(2), 7.0), Some((86_400.0, 5.0)));
        assert_eq!(previous(Some(1), 5.0), Some((86_400.0, 5.0)));
        assert_eq!(previous(None, 8.0), Some((86_400.0, 5.0)));
    }

    const DAY: i64 = 24 * 60 * 60;

    /// Sets the clock to this many hours after day 10.
    fn set_clock(cell: &mut TenantCell, hours: i64) {
        let now = Timestamp::from_seconds(10 * DAY + hours * 60 * 60);
        cell.context.clock = Arc::new(move || now);
    }

    fn of_day(day: i64) -> FetchResult {
        score(Report {
            as_of: Some(Timestamp::from_seconds(day * DAY)),
            ..report(5.0)
        })
    }

    /// The day of the report that is shown, and how many were older.
    fn shown_day(cell: &TenantCell) -> (Option<i64>, u64) {
        let state = published(cell);
        let day = state.snapshot.report.as_ref().and_then(|it| it.as_of);
        let day = day.map(|it| it.as_seconds() as i64 / DAY);
        (day, state.health.older_reports)
    }

    #[tokio::test(start_paused = true)]
    async fn an_older_report_replaces_no_newer_one_unless_microsoft_withdrew_it() {
        let mut cell = cell();
        set_clock(&mut cell, 0);
        apply(&cell, catalogue(&["A"], false)).unwrap();
        apply(&cell, of_day(9)).unwrap();
        apply(&cell, of_day(8)).unwrap();
        apply(&cell, score(report(5.0))).unwrap();
        assert_eq!(shown_day(&cell), (Some(9), 2), "one has no day");
        apply(&cell, of_day(10)).unwrap();
        assert_eq!(shown_day(&cell), (Some(10), 2));

        set_clock(&mut cell, 10);
        apply(&cell, of_day(9)).unwrap();
        assert_eq!(shown_day(&cell), (Some(10), 3));
        set_clock(&mut cell, 30);
        let mut restarted = restarted(&cell);
        assert_eq!(shown_day(&restarted), (None, 0), "it expired at 24 hours");
        apply(&restarted, of_day(9)).unwrap();
        assert_eq!(shown_day(&restarted), (None, 1));
        set_clock(&mut restarted, 34);
        apply(&restarted, of_day(9)).unwrap();
        assert_eq!(shown_day(&restarted), (Some(9), 1), "a day of older ones");
    }

    #[tokio::test]
    async fn an_older_report_is_logged_with_both_days() {
        let text = log_of(|| {
            let mut cell = cell();
            set_clock(&mut cell, 0);
            for day in [8, 9, 9, 8] {
                apply(&cell, of_day(day)).unwrap();
            }
        });
        let message = "Graph sent an older report than before; it is not used";
        let mut lines = text.lines().filter(|line| line.contains(message));
        let line = lines.next().unwrap_or_else(|| panic!("{text}"));
        for part in ["INFO", "tenant=contoso", "newest=777600", "received=691200"] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert_eq!(lines.next(), None);
    }

    #[tokio::test]
    async fn a_report_of_the_future_is_refused_and_hides_no_other_one() {
        let mut cell = cell();
        set_clock(&mut cell, 0);
        apply(&cell, catalogue(&["A"], false)).unwrap();
        apply(&cell, of_day(12)).unwrap();
        let error = apply(&cell, of_day(13)).unwrap_err();
        assert_eq!(error.reason(), Reason::Malformed);
        let message = "the score report is of 1970-01-14, which is in the future";
        assert_eq!(error.to_string(), message);
        assert!(error.hint().contains("clock"));
        assert_eq!(shown_day(&cell), (Some(12), 0));

        // A clock that was ahead, and is right again.
        set_clock(&mut cell, 20 * 365 * 24);
        apply(&cell, of_day(7_000)).unwrap();
        set_clock(&mut cell, 1);
        let restarted = restarted(&cell);
        for cell in [cell, restarted] {
            apply(&cell, of_day(10)).unwrap();
            assert_eq!(shown_day(&cell), (Some(10), 0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_emptied_list_is_a_failure_after_expiry_and_a_restart() {
        let mut cell = cell();
        set_clock(&mut cell, 0);
        // Its category is unknown, so no pin remembers it.
        apply(&cell, catalogue(&["A"], false)).unwrap();
        apply(&cell, of_day(9)).unwrap();
        tokio::time::advance(25 * HOUR).await;
        set_clock(&mut cell, 25);
        cell.drop_expired();
        let restarted = restarted(&restarted(&cell));
        assert_eq!(controls(&restarted), 0);
        let no_report = FetchResult::Report(ListAnswer::Other(fetched(None, false)));
        for emptied in [catalogue(&[], false), no_report] {
            let error = apply(&restarted, emptied).unwrap_err();
            assert_eq!(error.reason(), Reason::Emptied);
        }
    }

    /// What `not_due_for` gives for each list, in minutes.
    fn due_in(cell: &TenantCell) -> [Option<u64>; 2] {
        Api::SECURE_SCORE.map(|api| Some(cell.not_due_for(api)?.as_secs() / 60))
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_retried_after_a_restart_or_reload_with_its_reason_and_count() {
        let cell = cell();
        apply(&cell, catalogue(&["A"], false)).unwrap();
        apply(&cell, score(report(5.0))).unwrap();
        let mut update = cell.update();
        let failed = Err(GraphError::partial(Subject::Catalogue));
        for _ in 0..3 {
            update.record_outcome(Api::Profiles, &failed, Traffic::default(), HOUR);
        }
        update.record_outcome(Api::Scores, &Ok(()), Traffic::default(), HOUR);
        update.publish();
        assert_eq!(due_in(&cell), [Some(60), Some(60)]);
        assert!(cell.is_failing());

        let before = published(&cell).health.clone();
        let restarted = restarted(&cell);
        let mut after = published(&restarted).health.clone();
        assert_eq!(due_in(&restarted), [None, Some(60)]);
        let now = Some(Timestamp::from_seconds(1_000));
        assert_eq!(after.profiles.next_refresh, now, "it is due");
        after.profiles.next_refresh = before.profiles.next_refresh;
        assert_eq!(after, before, "nothing else differs");

        cell.retry_failed();
        assert_eq!(due_in(&cell), [None, Some(60)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_microsoft_asked_for_is_kept_for_both_lists() {
        let cell = cell();
        let mut update = cell.update();
        let failed = Err(GraphError::partial(Subject::Report));
        update.record_outcome(Api::Scores, &failed, Traffic::default(), HOUR);
        update.postpone(Api::Profiles, 2 * HOUR / 3);
        update.publish();
        let restarted = restarted(&cell);
        assert_eq!(due_in(&restarted), [Some(40), Some(40)]);
        cell.retry_failed();
        assert_eq!(due_in(&cell), [Some(40), Some(40)]);
        let due = Some(Timestamp::from_seconds(1_000 + 40 * 60));
        assert_eq!(published(&restarted).health.scores.next_refresh, due);
        tokio::time::advance(HOUR).await;
        assert_eq!(due_in(&restarted), [None, None]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_ahead_leaves_no_time_in_the_future_and_no_long_wait() {
        let mut cell = cell();
        set_clock(&mut cell, 20 * 365 * 24);
        apply(&cell, catalogue(&["A"], false)).unwrap();
        let record = |cell: &TenantCell, outcome| {
            let mut update = cell.update();
            update.record_outcome(Api::Profiles, &outcome, Traffic::default(), HOUR);
            update.publish();
        };
        record(&cell, Ok(()));
        set_clock(&mut cell, 0);
        let before = restarted(&cell);
        assert_eq!(due_in(&before), [Some(15), None], "the interval");
        let health = &published(&before).health.profiles;
        let now = Timestamp::from_seconds(10 * DAY);
        assert_eq!(health.last_success, Some(now));
        assert_eq!(health.next_refresh, Some(now.plus(HOUR / 4)));

        // The data's age counts from the first restart with the right clock.
        record(&before, Err(GraphError::partial(Subject::Catalogue)));
        let mut before = before;
        set_clock(&mut before, 25);
        assert_eq!(controls(&restarted(&before)), 0);
    }

    #[tokio::test]
    async fn only_an_acceptance_is_taken_from_a_partial_catalogue() {
        let cell = cell();
        apply(&cell, catalogue(&["A", "B", "C"], false)).unwrap();
        let titled = CatalogueEntry {
            title: "another".into(),
            ..CatalogueEntry::new("B")
        };
        let FetchResult::Catalogue(ListAnswer::Other(mut partial)) = accepted(true) else {
            unreachable!();
        };
        partial.value.entries[1] = Arc::new(titled);
        apply(&cell, FetchResult::Catalogue(ListAnswer::Other(partial))).unwrap_err();
        let state = published(&cell);
        let listed = state.snapshot.controls.iter();
        let shown: Vec<_> = listed
            .map(|it| (&*it.id, it.state().unwrap().as_str()))
            .collect();
        let (accepted_now, untouched) = ("risk_accepted", "to_address");
        assert_eq!(
            shown,
            [("A", accepted_now), ("B", untouched), ("C", untouched)]
        );
        let title = &state.snapshot.controls[1].entry.as_ref().unwrap().title;
        assert_eq!(&**title, "B");
        assert_eq!(emitted(&cell), ["state_changed"]);

        apply(&cell, catalogue(&["B"], true)).unwrap_err();
        assert_eq!(controls(&cell), 3);
        apply(&cell, accepted(false)).unwrap();
        assert_eq!(emitted(&cell), ["state_changed"], "each change once");
    }

    #[tokio::test]
    async fn an_acceptance_in_a_partial_catalogue_outlasts_the_next_partial_one() {
        let cell = cell();
        let is_accepted = || {
            let state = published(&cell);
            let found = state.snapshot.controls.iter().find(|it| &*it.id == "A");
            found.is_some_and(|it| it.state() == Some(ControlState::RiskAccepted))
        };
        apply(&cell, accepted(true)).unwrap_err();
        assert!(is_accepted());
        for ids in [&["B"][..], &["A", "B"]] {
            apply(&cell, catalogue(ids, true)).unwrap_err();
            assert!(is_accepted(), "{ids:?}");
        }
        apply(&cell, catalogue(&["A", "B"], false)).unwrap();
        assert!(!is_accepted(), "a whole catalogue decides");
    }

    #[tokio::test]
    async fn a_whole_answer_without_the_evidence_of_a_partial_one_is_no_tampering() {
        let cell = cell();
        apply(&cell, catalogue(&["A", "B"], false)).unwrap();
        apply(&cell, accepted(true)).unwrap_err();
        assert_eq!(emitted(&cell), ["state_changed"]);
        let restarted = restarted(&cell);
        for cell in [&cell, &restarted] {
            // Of a replica that lags behind.
            apply(cell, catalogue(&["A", "B"], false)).unwrap();
            assert_eq!(emitted(cell), ["state_changed"]);
        }
    }

    /// A cell of the same tenant after a restart.
    fn restarted(cell: &TenantCell) -> TenantCell {
        let data = cell.data.lock();
        let settings = Arc::clone(&data.settings);
        TenantCell::new(
            settings,
            cell.context.clone(),
            Some(data.to_saved(cell.now())),
        )
    }

    #[tokio::test]
    async fn a_change_dated_in_the_future_keeps_its_first_time_over_restarts_and_gaps() {
        let with_history = |cell: &TenantCell, changes: &[(ControlState, i64)]| {
            let update = |(state, at): &(ControlState, i64)| StateUpdate {
                at: Some(Timestamp::from_seconds(*at)),
                ..StateUpdate::new(*state)
            };
            let entry = CatalogueEntry {
                history: History::as_sent(changes.iter().map(update).collect()),
                ..CatalogueEntry::new("A")
            };
            apply(cell, catalogue_of(vec![entry], false)).unwrap();
            let snapshot = Arc::clone(&published(cell).snapshot);
            (snapshot.controls[0].state().unwrap(), emitted(cell).len())
        };
        use ControlState::{RiskAccepted, ToAddress};
        let cell = cell();
        let accepted = (RiskAccepted, 9_000_000_000);
        assert_eq!(with_history(&cell, &[accepted]), (RiskAccepted, 2));
        let mut restarted = restarted(&cell);
        // The withdrawal is dated between the first time and now.
        restarted.context.clock = Arc::new(|| Timestamp::from_seconds(2_000));
        let withdrawn = [accepted, (ToAddress, 1_500)];
        assert_eq!(with_history(&restarted, &withdrawn), (ToAddress, 3));
        restarted.data.lock().catalogue = KeptList::default();
        assert_eq!(with_history(&restarted, &withdrawn), (ToAddress, 3));
        // It expires, and the exporter is restarted.
        restarted.data.lock().catalogue = KeptList::default();
        let again = self::restarted(&restarted);
        assert_eq!(with_history(&again, &withdrawn), (ToAddress, 3));
    }

    #[tokio::test]
    async fn a_domain_of_another_tenant_after_a_restart_begins_anew() {
        let cell = cell();
        apply(&cell, accepted(false)).unwrap();
        apply(&cell, score(report(5.0))).unwrap();
        let of = |id: &str, ids: &[&str]| {
            let FetchResult::Catalogue(ListAnswer::Other(mut fetched)) = catalogue(ids, false)
            else {
                unreachable!();
            };
            fetched.value.entra_tenant_id = Some(id.into());
            FetchResult::Catalogue(ListAnswer::Other(fetched))
        };
        let shown = |cell: &TenantCell| {
            let state = published(cell);
            let id = state.identity.entra_tenant_id.as_deref().unwrap();
            let report = state.snapshot.report.is_some();
            (id.to_owned(), state.snapshot.controls.len(), report)
        };
        let same = restarted(&cell);
        assert_eq!(shown(&same), ("guid".to_owned(), 2, true));
        apply(&same, of("GUID", &["A"])).unwrap();
        assert_eq!(shown(&same), ("guid".to_owned(), 1, true));

        let without_id = Report {
            entra_tenant_id: "".into(),
            ..report(7.0)
        };
        apply(&same, score(without_id)).unwrap();
        assert_eq!(shown(&same), ("guid".to_owned(), 1, true));

        let stopped = restarted(&cell);
        stopped.stop_publishing();
        apply(&stopped, of("other", &["A"])).unwrap();
        assert_eq!(shown(&stopped), ("guid".to_owned(), 1, true));

        let moved = restarted(&cell);
        let before = emitted(&cell);
        apply(&moved, of("other", &["A", "B", "C"])).unwrap();
        assert_eq!(shown(&moved), ("other".to_owned(), 3, false));
        assert_eq!(
            emitted(&moved),
            before,
            "the controls are of another tenant"
        );

        let moved = restarted(&cell);
        let other = Report {
            entra_tenant_id: "other".into(),
            ..report(9.0)
        };
        apply(&moved, score(other)).unwrap();
        assert_eq!(shown(&moved), ("other".to_owned(), 0, false));
        apply(&moved, of("other", &["C"])).unwrap();
        assert_eq!(shown(&moved), ("other".to_owned(), 1, true));
    }

    #[tokio::test]
    async fn a_domain_of_another_tenant_is_a_warning_with_both_ids() {
        let text = log_of(|| {
            let cell = cell();
            for id in ["guid", "GUID", "other", "OTHER"] {
                let report = Report {
                    entra_tenant_id: id.into(),
                    ..report(5.0)
                };
                apply(&cell, score(report)).unwrap();
            }
        });
        let message = "the domain belongs to another Entra tenant than before";
        let mut lines = text.lines().filter(|line| line.contains(message));
        let line = lines.next().unwrap_or_else(|| panic!("{text}"));
        for part in ["WARN", "tenant=contoso", "before=guid", "now=other"] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert_eq!(lines.next(), None);
    }

    #[tokio::test]
    async fn an_empty_catalogue_after_a_restart_with_expired_data_removes_nothing() {
        let cell = cell();
        apply(&cell, accepted(false)).unwrap();
        let at = Timestamp::from_seconds(-DAY);
        cell.data.lock().catalogue.current_mut().unwrap().at = at;
        let restarted = restarted(&cell);
        assert_eq!(controls(&restarted), 0);
        let error = apply(&restarted, catalogue(&[], false)).unwrap_err();
        assert_eq!(error.reason(), Reason::Emptied);
        assert_eq!(emitted(&restarted), ["state_changed"]);
    }

    #[tokio::test(start_paused = true)]
    async fn expired_data_is_dropped_and_returns_with_the_next_success() {
        let cell = cell();
        apply(&cell, catalogue(&["A"], false)).unwrap();
        tokio::time::advance(12 * HOUR).await;
        apply(&cell, score(report(5.0))).unwrap();

        tokio::time::advance(12 * HOUR - Duration::from_secs(1)).await;
        cell.drop_expired();
        assert_eq!(controls(&cell), 1);

        tokio::time::advance(Duration::from_secs(1)).await;
        cell.drop_expired();
        assert_eq!(controls(&cell), 0, "the catalogue is a day old");
        let report = &published(&cell).snapshot.report;
        assert!(report.is_some(), "the report is half a day old");

        apply(&cell, catalogue(&["A"], false)).unwrap();
        assert_eq!(controls(&cell), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unchanged_list_is_fresh_and_is_not_rendered_again() {
        let cell = cell();
        apply(&cell, catalogue(&["A"], false)).unwrap();
        let before = published(&cell);
        tokio::time::advance(20 * HOUR).await;
        apply(&cell, catalogue(&["A"], false)).unwrap();
        tokio::time::advance(20 * HOUR).await;
        cell.drop_expired();
        assert!(Arc::ptr_eq(&before.snapshot, &published(&cell).snapshot));
    }

    #[tokio::test]
    async fn an_update_that_is_not_published_changes_nothing() {
        let cell = cell();
        apply(&cell, catalogue(&["A", "B"], false)).unwrap();
        let mut update = cell.update();
        update.apply(accepted(false)).unwrap();
        drop(update);
        assert_eq!(emitted(&cell).len(), 0);
        apply(&cell, accepted(false)).unwrap();
        assert_eq!(emitted(&cell), ["state_changed"]);
    }

    #[tokio::test]
    async fn events_are_emitted_after_their_data_is_published() {
        let cell = cell();
        let controls = Arc::<Mutex<Vec<usize>>>::default();
        // Looks into the store whenever a line is logged.
        let (store, seen) = (Arc::clone(&cell.context.store), Arc::clone(&controls));
        let writer = move || {
            let tenants = store.current();
            let state = tenants.find("contoso");
            seen.lock()
                .push(state.map_or(0, |it| it.snapshot.controls.len()));
            std::io::sink()
        };
        // The first use of a log line decides whether it is enabled. Another test
        // may make that decision at this moment, for no subscriber.
        apply(&self::cell(), accepted(false)).unwrap();
        let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
        tracing::subscriber::with_default(subscriber, || apply(&cell, accepted(false)).unwrap());
        assert_eq!(*controls.lock(), [2]);
    }

    #[tokio::test]
    async fn a_control_left_only_where_a_complete_catalogue_lacks_it() {
        let cell = cell();
        apply(&cell, accepted(false)).unwrap();
        assert_eq!(emitted(&cell), ["state_changed"]);
        apply(&cell, catalogue(&["B"], true)).unwrap_err();
        apply(&cell, catalogue(&[], false)).unwrap_err();
        assert_eq!(emitted(&cell), ["state_changed"], "both were refused");
        apply(&cell, catalogue(&["B"], false)).unwrap();
        assert_eq!(emitted(&cell), ["state_changed", "accepted_control_left"]);
    }

    #[tokio::test(start_paused = true)]
    async fn data_that_expired_and_returned_repeats_no_event() {
        let cell = cell();
        apply(&cell, accepted(false)).unwrap();
        tokio::time::advance(24 * HOUR).await;
        cell.drop_expired();
        assert_eq!(controls(&cell), 0);
        apply(&cell, catalogue(&["B"], true)).unwrap_err();
        assert_eq!(controls(&cell), 1, "a partial catalogue replaces none");
        apply(&cell, accepted(true)).unwrap_err();
        apply(&cell, accepted(false)).unwrap();
        assert_eq!(emitted(&cell), ["state_changed"]);
    }

    #[tokio::test]
    async fn a_stopped_cell_publishes_and_emits_nothing() {
        let cell = cell();
        cell.stop_publishing();
        apply(&cell, accepted(false)).unwrap();
        assert!(cell.context.store.current().find("contoso").is_none());
        assert_eq!(emitted(&cell).len(), 0);
    }

    #[tokio::test]
    async fn a_failure_is_reported_with_its_reason_until_a_success() {
        let cell = cell();
        let record = |outcome| record(&cell, outcome).health.profiles.clone();
        let health = record(Err(GraphError::emptied(Subject::Catalogue)));
        assert!(!health.up);
        assert_eq!(health.failures.get(&Reason::Emptied), Some(&1));
        assert_eq!(health.trouble.map(|t| t.reason), Some(Reason::Emptied));
        assert_eq!(health.next_refresh, Some(Timestamp::from_seconds(4_600)));

        let health = record(Ok(()));
        assert!(health.up && health.trouble.is_none());
        assert_eq!(health.refreshes, 2);
        assert_eq!(health.last_success, Some(Timestamp::from_seconds(1_000)));
    }

    /// Recommendations that a person changed at a time.
    fn recommendations(
        statuses: &[(&str, RecommendationStatus)],
        at: i64,
        partial: bool,
    ) -> FetchResult {
        let entry = |(name, status): &(&str, RecommendationStatus)| {
            Arc::new(RecommendationEntry {
                status: *status,
                last_modified: Some(Timestamp::from_seconds(at)),
                last_modified_by: Some("alex".into()),
                ..RecommendationEntry::new(name)
            })
        };
        let list = RecommendationList {
            entra_tenant_id: Some("guid".into()),
            entries: statuses.iter().map(entry).collect(),
            ..RecommendationList::default()
        };
        FetchResult::Recommendations(ListAnswer::Other(fetched(list, partial)))
    }

    fn recorded(cell: &TenantCell, api: Api) {
        let mut update = cell.update();
        update.record_outcome(api, &Ok(()), Traffic::default(), HOUR);
        update.publish();
    }

    #[tokio::test]
    async fn a_status_of_entra_is_reported_once_over_a_restart_and_the_list_stays_expected() {
        use RecommendationStatus::{Active, Dismissed, RiskAccepted};
        let cell = cell();
        assert!(!cell.is_expected(Api::Recommendations));
        apply(&cell, recommendations(&[("R", RiskAccepted)], 900, false)).unwrap();
        assert_eq!(emitted(&cell).len(), 0, "its control is not known yet");
        apply(&cell, catalogue(&["r"], false)).unwrap();
        assert_eq!(emitted(&cell), ["state_changed"]);
        recorded(&cell, Api::Recommendations);

        let restarted = restarted(&cell);
        assert!(restarted.is_expected(Api::Recommendations));
        assert!(!restarted.is_expected(Api::IdentityScores));
        let shown = published(&restarted);
        let shown = &shown.snapshot.recommendations[0];
        assert_eq!(shown.control.as_deref(), Some("r"));
        assert_eq!(shown.changed().unwrap().at, Timestamp::from_seconds(900));
        let before = emitted(&restarted).len();
        apply(
            &restarted,
            recommendations(&[("R", RiskAccepted)], 900, false),
        )
        .unwrap();
        apply(
            &restarted,
            recommendations(&[("R", RiskAccepted)], 950, false),
        )
        .unwrap();
        assert_eq!(emitted(&restarted).len(), before);
        for status in [Active, Dismissed] {
            apply(&restarted, recommendations(&[("R", status)], 960, false)).unwrap();
        }
        assert_eq!(emitted(&restarted).len(), before + 2);
        let error = apply(&restarted, recommendations(&[], 970, false)).unwrap_err();
        assert_eq!(error.reason(), Reason::Emptied);
    }

    #[tokio::test]
    async fn each_status_of_entra_is_reported_once_over_restarts() {
        use RecommendationStatus::{Active, Dismissed, Postponed, RiskAccepted};
        let mut cell = cell();
        apply(&cell, catalogue(&["A"], false)).unwrap();
        let list = |status, at| recommendations(&[("R", status)], at, false);
        apply(&cell, list(Active, 900)).unwrap();
        let statuses = [Dismissed, Postponed, Active, RiskAccepted];
        for (done, status) in statuses.into_iter().enumerate() {
            let at = 910 + 10 * i64::try_from(done).unwrap();
            apply(&cell, list(status, at)).unwrap();
            assert_eq!(emitted(&cell).len(), done + 1, "{status}");
            cell = restarted(&cell);
            apply(&cell, catalogue(&["A"], false)).unwrap();
            apply(&cell, list(status, at)).unwrap();
            assert_eq!(emitted(&cell).len(), done + 1, "{status}: after a restart");
        }
    }

    #[tokio::test]
    async fn a_list_of_entra_that_is_only_seen_again_is_not_joined_again() {
        let cell = cell();
        apply(&cell, catalogue(&["A"], false)).unwrap();
        let dismissed = [("R", RecommendationStatus::Dismissed)];
        apply(&cell, recommendations(&dismissed, 900, false)).unwrap();
        let before = published(&cell);
        let later = Timestamp::from_seconds(990);
        cell.data.lock().recommendations.current_mut().unwrap().at = later;
        cell.update().publish();
        assert!(Arc::ptr_eq(&before.snapshot, &published(&cell).snapshot));
    }

    #[tokio::test]
    async fn an_unknown_word_of_entra_is_logged_once() {
        let with_word = |word: &str| {
            let list = recommendations(&[("R", RecommendationStatus::Unknown)], 900, false);
            let FetchResult::Recommendations(ListAnswer::Other(mut fetched)) = list else {
                unreachable!();
            };
            fetched.unknown_words.insert(UnknownWord {
                field: UnknownField::Status,
                word: word.to_owned(),
            });
            FetchResult::Recommendations(ListAnswer::Other(fetched))
        };
        let text = log_of(|| {
            let cell = cell();
            for word in ["noted", "noted", "parked", "noted"] {
                apply(&cell, with_word(word)).unwrap();
            }
        });
        let count = |word: &str| text.matches(&format!("word={word}")).count();
        assert_eq!((count("noted"), count("parked")), (1, 1), "{text}");
        assert!(text.contains("recommendations") && text.contains("contoso"));
    }

    #[tokio::test]
    async fn an_incomplete_list_of_entra_shows_what_is_set_aside_and_removes_nothing() {
        use RecommendationStatus::{Active, Dismissed, RiskAccepted};
        let cell = cell();
        apply(&cell, catalogue(&["A"], false)).unwrap();
        let both = [("R", Active), ("S", Dismissed)];
        apply(&cell, recommendations(&both, 900, false)).unwrap();
        let before = emitted(&cell).len();
        let partial = recommendations(&[("R", RiskAccepted)], 950, true);
        let error = apply(&cell, partial).unwrap_err();
        assert_eq!(error.reason(), Reason::Partial);
        let withdrawn = recommendations(&[("S", Active)], 950, true);
        assert!(apply(&cell, withdrawn).is_err());
        let shown = published(&cell);
        let shown = shown.snapshot.recommendations.iter();
        let statuses: Vec<_> = shown.map(|it| it.entry.status).collect();
        assert_eq!(statuses, [RiskAccepted, Dismissed]);
        assert_eq!(emitted(&cell).len(), before + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_a_tenant_does_not_offer_waits_over_a_restart() {
        let cell = cell();
        apply(&cell, catalogue(&["A"], false)).unwrap();
        let mut update = cell.update();
        update.not_offered(Api::Recommendations, Traffic::default(), HOUR);
        update.publish();
        let restarted = restarted(&cell);
        let rest = restarted.not_due_for(Api::Recommendations);
        assert_eq!(rest, Some(HOUR));
        assert!(!restarted.is_expected(Api::Recommendations));
        assert_eq!(restarted.not_due_for(Api::IdentityScores), None);
        let lists = published(&restarted).health.lists().count();
        assert_eq!(lists, 2, "it has no series");
    }

    #[tokio::test]
    async fn an_older_identity_score_replaces_no_newer_one() {
        let cell = cell();
        apply(&cell, catalogue(&["A"], false)).unwrap();
        let shown = |day: Option<i64>, points| {
            let score = IdentityScore {
                as_of: day.map(Timestamp::from_seconds),
                score: Points::new(points),
                ..IdentityScore::default()
            };
            let fetched = FetchResult::IdentityScore(fetched(Some(score), false));
            let outcome = apply(&cell, fetched).map_err(|error| error.reason());
            let score = published(&cell).snapshot.identity_score.clone();
            (outcome, score.and_then(|it| it.score).map(Points::get))
        };
        assert_eq!(shown(Some(500), 5.0), (Ok(()), Some(5.0)));
        assert_eq!(shown(Some(400), 4.0), (Ok(()), Some(5.0)));
        assert_eq!(shown(None, 3.0), (Ok(()), Some(5.0)));
        assert_eq!(shown(Some(600), 6.0), (Ok(()), Some(6.0)));
        let future = shown(Some(10 * DAY), 7.0);
        assert_eq!(future, (Err(Reason::Malformed), Some(6.0)));
        let none = FetchResult::IdentityScore(fetched(None, false));
        let error = apply(&cell, none).unwrap_err();
        assert_eq!(error.reason(), Reason::Emptied);
    }
}
