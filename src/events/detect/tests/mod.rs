//! Examples of what the detection reports.

mod properties;

use super::super::EventState;
use super::*;
use EventKind::{
    AcceptanceWithoutComment, AcceptedControlDeprecated, AcceptedControlLeft, HistoryShortened,
    StateChanged,
};
use secure_score_model::ControlState::{self, Planned, RiskAccepted, ThirdParty, ToAddress};
use secure_score_model::{
    CatalogueEntry, Category, Decision, EventKind, History, Persons, StateUpdate,
};

/// State, hour after the first refresh, and person.
type Entry = (ControlState, Option<i64>, Option<&'static str>);

const PLACEHOLDER: Entry = (ToAddress, None, None);

const fn by_alex(state: ControlState, hour: i64) -> Entry {
    (state, Some(hour), Some("alex"))
}

fn hour(hour: i64) -> Timestamp {
    Timestamp::from_seconds(hour * 3_600)
}

/// A control whose history has these entries.
fn control(id: &str, entries: &[Entry]) -> Control {
    let update = |&(state, at, by): &Entry| StateUpdate {
        at: at.map(hour),
        by: by.map(Arc::from),
        comment: by.map(|by| format!("{by} says so").into()),
        ..StateUpdate::new(state)
    };
    Control::listed(CatalogueEntry {
        title: format!("Title of {id}").into(),
        category: Category::Identity,
        history: History::from_updates(entries.iter().map(update).collect()),
        ..CatalogueEntry::new(id)
    })
}

fn with_entry(mut control: Control, change: impl Fn(&mut CatalogueEntry)) -> Control {
    let entry = control.entry.as_mut().and_then(Arc::get_mut);
    change(entry.unwrap());
    control
}

fn deprecated(control: Control) -> Control {
    with_entry(control, |entry| entry.deprecated = true)
}

/// The control with a decision for the acceptances of this person.
fn excepted(control: Control, accepted_by: Option<&str>) -> Control {
    let decision = Decision {
        accepted_by: accepted_by.map(Arc::from),
        ..Decision::new("A", "SEC-1", hour(1_000))
    };
    Control {
        decisions: vec![Arc::new(decision)],
        ..control
    }
}

/// Whether the event is approved, and by which decision.
fn approval(event: &Event) -> (Option<bool>, Option<&str>) {
    (event.approved, event.reference.as_deref())
}

/// A tenant that is refreshed every hour.
#[derive(Default)]
struct Watched {
    seen: Seen,
    refreshes: i64,
}

impl Watched {
    fn refresh(&mut self, controls: &[Control]) -> Vec<Event> {
        self.refresh_with(controls, true)
    }

    fn refresh_with(&mut self, controls: &[Control], complete: bool) -> Vec<Event> {
        let identity = TenantIdentity::new("contoso");
        let now = hour(self.refreshes);
        self.refreshes += 1;
        let coverage = match complete {
            true => Coverage::Complete { unread: 0 },
            false => Coverage::Partial,
        };
        detect(
            &mut self.seen,
            &identity,
            (controls, MinimumReason::default()),
            coverage,
            now,
        )
    }

    /// Stores and restores what was seen.
    fn restart(&mut self) {
        let stored = serde_json::to_string(&self.seen).unwrap();
        let restored: Seen = serde_json::from_str(&stored).unwrap();
        assert_eq!(restored, self.seen);
        self.seen = restored;
    }
}

/// The id where names are shown.
fn shown_id(event: &Event) -> EventId {
    event.shown_to(&Persons::Plain).id()
}

type State = Option<ControlState>;

/// Kind, states and hour.
type Summary = (EventKind, State, State, Option<i64>);

fn summaries(events: &[Event]) -> Vec<Summary> {
    let hour = |event: &Event| event.at.map(|at| at.nanos() / 3_600_000_000_000);
    let events = events.iter();
    let state = |state: Option<EventState>| match state? {
        EventState::Control(state) => Some(state),
        EventState::Recommendation(_) => None,
    };
    events
        .map(|e| (e.kind, state(e.from), state(e.to), hour(e)))
        .collect()
}

fn changed(from: State, to: ControlState, hour: Option<i64>) -> Summary {
    (StateChanged, from, Some(to), hour)
}

fn shortened(from: ControlState, to: ControlState) -> Summary {
    (HistoryShortened, Some(from), Some(to), None)
}

/// What is tested, the history at each refresh, and all events.
type Case<'a> = (&'a str, &'a [&'a [Entry]], &'a [Summary]);

fn check(cases: &[Case<'_>]) {
    for (what, histories, expected) in cases {
        let mut tenant = Watched::default();
        let mut events = Vec::new();
        for history in *histories {
            events.extend(tenant.refresh(&[control("A", history)]));
        }
        assert_eq!(summaries(&events), *expected, "{what}");
    }
}

#[test]
fn an_undated_acceptance_of_a_new_control_is_reported_unless_the_tenant_is_new() {
    let accepted = || control("B", &[(RiskAccepted, None, Some("alex"))]);
    let mut new = Watched::default();
    assert_eq!(new.refresh(&[accepted()]), []);
    let mut known = Watched::default();
    known.refresh(&[control("A", &[])]);
    let both = [control("A", &[]), accepted()];
    let reported = known.refresh(&both);
    assert_eq!(reported.len(), 1, "{reported:#?}");
    assert_eq!(reported[0].to, Some(RiskAccepted.into()));
    assert_eq!(known.refresh(&both), []);
}

#[test]
fn a_control_has_left_when_no_more_elements_are_unreadable_than_before() {
    let accepted = || control("A", &[by_alex(RiskAccepted, -1)]);
    let other = || control("B", &[]);
    for before in [0, 3] {
        let mut tenant = Watched::default();
        let identity = TenantIdentity::new("contoso");
        let mut refresh = |coverage, controls: &[Control]| {
            let events = detect(
                &mut tenant.seen,
                &identity,
                (controls, MinimumReason::default()),
                coverage,
                hour(2),
            );
            events.iter().map(|event| event.kind).collect::<Vec<_>>()
        };
        let unread = |unread| Coverage::Complete { unread };
        assert_eq!(
            refresh(unread(before), &[accepted(), other()]),
            [StateChanged]
        );
        assert_eq!(refresh(unread(before + 1), &[other()]), []);
        assert_eq!(refresh(Coverage::Partial, &[]), []);
        assert_eq!(refresh(unread(before), &[other()]), [AcceptedControlLeft]);
    }
}

#[test]
fn an_acceptance_is_remembered_while_its_history_cannot_be_read() {
    let mut tenant = Watched::default();
    let withdrawn = |history: &[Entry]| Control {
        entry: Some(Arc::new(CatalogueEntry {
            deprecated: true,
            ..CatalogueEntry::clone(control("A", history).entry.as_deref().unwrap())
        })),
        ..control("A", history)
    };
    let accepted = [by_alex(RiskAccepted, -1)];
    let unread = [(ControlState::Unknown, None, None)];
    let mut kinds = |controls: &[Control]| {
        let events = tenant.refresh(controls);
        events.iter().map(|event| event.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&[control("A", &accepted)]), [StateChanged]);
    assert_eq!(kinds(&[withdrawn(&unread)]), [StateChanged]);
    assert_eq!(kinds(&[withdrawn(&accepted)]), [AcceptedControlDeprecated]);
    assert_eq!(kinds(&[withdrawn(&unread)]), []);
    assert_eq!(kinds(&[control("B", &[])]), [AcceptedControlLeft]);
}

#[test]
fn a_history_that_cannot_be_read_is_not_shortened() {
    let accepted = by_alex(RiskAccepted, 1);
    let planned = by_alex(Planned, 3);
    let unread = (ControlState::Unknown, None, None);
    check(&[
        (
            "an entry cannot be read, then it can",
            &[&[], &[accepted], &[unread], &[accepted]],
            &[
                changed(Some(ToAddress), RiskAccepted, Some(1)),
                changed(None, ControlState::Unknown, None),
            ],
        ),
        (
            "the entry is gone when the history can be read again",
            &[&[], &[accepted, planned], &[unread, planned], &[planned]],
            &[
                changed(Some(ToAddress), RiskAccepted, Some(1)),
                changed(Some(RiskAccepted), Planned, Some(3)),
                changed(Some(Planned), ControlState::Unknown, None),
                shortened(Planned, Planned),
            ],
        ),
        (
            "an entry was never readable, and another is gone",
            &[&[unread, accepted, planned], &[unread, planned]],
            &[
                changed(None, RiskAccepted, Some(1)),
                changed(Some(RiskAccepted), Planned, Some(3)),
                shortened(ControlState::Unknown, ControlState::Unknown),
            ],
        ),
    ]);
}

#[test]
fn an_unknown_state_between_two_acceptances_is_no_second_acceptance() {
    let unknown = (ControlState::Unknown, Some(2), Some("kim"));
    check(&[(
        "the acceptance goes on",
        &[
            &[],
            &[
                by_alex(RiskAccepted, 1),
                unknown,
                by_alex(RiskAccepted, 3),
                by_alex(Planned, 4),
            ],
        ],
        &[
            changed(Some(ToAddress), RiskAccepted, Some(1)),
            changed(Some(RiskAccepted), ControlState::Unknown, Some(2)),
            changed(Some(RiskAccepted), Planned, Some(4)),
        ],
    )]);
}

#[test]
fn each_new_change_is_one_event() {
    let undated = |state| (state, None, Some("alex"));
    let (accept, revert) = (undated(RiskAccepted), undated(ToAddress));
    let accepted = by_alex(RiskAccepted, 1);
    let repeated = (RiskAccepted, Some(2), Some("a tool"));
    let planned = by_alex(Planned, 3);
    let old = by_alex(RiskAccepted, -200);
    let from_untouched = |hour| changed(Some(ToAddress), RiskAccepted, hour);
    check(&[
        (
            "changes without a date are distinguished by their number",
            &[
                &[],
                &[accept],
                &[accept],
                &[accept, revert],
                &[accept, revert, accept],
            ],
            &[
                from_untouched(None),
                changed(Some(RiskAccepted), ToAddress, None),
                from_untouched(None),
            ],
        ),
        (
            "a repeated state, when the first entry is dropped",
            &[&[], &[accepted, repeated], &[repeated, planned]],
            &[
                from_untouched(Some(1)),
                changed(Some(RiskAccepted), Planned, Some(3)),
            ],
        ),
        (
            "a placeholder that comes and goes",
            &[&[], &[accepted], &[PLACEHOLDER, accepted], &[accepted]],
            &[from_untouched(Some(1))],
        ),
        (
            "an old change of a known control",
            &[&[], &[PLACEHOLDER, old]],
            &[from_untouched(Some(-200))],
        ),
        (
            "an entry that appears before a seen one",
            &[&[planned], &[accepted, planned]],
            &[
                changed(None, Planned, Some(3)),
                changed(None, RiskAccepted, Some(1)),
            ],
        ),
        (
            "a new control with a dated placeholder",
            &[&[(ToAddress, Some(-1), None)]],
            &[],
        ),
        (
            "a new control that a person set to its default",
            &[&[by_alex(ToAddress, -1)]],
            &[changed(None, ToAddress, Some(-1))],
        ),
        (
            "a new control whose state no person set",
            &[&[(Planned, Some(-1), None)]],
            &[changed(None, Planned, Some(-1))],
        ),
    ]);
}

#[test]
fn each_loss_of_changes_is_one_event() {
    let [a, b, c] = [
        by_alex(Planned, -60),
        by_alex(RiskAccepted, -50),
        by_alex(ToAddress, -40),
    ];
    let new = by_alex(ThirdParty, 1);
    let undated = (ToAddress, None, Some("alex"));
    check(&[
        (
            "all changes, and an acceptance after it",
            &[
                &[b],
                &[PLACEHOLDER],
                &[PLACEHOLDER, by_alex(RiskAccepted, 4)],
            ],
            &[
                shortened(RiskAccepted, ToAddress),
                changed(Some(ToAddress), RiskAccepted, Some(4)),
            ],
        ),
        (
            "an entry from between others",
            &[&[a, b, c], &[a, c, new]],
            &[
                changed(Some(ToAddress), ThirdParty, Some(1)),
                shortened(ToAddress, ThirdParty),
            ],
        ),
        (
            "one entry after the other",
            &[&[a, b, c], &[a, b], &[a]],
            &[
                shortened(ToAddress, RiskAccepted),
                shortened(RiskAccepted, Planned),
            ],
        ),
        (
            "an entry that comes back and goes again",
            &[&[a, b], &[a], &[a, b], &[a], &[a, b]],
            &[shortened(RiskAccepted, Planned)],
        ),
        (
            "no tampering: Graph drops the oldest entry for a new one",
            &[&[a, b], &[b, new]],
            &[changed(Some(RiskAccepted), ThirdParty, Some(1))],
        ),
        (
            "no tampering: an undated entry to address vanishes",
            &[&[undated, a], &[a]],
            &[],
        ),
    ]);
}

#[test]
fn the_first_refresh_reports_the_last_day_only() {
    let mut tenant = Watched::default();
    let recent = [
        PLACEHOLDER,
        by_alex(RiskAccepted, -25),
        by_alex(Planned, -24),
    ];
    let events = tenant.refresh(&[
        control("A", &recent),
        control("B", &[(RiskAccepted, None, Some("kim"))]),
        control("C", &[by_alex(RiskAccepted, -30)]),
    ]);
    let planned = changed(Some(RiskAccepted), Planned, Some(-24));
    assert_eq!(summaries(&events), [planned]);
    assert_eq!(events[0].by.as_deref(), Some("alex"));
    assert_eq!(events[0].comment.as_deref(), Some("alex says so"));
    assert_eq!(&*events[0].title, "Title of A");
}

#[test]
fn the_changes_of_all_controls_are_sorted_by_time() {
    let controls = [("A", -1), ("B", -3), ("C", -2)];
    let controls = controls.map(|(id, hour)| control(id, &[by_alex(Planned, hour)]));
    let events = Watched::default().refresh(&controls);
    let order: Vec<&str> = events.iter().map(|event| &*event.control).collect();
    assert_eq!(order, ["B", "C", "A"]);
}

#[test]
fn a_wiped_acceptance_is_judged_and_its_changes_are_counted() {
    let mut tenant = Watched::default();
    tenant.refresh(&[control("A", &[by_alex(RiskAccepted, 1)])]);
    let wiped = tenant.refresh(&[excepted(control("A", &[]), None)]);
    assert_eq!(wiped[0].lost, Some(1));
    assert_eq!(approval(&wiped[0]), (Some(true), Some("SEC-1")));
}

#[test]
fn an_accepted_control_that_leaves_is_an_event_with_the_person() {
    let mut tenant = Watched::default();
    let controls = [
        control("A", &[by_alex(RiskAccepted, -90)]),
        control("B", &[(RiskAccepted, Some(-1), Some("kim"))]),
        control("C", &[]),
    ];
    assert_eq!(tenant.refresh(&controls).len(), 1);
    let incomplete = tenant.refresh_with(&controls[2..], false);
    assert!(incomplete.is_empty(), "an incomplete catalogue");
    let left = tenant.refresh(&controls[1..2]);
    let expected = (AcceptedControlLeft, Some(RiskAccepted), None, Some(-90));
    assert_eq!(summaries(&left), [expected], "C was not accepted");
    assert_eq!(&*left[0].control, "A");
    assert_eq!(left[0].by.as_deref(), Some("alex"));
    assert_eq!(left[0].comment.as_deref(), Some("alex says so"));
    assert_eq!(&*left[0].title, "Title of A");
    let returned = tenant.refresh(&controls);
    assert!(returned.is_empty(), "its return is no event");
    assert!(tenant.refresh(&controls[1..]).is_empty(), "reported before");
}

#[test]
fn an_accepted_control_that_microsoft_withdraws_is_one_event() {
    let accepted = || control("A", &[by_alex(RiskAccepted, -90)]);
    let mut tenant = Watched::default();
    tenant.refresh(&[accepted(), control("B", &[])]);
    let now = [
        excepted(deprecated(accepted()), None),
        deprecated(control("B", &[])),
    ];
    let events = tenant.refresh(&now);
    let accepted = Some(RiskAccepted);
    let expected = (AcceptedControlDeprecated, accepted, accepted, Some(-90));
    assert_eq!(summaries(&events), [expected], "B is not accepted");
    assert_eq!(approval(&events[0]), (Some(true), Some("SEC-1")));
    assert!(tenant.refresh(&now).is_empty());
    let first = Watched::default().refresh(&now);
    assert!(first.is_empty(), "deprecated before the first refresh");
}

#[test]
fn a_risk_accepted_after_the_deprecation_is_no_deprecation() {
    let mut tenant = Watched::default();
    tenant.refresh(&[deprecated(control("A", &[]))]);
    let accepted = control("A", &[by_alex(RiskAccepted, 1)]);
    let events = tenant.refresh(&[deprecated(accepted)]);
    let expected = changed(Some(ToAddress), RiskAccepted, Some(1));
    assert_eq!(summaries(&events), [expected]);
}

#[test]
fn an_acceptance_without_a_reason_is_an_event_of_its_own() {
    for (comment, kinds) in [
        ("  ", &[StateChanged, AcceptanceWithoutComment][..]),
        ("ok", &[StateChanged, AcceptanceWithoutComment]),
        ("Risk accepted", &[StateChanged, AcceptanceWithoutComment]),
        ("Break-glass account", &[StateChanged]),
    ] {
        let accepted = control("A", &[by_alex(RiskAccepted, -1)]);
        let commented = with_entry(accepted, |entry| {
            let mut updates = entry.history.changes().to_vec();
            updates[0].comment = Some(comment.into());
            entry.history = History::from_updates(updates);
        });
        let events = Watched::default().refresh(&[commented]);
        let found: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
        assert_eq!(found, kinds, "{comment}");
        let ids: HashSet<EventId> = events.iter().map(shown_id).collect();
        assert_eq!(ids.len(), kinds.len());
    }
}

#[test]
fn an_acceptance_is_judged_by_the_history_at_its_time() {
    let entries = [
        (RiskAccepted, Some(-4), Some("kim")),
        (ToAddress, Some(-3), Some("kim")),
        by_alex(RiskAccepted, -2),
        by_alex(ToAddress, -1),
        by_alex(Planned, 0),
    ];
    let control = excepted(control("A", &entries), Some("ALEX"));
    let events = Watched::default().refresh(&[control]);
    let judged: Vec<_> = events.iter().map(approval).collect();
    let (missing, approved) = ((Some(false), None), (Some(true), Some("SEC-1")));
    assert_eq!(judged, [missing, missing, approved, approved, (None, None)]);
}

#[test]
fn an_incomplete_catalogue_shows_changes_once() {
    let mut tenant = Watched::default();
    let full = [
        PLACEHOLDER,
        by_alex(RiskAccepted, -80),
        by_alex(Planned, -1),
    ];
    let part = [control("A", &full[2..])];
    let events = tenant.refresh_with(&part, false);
    assert_eq!(summaries(&events), [changed(None, Planned, Some(-1))]);
    assert!(tenant.refresh_with(&part, false).is_empty());
    assert!(tenant.refresh(&[control("A", &full)]).is_empty());
}

#[test]
fn an_id_hides_the_person_and_distinguishes_events() {
    let controls = ["A", "B"].map(|id| control(id, &[by_alex(RiskAccepted, -1)]));
    let events = Watched::default().refresh(&controls);
    let other = Event {
        by: Some("kim".into()),
        ..events[0].clone()
    };
    let hidden = |event: &Event| event.shown_to(&Persons::Hidden).id();
    assert_eq!(hidden(&events[0]), hidden(&other));
    assert_ne!(shown_id(&events[0]), shown_id(&other));
    assert_ne!(hidden(&events[0]), hidden(&events[1]));
}

#[test]
fn controls_that_left_are_forgotten_beyond_a_number() {
    let mut tenant = Watched::default();
    let ids: Vec<String> = (0..1_200).map(|number| format!("{number:04}")).collect();
    let listed: Vec<Control> = ids.iter().map(|id| control(id, &[])).collect();
    tenant.refresh(&listed);
    tenant.refresh(&listed[..1]);
    assert_eq!(
        tenant.seen.controls.len(),
        1_001,
        "one listed and a thousand others"
    );
}
