//! Where one tenant's answers are put together and shown.

use super::papers::{Draft, Kept, Papers};
use super::settings::{Settings, Surroundings};
use super::told::Told;
use crate::events::{self, Seen};
use crate::graph::{Fetched, GraphError, Subject};
use crate::store::TenantState;
use arc_swap::ArcSwap;
use secure_score_exposition::Chunk;
use secure_score_model::{
    Api, Catalogue, CategoryPins, ControlRules, Report, TenantHealth, TenantIdentity,
    TenantSnapshot, Timestamp, Traffic, Trouble,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// One tenant's desk: both loops lay their answers here.
///
/// Whatever is laid down replaces its predecessor whole or not at all; a
/// failure leaves it lying until it is too old to be true.
pub(super) struct Desk<R> {
    surroundings: Surroundings,
    settings: ArcSwap<Settings<R>>,
    papers: Mutex<Papers>,
}

/// An answer of either list.
pub(super) enum Paper {
    Catalogue(Fetched<Catalogue>),
    Report(Fetched<Option<Report>>),
}

impl<R: ControlRules> Desk<R> {
    pub(super) fn new(
        identity: TenantIdentity,
        settings: Settings<R>,
        surroundings: Surroundings,
    ) -> Self {
        Self {
            surroundings,
            settings: ArcSwap::from_pointee(settings),
            papers: Mutex::new(Papers {
                identity,
                health: TenantHealth::default(),
                catalogue: None,
                report: None,
                had_controls: false,
                had_report: false,
                pins: CategoryPins::default(),
                earlier: None,
                snapshot: Arc::default(),
                joined: true,
                retired: false,
                data: Chunk::default(),
                told: Told::default(),
                seen: Seen::default(),
            }),
        }
    }

    /// Goes by another configuration from now on, and shows what it means for
    /// what lies here.
    pub(super) fn reconfigure(&self, identity: TenantIdentity, settings: Settings<R>) {
        let mut papers = self.papers();
        let before = self.settings.swap(Arc::new(settings)).max_staleness;
        let after = self.settings.load().max_staleness;
        let learnt = papers.identity.entra_tenant_id.take();
        papers.identity = TenantIdentity {
            entra_tenant_id: identity.entra_tenant_id.or(learnt),
            ..identity
        };
        if let Some(kept) = &mut papers.catalogue {
            kept.expires = moved(kept.expires, before, after);
        }
        if let Some(kept) = &mut papers.report {
            kept.expires = moved(kept.expires, before, after);
        }
        papers.joined = false;
        self.join(&mut papers);
        self.show(&papers);
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.surroundings.clock)()
    }

    pub(super) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    pub(super) fn directory(&self) -> String {
        self.settings.load().directory.clone()
    }

    pub(super) fn max_staleness(&self) -> Duration {
        self.settings.load().max_staleness
    }

    pub(super) fn alias(&self) -> Arc<str> {
        Arc::clone(&self.papers().identity.alias)
    }

    /// Takes in an answer. A refusal to take it is a failure of the refresh.
    pub(super) fn lay(&self, paper: Paper) -> Result<(), GraphError> {
        let mut papers = Draft::of(self.papers());
        match paper {
            Paper::Catalogue(fetched) => self.lay_catalogue(&mut papers, fetched),
            Paper::Report(fetched) => self.lay_report(&mut papers, fetched),
        }
    }

    fn lay_catalogue(
        &self,
        papers: &mut Papers,
        fetched: Fetched<Catalogue>,
    ) -> Result<(), GraphError> {
        let Fetched {
            value: mut catalogue,
            partial,
            unknown_words,
        } = fetched;
        if catalogue.entries.is_empty() && papers.had_controls {
            return Err(GraphError::emptied(Subject::Catalogue));
        }
        if partial && papers.catalogue.as_ref().is_some_and(|kept| kept.whole) {
            return Err(GraphError::partial(Subject::Catalogue));
        }
        papers
            .told
            .words(&papers.identity.alias, Api::Profiles, unknown_words);
        self.surroundings.commons.intern_catalogue(&mut catalogue);
        papers.had_controls |= !catalogue.entries.is_empty();
        papers.learn_id(catalogue.entra_tenant_id.as_ref());
        let moves = papers.pins.learn(&catalogue);
        papers.told.moves(&papers.identity.alias, moves);
        let changed = self.replace(&mut papers.catalogue, catalogue, !partial);
        papers.joined &= !changed;
        self.join(papers);
        self.tell(papers, !partial);
        whole(partial, Subject::Catalogue)
    }

    fn lay_report(
        &self,
        papers: &mut Papers,
        fetched: Fetched<Option<Report>>,
    ) -> Result<(), GraphError> {
        let Fetched {
            value: report,
            partial,
            unknown_words,
        } = fetched;
        let Some(mut report) = report else {
            // A tenant younger than some days has no report yet.
            return match papers.had_report {
                true => Err(GraphError::emptied(Subject::Report)),
                false => Ok(()),
            };
        };
        if partial && papers.report.as_ref().is_some_and(|kept| kept.whole) {
            return Err(GraphError::partial(Subject::Report));
        }
        papers
            .told
            .words(&papers.identity.alias, Api::Scores, unknown_words);
        self.surroundings.commons.intern_report(&mut report);
        papers.had_report = true;
        papers.learn_id(Some(&report.entra_tenant_id));
        papers.put_aside(&report);
        let changed = self.replace(&mut papers.report, report, !partial);
        papers.joined &= !changed;
        // The catalogue's word on categories wins. Until it was asked for
        // once, series by the report's word would soon move.
        if papers.catalogue.is_some() || papers.health.profiles.attempted() {
            self.join(papers);
        }
        whole(partial, Subject::Report)
    }

    /// Notes how a refresh ended and when the next one is, and shows it.
    pub(super) fn conclude(
        &self,
        api: Api,
        outcome: &Result<(), GraphError>,
        traffic: Traffic,
        next_in: Duration,
    ) {
        let now = self.now();
        let mut papers = self.papers();
        papers.health.traffic = traffic;
        let health = papers.health.of_mut(api);
        health.refreshes += 1;
        health.next_refresh = Some(now.plus(next_in));
        health.up = outcome.is_ok();
        match outcome {
            Ok(()) => {
                health.last_success = Some(now);
                health.trouble = None;
            }
            Err(error) => {
                *health.failures.entry(error.reason()).or_default() += 1;
                health.trouble = Some(trouble(error));
            }
        }
        if papers.health.profiles.attempted() {
            self.join(&mut papers);
        }
        self.show(&papers);
        self.keep(&papers);
    }

    /// Notes that a refresh may not begin before a wait is over.
    pub(super) fn postpone(&self, api: Api, wait: Duration) {
        let mut papers = self.papers();
        let next = self.now().plus(wait);
        papers.health.of_mut(api).next_refresh = Some(next);
        self.show(&papers);
        self.keep(&papers);
    }

    /// Drops what is older than `max_staleness`, and shows the gap.
    pub(super) fn expire(&self) {
        let mut papers = self.papers();
        let now = Instant::now();
        let catalogue = papers.catalogue.as_ref();
        let catalogue_old = catalogue.is_some_and(|kept| kept.expires <= now);
        let report_old = papers
            .report
            .as_ref()
            .is_some_and(|kept| kept.expires <= now);
        if catalogue_old {
            papers.catalogue = None;
        }
        if report_old {
            papers.report = None;
        }
        if catalogue_old || report_old {
            tracing::warn!(
                tenant = %papers.identity.alias,
                catalogue = catalogue_old,
                report = report_old,
                "data older than max_staleness is no longer exported"
            );
            papers.joined = false;
            self.join(&mut papers);
            self.show(&papers);
        }
    }

    /// When something here will be too old, if anything lies here.
    pub(super) fn expires_at(&self, api: Api) -> Option<Instant> {
        let papers = self.papers();
        match api {
            Api::Profiles => papers.catalogue.as_ref().map(|kept| kept.expires),
            Api::Scores => papers.report.as_ref().map(|kept| kept.expires),
        }
    }

    /// Shows nothing any more. A loop that was stopped may still be in the
    /// middle of something, and would bring back a tenant that has gone.
    pub(super) fn retire(&self) {
        self.papers().retired = true;
    }

    /// Shows the tenant as it stands.
    pub(super) fn show_now(&self) {
        self.show(&self.papers());
    }

    /// Puts together what lies here, unless that is what is shown already.
    pub(super) fn join(&self, papers: &mut Papers) {
        if papers.joined {
            return;
        }
        let settings = self.settings.load();
        let joined = TenantSnapshot::join(
            papers.catalogue.as_ref().map(|kept| &*kept.value),
            papers.report.as_ref().map(|kept| Arc::clone(&kept.value)),
            &papers.pins,
            &settings.rules,
        );
        papers.snapshot = Arc::new(TenantSnapshot {
            previous_score: papers.earlier,
            ..joined
        });
        papers.data = secure_score_exposition::render_data(
            &papers.identity,
            &papers.snapshot,
            &settings.policy,
        );
        papers.joined = true;
    }

    /// Tells what happened since the last catalogue. It looks at controls with
    /// their exceptions, so it comes after the join.
    fn tell(&self, papers: &mut Papers, whole: bool) {
        let Papers {
            seen,
            identity,
            snapshot,
            ..
        } = papers;
        let Some(events) = &self.settings.load().events else {
            return;
        };
        let found = events::detect(seen, identity, &snapshot.controls, whole, self.now());
        events.emit(&found);
    }

    fn show(&self, papers: &Papers) {
        if papers.retired {
            return;
        }
        self.surroundings.store.publish(TenantState {
            identity: papers.identity.clone(),
            snapshot: Arc::clone(&papers.snapshot),
            health: papers.health.clone(),
            policy: Arc::clone(&self.settings.load().policy),
            data: papers.data.clone(),
            vitals: secure_score_exposition::render_health(&papers.identity, &papers.health),
        });
    }

    /// Leaves the tenant as it stands to whoever comes after a restart.
    fn keep(&self, papers: &Papers) {
        if papers.retired {
            return;
        }
        if let Some(keeper) = &self.surroundings.keeper {
            keeper.keep(
                Arc::clone(&papers.identity.alias),
                papers.saved(self.directory()),
            );
        }
    }

    /// Keeps an answer and says whether it differs from the one before.
    fn replace<T: PartialEq>(
        &self,
        kept: &mut Option<Kept<Arc<T>>>,
        value: T,
        whole: bool,
    ) -> bool {
        let known = kept.as_ref().map(|kept| &kept.value);
        let same = known.filter(|known| ***known == value).map(Arc::clone);
        let changed = same.is_none();
        *kept = Some(Kept {
            value: same.unwrap_or_else(|| Arc::new(value)),
            confirmed: self.now(),
            expires: Instant::now() + self.max_staleness(),
            whole,
        });
        changed
    }

    pub(super) fn papers(&self) -> MutexGuard<'_, Papers> {
        self.papers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A deadline, after the time that leads to it was changed.
fn moved(deadline: Instant, before: Duration, after: Duration) -> Instant {
    let later = deadline + after;
    later.checked_sub(before).unwrap_or(later)
}

/// A partial answer is better than none, and still a failure.
fn whole(partial: bool, subject: Subject) -> Result<(), GraphError> {
    if partial {
        return Err(GraphError::partial(subject));
    }
    Ok(())
}

fn trouble(error: &GraphError) -> Trouble {
    Trouble {
        reason: error.reason(),
        message: error.to_string(),
        hint: error.hint(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TenantRules;
    use crate::events::Events;
    use crate::telemetry::Telemetry;
    use secure_score_exposition::Policy;
    use secure_score_model::{
        Anomalies, ControlState, History, Persons, Points, Reason, StateUpdate,
    };
    use std::collections::BTreeSet;
    use std::num::NonZeroUsize;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn desk() -> Desk<TenantRules> {
        let identity = TenantIdentity {
            alias: "contoso".into(),
            entra_tenant_id: None,
            display_name: "Contoso".into(),
            cloud: "global",
            target: None,
            credential_expires: None,
        };
        let policy = Policy {
            lookback: NonZeroUsize::MIN,
            accepted_by: None,
            comment: false,
        };
        let settings = Settings {
            rules: TenantRules::default(),
            policy: Arc::new(policy),
            max_staleness: 24 * HOUR,
            directory: "global/guid".to_owned(),
            events: Some(Arc::new(Events {
                persons: Persons::Plain,
                telemetry: Arc::new(Telemetry::new().unwrap()),
                exporter: None,
                queue: Some(Arc::default()),
            })),
        };
        let surroundings = Surroundings {
            store: Arc::default(),
            clock: Arc::new(|| Timestamp::from_seconds(1_000)),
            keeper: None,
            commons: Arc::default(),
        };
        Desk::new(identity, settings, surroundings)
    }

    /// Control `A` with its risk accepted, and control `B`.
    fn accepted(partial: bool) -> Paper {
        let mut paper = catalogue(&["A", "B"], partial);
        let Paper::Catalogue(fetched) = &mut paper else {
            return paper;
        };
        Arc::get_mut(&mut fetched.value.entries[0]).unwrap().history =
            History::from_updates(vec![StateUpdate {
                state: ControlState::RiskAccepted,
                at: Some(Timestamp::from_seconds(900)),
                by: Some("alex@contoso.example".into()),
                comment: Some("why".into()),
                assigned_to: None,
            }]);
        paper
    }

    /// The kinds of the events told so far.
    fn told(desk: &Desk<TenantRules>) -> Vec<&'static str> {
        let settings = desk.settings.load();
        let events = settings.events.as_ref().unwrap();
        let letters = events.queue.as_ref().unwrap().undelivered();
        letters.iter().map(|letter| letter.kind.as_str()).collect()
    }

    fn catalogue(ids: &[&str], partial: bool) -> Paper {
        let mut reader = Vec::new();
        for id in ids {
            reader.push(Arc::new(secure_score_model::CatalogueEntry {
                id: (*id).into(),
                title: (*id).into(),
                category: secure_score_model::Category::Identity,
                product: "AzureAD".into(),
                tier: secure_score_model::Tier::Core,
                user_impact: secure_score_model::Level::Low,
                implementation_cost: secure_score_model::Level::Low,
                action_type: secure_score_model::ActionType::Config,
                max_score: None,
                deprecated: false,
                action_url: None,
                history: secure_score_model::History::default(),
            }));
        }
        Paper::Catalogue(Fetched {
            value: Catalogue {
                entra_tenant_id: Some("guid".into()),
                entries: reader,
                anomalies: Anomalies::default(),
            },
            partial,
            unknown_words: BTreeSet::new(),
        })
    }

    fn report(points: Option<f64>) -> Paper {
        Paper::Report(Fetched {
            value: points.map(|points| Report {
                entra_tenant_id: "guid".into(),
                as_of: None,
                current_score: Points::new(points),
                max_score: None,
                active_users: None,
                licensed_users: None,
                comparisons: Vec::new(),
                scores: Vec::new(),
                anomalies: Anomalies::default(),
            }),
            partial: false,
            unknown_words: BTreeSet::new(),
        })
    }

    fn shown(desk: &Desk<TenantRules>) -> Arc<TenantState> {
        desk.show_now();
        Arc::clone(desk.surroundings.store.current().find("contoso").unwrap())
    }

    #[tokio::test]
    async fn a_catalogue_that_turns_empty_is_refused_and_the_old_one_stays() {
        let desk = desk();
        assert!(
            desk.lay(catalogue(&[], false)).is_ok(),
            "empty from the start is no failure"
        );
        desk.lay(catalogue(&["A", "B"], false)).unwrap();
        let error = desk.lay(catalogue(&[], false)).unwrap_err();
        assert_eq!(error.reason(), Reason::Emptied);
        assert_eq!(shown(&desk).snapshot.controls.len(), 2);
    }

    #[tokio::test]
    async fn a_partial_answer_is_better_than_none_and_worse_than_a_whole_one() {
        let desk = desk();
        assert_eq!(
            desk.lay(catalogue(&["A"], true)).unwrap_err().reason(),
            Reason::Partial
        );
        assert_eq!(shown(&desk).snapshot.controls.len(), 1);
        desk.lay(catalogue(&["A", "B"], false)).unwrap();
        assert_eq!(
            desk.lay(catalogue(&["A"], true)).unwrap_err().reason(),
            Reason::Partial
        );
        assert_eq!(shown(&desk).snapshot.controls.len(), 2);
    }

    #[tokio::test]
    async fn a_report_that_was_there_may_not_vanish() {
        let desk = desk();
        assert!(
            desk.lay(report(None)).is_ok(),
            "a young tenant has no report"
        );
        desk.lay(report(Some(5.0))).unwrap();
        desk.lay(catalogue(&["A"], false)).unwrap();
        assert_eq!(
            desk.lay(report(None)).unwrap_err().reason(),
            Reason::Emptied
        );
        assert!(shown(&desk).snapshot.report.is_some());
    }

    fn report_of(day: i64, points: f64) -> Paper {
        let mut paper = report(Some(points));
        if let Paper::Report(Fetched {
            value: Some(report),
            ..
        }) = &mut paper
        {
            report.as_of = Some(Timestamp::from_seconds(day * 86_400));
            report.max_score = Points::new(10.0);
        }
        paper
    }

    #[tokio::test]
    async fn the_last_report_of_an_earlier_day_is_remembered() {
        let desk = desk();
        desk.lay(catalogue(&["A"], false)).unwrap();
        let earlier = |paper| {
            desk.lay(paper).unwrap();
            let earlier = shown(&desk).snapshot.previous_score;
            earlier.map(|it| (it.as_of.as_seconds(), it.score.get()))
        };
        assert_eq!(earlier(report_of(1, 4.0)), None);
        assert_eq!(earlier(report_of(1, 5.0)), None, "the same day, corrected");
        assert_eq!(earlier(report_of(2, 6.0)), Some((86_400.0, 5.0)));
        assert_eq!(earlier(report_of(2, 7.0)), Some((86_400.0, 5.0)));
        assert_eq!(earlier(report_of(1, 5.0)), Some((86_400.0, 5.0)));
        assert_eq!(earlier(report(Some(8.0))), Some((86_400.0, 5.0)));
    }

    #[tokio::test(start_paused = true)]
    async fn data_is_shown_until_it_is_too_old_and_comes_back_with_the_next_success() {
        let desk = desk();
        desk.lay(catalogue(&["A"], false)).unwrap();
        tokio::time::advance(12 * HOUR).await;
        desk.lay(report(Some(5.0))).unwrap();

        tokio::time::advance(12 * HOUR - Duration::from_secs(1)).await;
        desk.expire();
        assert_eq!(shown(&desk).snapshot.controls.len(), 1);

        tokio::time::advance(Duration::from_secs(1)).await;
        desk.expire();
        let state = shown(&desk);
        assert_eq!(
            state.snapshot.controls.len(),
            0,
            "the catalogue is a day old"
        );
        assert!(
            state.snapshot.report.is_some(),
            "the report is half a day old"
        );

        desk.lay(catalogue(&["A"], false)).unwrap();
        assert_eq!(shown(&desk).snapshot.controls.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unchanged_answer_is_fresh_and_is_not_rendered_again() {
        let desk = desk();
        desk.lay(catalogue(&["A"], false)).unwrap();
        let before = shown(&desk);
        tokio::time::advance(20 * HOUR).await;
        desk.lay(catalogue(&["A"], false)).unwrap();
        tokio::time::advance(20 * HOUR).await;
        desk.expire();
        assert!(Arc::ptr_eq(&before.snapshot, &shown(&desk).snapshot));
    }

    #[tokio::test]
    async fn a_control_has_left_only_where_a_whole_catalogue_lacks_it() {
        let desk = desk();
        desk.lay(accepted(false)).unwrap();
        assert_eq!(told(&desk), ["state_changed"]);
        desk.lay(catalogue(&["B"], true)).unwrap_err();
        desk.lay(catalogue(&[], false)).unwrap_err();
        assert_eq!(told(&desk), ["state_changed"], "both were refused");
        desk.lay(catalogue(&["B"], false)).unwrap();
        assert_eq!(told(&desk), ["state_changed", "accepted_control_left"]);
    }

    #[tokio::test(start_paused = true)]
    async fn data_that_expired_and_came_back_repeats_nothing() {
        let desk = desk();
        desk.lay(accepted(false)).unwrap();
        tokio::time::advance(24 * HOUR).await;
        desk.expire();
        assert_eq!(shown(&desk).snapshot.controls.len(), 0);
        desk.lay(catalogue(&["B"], true)).unwrap_err();
        assert_eq!(
            shown(&desk).snapshot.controls.len(),
            1,
            "part of a catalogue is better than none"
        );
        desk.lay(accepted(true)).unwrap_err();
        desk.lay(accepted(false)).unwrap();
        assert_eq!(told(&desk), ["state_changed"]);
    }

    #[tokio::test]
    async fn a_failure_is_told_with_its_reason_until_a_success() {
        let desk = desk();
        let failed = Err(GraphError::emptied(Subject::Catalogue));
        desk.conclude(Api::Profiles, &failed, Traffic::default(), HOUR);
        let health = shown(&desk).health.profiles.clone();
        assert!(!health.up);
        assert_eq!(health.failures.get(&Reason::Emptied), Some(&1));
        assert_eq!(health.trouble.map(|t| t.reason), Some(Reason::Emptied));
        assert_eq!(health.next_refresh, Some(Timestamp::from_seconds(4_600)));

        desk.conclude(Api::Profiles, &Ok(()), Traffic::default(), HOUR);
        let health = shown(&desk).health.profiles.clone();
        assert!(health.up && health.trouble.is_none());
        assert_eq!(health.refreshes, 2);
        assert_eq!(health.last_success, Some(Timestamp::from_seconds(1_000)));
    }
}
