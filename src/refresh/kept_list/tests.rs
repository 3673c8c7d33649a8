//! Tests that a recognised answer has the effects of one that is decoded.

use super::super::context::{Context, Settings};
use super::super::tenant_cell::{FetchResult, TenantCell};
use crate::config::{Recommendations, Refresh, TenantRules};
use crate::events::Events;
use crate::graph::answer_testing::{self, TestPage};
use crate::graph::{GraphError, ListAnswer, Subject};
use crate::store::saved_tenant::SavedTenant;
use crate::telemetry::Telemetry;
use proptest::prelude::*;
use secure_score_exposition::{FamilyHeaders, Format, Policy, assemble};
use secure_score_model::{Api, Persons, TenantIdentity, Timestamp, Traffic};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
/// Noon of a day.
const START: i64 = 20_000 * DAY + 12 * HOUR;

/// An answer of Graph.
#[derive(Debug, Clone)]
enum Answer {
    Catalogue(Vec<TestPage>),
    Report(TestPage),
    Recommendations(Vec<TestPage>),
    Failure(Api),
}

#[derive(Debug, Clone)]
enum Step {
    Answer(Answer),
    /// The last answer of a list again.
    Again(Api),
    /// Hours pass, and data expire.
    Wait(i64),
    /// The wall clock is set by hours.
    SetClock(i64),
    /// Another configuration.
    Reconfigure(u64),
    /// The domain belongs to another tenant.
    Move(bool),
    Restart,
}

/// A tenant that recognises answers, or decodes each.
struct Tenant {
    recognises: bool,
    settings: Arc<Settings>,
    context: Context,
    cell: TenantCell,
    recognised: usize,
}

impl Tenant {
    fn new(clock: &Arc<AtomicI64>, recognises: bool) -> Self {
        let events = Events {
            persons: Persons::Plain,
            telemetry: Arc::new(Telemetry::new().unwrap()),
            exporter: None,
            queue: Some(Arc::default()),
        };
        let settings = settings(24, Arc::new(events));
        let clock = Arc::clone(clock);
        let context = Context {
            store: Arc::default(),
            clock: Arc::new(move || Timestamp::from_seconds(clock.load(Ordering::Relaxed))),
            state_writer: None,
            interner: Arc::default(),
            directories: Arc::default(),
        };
        let cell = TenantCell::new(Arc::clone(&settings), context.clone(), None);
        Self {
            recognises,
            settings,
            context,
            cell,
            recognised: 0,
        }
    }

    /// Refreshes a list as the loop does.
    fn refresh(&mut self, tenant: &str, answer: &Answer) {
        let (api, fetched) = match answer {
            Answer::Failure(api) => (*api, Err(GraphError::internal(Subject::of(*api)))),
            Answer::Catalogue(pages) => {
                let known = self.cell.known_catalogue().filter(|_| self.recognises);
                let now = self.cell.now();
                let answer = answer_testing::catalogue(pages, (tenant, now), known.as_ref());
                let is_same = matches!(answer, Ok(ListAnswer::Same(_)));
                self.recognised += usize::from(is_same);
                (Api::Profiles, answer.map(FetchResult::Catalogue))
            }
            Answer::Report(page) => {
                let known = self.cell.known_report().filter(|_| self.recognises);
                let answer = answer_testing::report(page, tenant, known.as_ref());
                let is_same = matches!(answer, Ok(ListAnswer::Same(_)));
                self.recognised += usize::from(is_same);
                (Api::Scores, answer.map(FetchResult::Report))
            }
            Answer::Recommendations(pages) => {
                let known = self.cell.known_recommendations();
                let known = known.filter(|_| self.recognises);
                let answer = answer_testing::recommendations(pages, tenant, known.as_ref());
                let is_same = matches!(answer, Ok(ListAnswer::Same(_)));
                self.recognised += usize::from(is_same);
                let answer = answer.map(FetchResult::Recommendations);
                (Api::Recommendations, answer)
            }
        };
        let mut update = self.cell.update();
        let outcome = fetched.and_then(|it| update.apply(it));
        let delay = Duration::from_secs(900);
        update.record_outcome(api, &outcome, Traffic::default(), delay);
        update.publish();
    }

    fn reconfigure(&mut self, hours: u64) {
        let events = self.settings.events.clone().unwrap();
        self.settings = settings(hours, events);
        self.cell.reconfigure(Arc::clone(&self.settings));
    }

    fn restart(&mut self) {
        let saved = serde_json::to_string(&self.cell.saved()).unwrap();
        let saved = serde_json::from_str(&saved).unwrap();
        let (settings, context) = (Arc::clone(&self.settings), self.context.clone());
        self.cell = TenantCell::new(settings, context, Some(saved));
        self.cell.update().publish();
    }

    /// All that readers, receivers of events and a later process see.
    fn shown(
        &self,
    ) -> (
        String,
        String,
        SavedTenant,
        Vec<Option<tokio::time::Instant>>,
    ) {
        let state = self.context.store.current();
        let lines = state.states.iter().map(|it| (&it.data, &it.health_lines));
        let lines = assemble(&FamilyHeaders::default(), Format::Text, lines).concat();
        let events = self.settings.events.as_ref().unwrap();
        let events = events.queue.as_ref().unwrap().undelivered();
        (
            String::from_utf8(lines).unwrap(),
            format!("{events:?}"),
            self.cell.saved(),
            Api::ALL.map(|api| self.cell.expires_at(api)).to_vec(),
        )
    }
}

fn settings(staleness_hours: u64, events: Arc<Events>) -> Arc<Settings> {
    let policy = Policy {
        lookback: NonZeroUsize::new(staleness_hours as usize).unwrap(),
        ..Policy::default()
    };
    Arc::new(Settings {
        identity: TenantIdentity::new("contoso"),
        rules: TenantRules::default(),
        policy: Arc::new(policy),
        refresh: Refresh {
            max_staleness: Duration::from_secs(staleness_hours * HOUR as u64),
            ..Refresh::default()
        },
        recommendations: Recommendations::default(),
        directory: "global/guid".to_owned(),
        events: Some(events),
    })
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().to_string()
}

/// The page with these elements. The link differs from answer to answer.
fn page(elements: &[String], link: usize) -> String {
    let elements = elements.join(",");
    format!(r#"{{"@odata.nextLink":"https://graph.example/?{link}","value":[{elements}]}}"#)
}

/// One of the controls, with one of its histories, or something that is none.
fn control(number: u8) -> String {
    let id = number % 3;
    let update = |state: &str, at: i64| {
        let (at, by) = (time(at), "alex@contoso.example");
        format!(r#"{{"state":"{state}","updatedDateTime":"{at}","updatedBy":"{by}"}}"#)
    };
    let accepted = update("Ignored", START - 2 * HOUR);
    let updates = match number / 3 {
        0 => r#"{"state":"Default"}"#.to_owned(),
        1 => accepted,
        2 => format!("{accepted},{}", update("Default", START + HOUR)),
        3 => format!("{accepted},{}", update("Reviewed", START + 40 * HOUR)),
        4 => format!("{},{accepted}", update("Planned", START - DAY)),
        5 => format!(r#"{accepted},{{"state":"Parked"}}"#),
        6 => r#"{"state":"Ignored","comment":"undated"}"#.to_owned(),
        7 => return r#"{"title":"without an id","controlStateUpdates":[]}"#.to_owned(),
        _ => return "7".to_owned(),
    };
    format!(r#"{{"id":"C{id}","title":"T","controlStateUpdates":[{updates}]}}"#)
}

fn catalogue() -> impl Strategy<Value = Answer> {
    let controls = proptest::collection::vec(0_u8..27, 0..4);
    let pages = proptest::collection::vec((controls, prop::bool::weighted(0.15)), 1..3);
    (pages, 0_usize..100).prop_map(|(pages, link)| {
        let page = |(controls, partial): (Vec<u8>, bool)| {
            let elements: Vec<String> = controls.into_iter().map(control).collect();
            (page(&elements, link), partial)
        };
        Answer::Catalogue(pages.into_iter().map(page).collect())
    })
}

/// One of the recommendations, in one of its statuses, or something that is none.
fn recommendation(number: u8) -> String {
    let name = number % 3;
    let person = |status: &str, at: i64| {
        let (at, by) = (time(at), "alex@contoso.example");
        format!(
            r#""status":"{status}","lastModifiedBy":"{by}","lastModifiedDateTime":"{at}","statusModifiedDateTime":"{at}""#
        )
    };
    let status = match number / 3 {
        0 => r#""status":"active""#.to_owned(),
        1 => person("riskAccepted", START - 2 * HOUR),
        2 => person("dismissed", START + HOUR),
        3 => {
            let (status, until) = (person("postponed", START - DAY), time(START + HOUR));
            format!(r#"{status},"postponeUntilDateTime":"{until}""#)
        }
        4 => r#""status":"dismissed""#.to_owned(),
        5 => person("parked", START - HOUR),
        6 => return r#"{"status":"active"}"#.to_owned(),
        _ => return "7".to_owned(),
    };
    format!(r#"{{"id":"guid_R{name}","recommendationType":"R{name}",{status}}}"#)
}

fn recommendations() -> impl Strategy<Value = Answer> {
    let elements = proptest::collection::vec(0_u8..24, 0..4);
    let pages = proptest::collection::vec((elements, prop::bool::weighted(0.15)), 1..3);
    (pages, 0_usize..100).prop_map(|(pages, link)| {
        let page = |(elements, partial): (Vec<u8>, bool)| {
            let elements: Vec<String> = elements.into_iter().map(recommendation).collect();
            (page(&elements, link), partial)
        };
        Answer::Recommendations(pages.into_iter().map(page).collect())
    })
}

fn report() -> impl Strategy<Value = Answer> {
    let days = prop_oneof![4 => (-3_i64..2).prop_map(Some), 1 => Just(None)];
    let elements = (
        days,
        0_u8..3,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.9),
    );
    elements.prop_map(|(day, points, partial, is_there)| {
        let day = day.map_or_else(String::new, |day| {
            let day = time(START - 12 * HOUR + day * DAY);
            format!(r#""createdDateTime":"{day}","#)
        });
        let score = format!(
            r#"{{{day}"currentScore":{points},"maxScore":10,"controlScores":[
                {{"controlName":"C0","controlCategory":"Odd","score":{points}}}]}}"#
        );
        let elements = if is_there { vec![score] } else { Vec::new() };
        Answer::Report((page(&elements, 0), partial))
    })
}

/// One step, of which most repeat one of a few answers.
fn step(
    catalogues: Vec<Answer>,
    reports: Vec<Answer>,
    recommendations: Vec<Answer>,
) -> impl Strategy<Value = Step> {
    let api = prop_oneof![
        Just(Api::Profiles),
        Just(Api::Scores),
        Just(Api::Recommendations)
    ];
    prop_oneof![
        12 => prop::sample::select(catalogues).prop_map(Step::Answer),
        6 => prop::sample::select(reports).prop_map(Step::Answer),
        6 => prop::sample::select(recommendations).prop_map(Step::Answer),
        1 => api.prop_map(|api| Step::Answer(Answer::Failure(api))),
        3 => (0_i64..4).prop_map(Step::Wait),
        1 => (20_i64..30).prop_map(Step::Wait),
        2 => (-3_i64..3).prop_map(Step::SetClock),
        1 => (1_u64..40).prop_map(Step::Reconfigure),
        1 => any::<bool>().prop_map(Step::Move),
        1 => Just(Step::Restart),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let answers = (
        proptest::collection::vec(catalogue(), 3),
        proptest::collection::vec(report(), 3),
        proptest::collection::vec(recommendations(), 3),
    );
    answers.prop_flat_map(|(catalogues, reports, recommendations)| {
        proptest::collection::vec(step(catalogues, reports, recommendations), 1..40)
    })
}

/// Both tenants take the same steps. Returns how many answers were recognised.
fn run(steps: Vec<Step>) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let clock = Arc::new(AtomicI64::new(START));
        let mut tenants = [true, false].map(|it| Tenant::new(&clock, it));
        let (mut catalogue, mut report, mut recommendations) = (None, None, None);
        let mut id = "guid";
        for (number, step) in steps.into_iter().enumerate() {
            let shown = format!("step {number}: {step:?}");
            let answer = match step {
                Step::Answer(answer) => Some(answer),
                Step::Again(Api::Scores) => report.clone(),
                Step::Again(Api::Recommendations) => recommendations.clone(),
                Step::Again(_) => catalogue.clone(),
                Step::Wait(hours) => {
                    clock.fetch_add(hours * HOUR, Ordering::Relaxed);
                    tokio::time::advance(Duration::from_secs(hours as u64 * HOUR as u64)).await;
                    tenants.iter().for_each(|it| it.cell.drop_expired());
                    None
                }
                Step::SetClock(hours) => {
                    clock.fetch_add(hours * HOUR, Ordering::Relaxed);
                    None
                }
                Step::Reconfigure(hours) => {
                    tenants.iter_mut().for_each(|it| it.reconfigure(hours));
                    None
                }
                Step::Move(is_moved) => {
                    id = if is_moved { "other" } else { "guid" };
                    None
                }
                Step::Restart => {
                    tenants.iter_mut().for_each(Tenant::restart);
                    None
                }
            };
            if let Some(answer) = answer {
                tenants.iter_mut().for_each(|it| it.refresh(id, &answer));
                match &answer {
                    Answer::Catalogue(_) => catalogue = Some(answer),
                    Answer::Report(_) => report = Some(answer),
                    Answer::Recommendations(_) => recommendations = Some(answer),
                    Answer::Failure(_) => {}
                }
            }
            let [recognising, decoding] = &tenants;
            assert_eq!(recognising.shown(), decoding.shown(), "{shown}");
        }
        let [recognising, decoding] = tenants;
        assert_eq!(decoding.recognised, 0);
        recognising.recognised
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_recognised_answer_has_the_effects_of_one_that_is_decoded(
        steps in steps(),
    ) {
        run(steps);
    }
}

/// How often an answer is recognised, of two answers of a list.
fn check_repeats(api: Api, accepted: impl Fn() -> Step, other: impl Fn() -> Step) {
    let again = || Step::Again(api);
    assert_eq!(run(vec![accepted(), again(), again()]), 2);
    assert_eq!(run(vec![accepted(), Step::Reconfigure(30), again()]), 1);
    assert_eq!(run(vec![accepted(), other(), accepted()]), 0);
    assert_eq!(run(vec![accepted(), Step::Restart, again(), again()]), 1);
    assert_eq!(run(vec![accepted(), Step::Move(true), again(), again()]), 1);
}

#[test]
fn answers_that_came_before_are_recognised_and_others_are_not() {
    let catalogue = |numbers: &[u8]| {
        let controls: Vec<String> = numbers.iter().map(|it| control(*it)).collect();
        Step::Answer(Answer::Catalogue(vec![(page(&controls, 0), false)]))
    };
    let again = || Step::Again(Api::Profiles);
    let accepted = || catalogue(&[0, 4]);
    check_repeats(Api::Profiles, accepted, || catalogue(&[3]));
    let of_the_future = || catalogue(&[6]);
    assert_eq!(
        run(vec![of_the_future(), again(), Step::Wait(2), again()]),
        0
    );
    let twice = || catalogue(&[3, 12]);
    assert_eq!(run(vec![accepted(), Step::SetClock(-3), again()]), 0);
    assert_eq!(run(vec![twice(), again()]), 0, "the newer of two copies");
}

#[test]
fn recommendations_that_came_before_are_recognised_and_others_are_not() {
    let list = |numbers: &[u8]| {
        let elements: Vec<String> = numbers.iter().map(|it| recommendation(*it)).collect();
        Step::Answer(Answer::Recommendations(vec![(page(&elements, 0), false)]))
    };
    let accepted = || list(&[0, 4]);
    check_repeats(Api::Recommendations, accepted, || list(&[1]));
    // Which of two copies counts depends on nothing but the answer.
    let again = Step::Again(Api::Recommendations);
    assert_eq!(run(vec![list(&[3, 12]), again]), 1);
}
