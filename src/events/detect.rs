//! Compares a tenant's catalogue with what was seen before: a pure function.

use super::Event;
use super::change_detector::ChangeDetector;
use super::seen::{Seen, SeenControl};
use super::seen_history::{SeenAcceptance, SeenHistory, keyed_changes};
use secure_score_model::{CatalogueEntry, Control, TenantIdentity, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;

/// Returns the new events of a tenant, oldest first, and remembers them.
///
/// The first call for a tenant reports the changes of the last day, each later
/// one every change that was not seen: two changes between two refreshes are
/// two events. An incomplete catalogue shows changes, but what it lacks means
/// nothing.
pub fn detect(
    seen: &mut Seen,
    tenant: &TenantIdentity,
    controls: &[Control],
    complete: bool,
    now: Timestamp,
) -> Vec<Event> {
    let since = seen.since(now);
    let detector = ChangeDetector { tenant, since, now };
    let mut changed = Vec::new();
    let mut tampered = Vec::new();
    for control in controls {
        let Some(entry) = &control.entry else {
            continue;
        };
        let seen = seen.control(control);
        let changes = keyed_changes(&tenant.alias, &control.id, &entry.history);
        let new = detector.changes(control, &entry.history, &changes, seen);
        if complete {
            let history = SeenHistory(changes.iter().map(|change| change.key.clone()).collect());
            let acceptance = SeenAcceptance::in_force(&changes);
            tampered.extend(detector.shortened(control, &history, seen));
            if let (Some(acceptance), true) = (&acceptance, entry.deprecated) {
                tampered.extend(detector.deprecated(control, acceptance, seen));
            }
            remember(seen, control, entry, acceptance, history);
        } else {
            for change in &new {
                seen.note(change.id);
            }
        }
        changed.extend(new.into_iter().flat_map(|change| change.events));
    }
    if complete {
        tampered.extend(left(&detector, seen, controls));
        seen.forget_unlisted();
    }
    // The sort is stable: the events of one change stay together.
    changed.sort_by_key(|event| event.at);
    changed.append(&mut tampered);
    changed
}

fn remember(
    seen: &mut SeenControl,
    control: &Control,
    entry: &CatalogueEntry,
    acceptance: Option<SeenAcceptance>,
    history: SeenHistory,
) {
    seen.title = Arc::clone(&entry.title);
    seen.category = control.category;
    seen.listed = true;
    seen.deprecated = entry.deprecated;
    seen.acceptance = acceptance;
    seen.replace(history);
}

/// The accepted controls that left a complete catalogue.
fn left(detector: &ChangeDetector<'_>, seen: &mut Seen, controls: &[Control]) -> Vec<Event> {
    let listed = controls.iter().filter(|control| control.entry.is_some());
    let listed: HashSet<&str> = listed.map(|control| &*control.id).collect();
    let mut events = Vec::new();
    for (id, seen) in &mut seen.controls {
        if seen.listed && !listed.contains(&**id) {
            seen.listed = false;
            events.extend(detector.left(id, seen));
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use EventKind::{
        AcceptanceWithoutComment, AcceptedControlDeprecated, AcceptedControlLeft, HistoryShortened,
        StateChanged,
    };
    use proptest::prelude::*;
    use secure_score_model::ControlState::{self, Planned, RiskAccepted, ThirdParty, ToAddress};
    use secure_score_model::{Category, EventKind, Exception, History, Persons, StateUpdate};
    use std::collections::BTreeSet;

    const HOUR: i64 = 3_600;
    /// The first refresh, in hours.
    const START: i64 = 1_000;

    type Entry = (ControlState, Option<i64>, Option<&'static str>);

    fn update(&(state, hour, by): &Entry) -> StateUpdate {
        StateUpdate {
            at: hour.map(|hour| Timestamp::from_seconds(hour * HOUR)),
            by: by.map(Arc::from),
            comment: by.map(|by| format!("{by} says so").into()),
            ..StateUpdate::new(state)
        }
    }

    /// A control whose history has these entries.
    fn control(id: &str, entries: &[Entry]) -> Control {
        Control::listed(CatalogueEntry {
            title: format!("Title of {id}").into(),
            category: Category::Identity,
            history: History::from_updates(entries.iter().map(update).collect()),
            ..CatalogueEntry::new(id)
        })
    }

    fn deprecated(mut control: Control) -> Control {
        let entry = control.entry.as_mut().and_then(Arc::get_mut);
        entry.unwrap().deprecated = true;
        control
    }

    /// The control with an exception that covers any acceptance.
    fn excepted(control: Control) -> Control {
        let expires = Timestamp::from_seconds(START * HOUR * 2);
        Control {
            exceptions: vec![Arc::new(Exception::new("A", "SEC-1", expires))],
            ..control
        }
    }

    /// Whether the event is approved, and by which exception.
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
        /// A tenant whose control `A` is untouched at the first refresh.
        fn with_an_untouched_control() -> Self {
            let mut tenant = Self::default();
            assert!(tenant.refresh(&[control("A", &[])]).is_empty());
            tenant
        }

        fn refresh(&mut self, controls: &[Control]) -> Vec<Event> {
            self.refresh_with(controls, true)
        }

        fn refresh_incomplete(&mut self, controls: &[Control]) -> Vec<Event> {
            self.refresh_with(controls, false)
        }

        fn refresh_with(&mut self, controls: &[Control], complete: bool) -> Vec<Event> {
            let identity = TenantIdentity {
                entra_tenant_id: Some("guid".into()),
                ..TenantIdentity::new("contoso")
            };
            let now = Timestamp::from_seconds((START + self.refreshes) * HOUR);
            self.refreshes += 1;
            detect(&mut self.seen, &identity, controls, complete, now)
        }

        /// Stores and restores what was seen.
        fn restart(&mut self) {
            let stored = serde_json::to_string(&self.seen).unwrap();
            let restored: Seen = serde_json::from_str(&stored).unwrap();
            assert_eq!(restored, self.seen);
            self.seen = restored;
        }
    }

    type Summary = (
        EventKind,
        Option<ControlState>,
        Option<ControlState>,
        Option<i64>,
    );

    /// Kind, states and hour.
    fn summary(events: &[Event]) -> Vec<Summary> {
        let hour = |event: &Event| event.at.map(|at| at.nanos() / (HOUR * 1_000_000_000));
        let events = events.iter();
        events.map(|e| (e.kind, e.from, e.to, hour(e))).collect()
    }

    fn changed(from: Option<ControlState>, to: ControlState, hour: Option<i64>) -> Summary {
        (StateChanged, from, Some(to), hour)
    }

    const PLACEHOLDER: Entry = (ToAddress, None, None);

    #[test]
    fn the_first_refresh_reports_the_last_day_only() {
        let mut tenant = Watched::default();
        let events = tenant.refresh(&[
            control(
                "A",
                &[
                    PLACEHOLDER,
                    (RiskAccepted, Some(START - 25), Some("alex")),
                    (Planned, Some(START - 24), Some("alex")),
                ],
            ),
            control("B", &[(RiskAccepted, None, Some("kim"))]),
            control("C", &[(RiskAccepted, Some(START - 30), Some("kim"))]),
        ]);
        let planned = changed(Some(RiskAccepted), Planned, Some(START - 24));
        assert_eq!(summary(&events), [planned]);
        assert_eq!(events[0].by.as_deref(), Some("alex"));
        assert_eq!(events[0].comment.as_deref(), Some("alex says so"));
        assert_eq!(&*events[0].title, "Title of A");
    }

    #[test]
    fn accepted_and_withdrawn_between_two_refreshes_is_two_events() {
        let mut tenant = Watched::with_an_untouched_control();
        let history = [
            PLACEHOLDER,
            (ToAddress, Some(START + 2), Some("kim")),
            (RiskAccepted, Some(START + 1), Some("alex")),
        ];
        let accepted = changed(Some(ToAddress), RiskAccepted, Some(START + 1));
        let withdrawn = changed(Some(RiskAccepted), ToAddress, Some(START + 2));
        assert_eq!(
            summary(&tenant.refresh(&[control("A", &history)])),
            [accepted, withdrawn]
        );
        assert_eq!(summary(&tenant.refresh(&[control("A", &history)])), []);
    }

    #[test]
    fn the_changes_of_all_controls_are_sorted_by_time() {
        let mut tenant = Watched::default();
        let events = tenant.refresh(&[
            control("A", &[(Planned, Some(START - 1), Some("a"))]),
            control("B", &[(Planned, Some(START - 3), Some("b"))]),
            control("C", &[(Planned, Some(START - 2), Some("c"))]),
        ]);
        let order: Vec<&str> = events.iter().map(|event| &*event.control).collect();
        assert_eq!(order, ["B", "C", "A"]);
    }

    #[test]
    fn an_acceptance_without_a_date_is_reported_once() {
        let mut tenant = Watched::with_an_untouched_control();
        let history = [control("A", &[(RiskAccepted, None, Some("alex"))])];
        let accepted = changed(Some(ToAddress), RiskAccepted, None);
        assert_eq!(summary(&tenant.refresh(&history)), [accepted]);
        assert_eq!(summary(&tenant.refresh(&history)), []);
    }

    #[test]
    fn changes_without_a_date_are_distinguished_by_their_number() {
        let mut tenant = Watched::with_an_untouched_control();
        let accept = (RiskAccepted, None, Some("alex"));
        let revert = (ToAddress, None, Some("alex"));
        tenant.refresh(&[control("A", &[accept, revert])]);
        let again = tenant.refresh(&[control("A", &[accept, revert, accept])]);
        assert_eq!(
            summary(&again),
            [changed(Some(ToAddress), RiskAccepted, None)]
        );
    }

    #[test]
    fn a_repeated_state_is_no_event_when_the_first_entry_is_dropped() {
        let mut tenant = Watched::with_an_untouched_control();
        let first = (RiskAccepted, Some(START + 1), Some("alex"));
        let again = (RiskAccepted, Some(START + 2), Some("a tool"));
        let later = (Planned, Some(START + 3), Some("kim"));
        assert_eq!(tenant.refresh(&[control("A", &[first, again])]).len(), 1);
        let events = tenant.refresh(&[control("A", &[again, later])]);
        let planned = changed(Some(RiskAccepted), Planned, Some(START + 3));
        assert_eq!(summary(&events), [planned]);
    }

    #[test]
    fn a_placeholder_that_comes_and_goes_is_no_event() {
        let mut tenant = Watched::with_an_untouched_control();
        let accept = (RiskAccepted, Some(START + 1), Some("alex"));
        assert_eq!(tenant.refresh(&[control("A", &[accept])]).len(), 1);
        for history in [&[PLACEHOLDER, accept][..], &[accept]] {
            assert_eq!(summary(&tenant.refresh(&[control("A", history)])), []);
        }
    }

    #[test]
    fn a_wiped_history_and_an_acceptance_after_it_are_events() {
        let mut tenant = Watched::with_an_untouched_control();
        let accept = (RiskAccepted, Some(START + 1), Some("alex"));
        tenant.refresh(&[control("A", &[PLACEHOLDER, accept])]);
        let wiped = tenant.refresh(&[excepted(control("A", &[PLACEHOLDER]))]);
        let shortened = (HistoryShortened, Some(RiskAccepted), Some(ToAddress), None);
        assert_eq!(summary(&wiped), [shortened]);
        assert_eq!(wiped[0].lost, Some(1));
        assert_eq!(approval(&wiped[0]), (Some(true), Some("SEC-1")));
        let again = (RiskAccepted, Some(START + 4), Some("alex"));
        let accepted = changed(Some(ToAddress), RiskAccepted, Some(START + 4));
        assert_eq!(
            summary(&tenant.refresh(&[control("A", &[PLACEHOLDER, again])])),
            [accepted]
        );
    }

    #[test]
    fn an_entry_removed_from_between_others_is_an_event() {
        let mut tenant = Watched::default();
        let entries = [
            (Planned, Some(START - 60), Some("a")),
            (RiskAccepted, Some(START - 50), Some("b")),
            (ToAddress, Some(START - 40), Some("c")),
        ];
        tenant.refresh(&[control("A", &entries)]);
        let new = (ThirdParty, Some(START + 1), Some("d"));
        let events = tenant.refresh(&[control("A", &[entries[0], entries[2], new])]);
        let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [StateChanged, HistoryShortened]);
        assert_eq!(events[1].lost, Some(1));
    }

    #[test]
    fn an_entry_that_appears_before_a_seen_one_is_an_event() {
        let mut tenant = Watched::default();
        let seen = (Planned, Some(START + 5), Some("a"));
        assert_eq!(tenant.refresh(&[control("A", &[seen])]).len(), 1);
        let late = (RiskAccepted, Some(START + 1), Some("b"));
        let events = tenant.refresh(&[control("A", &[late, seen])]);
        assert_eq!(
            summary(&events),
            [changed(None, RiskAccepted, Some(START + 1))]
        );
    }

    #[test]
    fn each_loss_of_changes_is_an_event() {
        let mut tenant = Watched::default();
        let entries = [
            (Planned, Some(START - 60), Some("a")),
            (RiskAccepted, Some(START - 50), Some("b")),
            (ToAddress, Some(START - 40), Some("c")),
        ];
        tenant.refresh(&[control("A", &entries)]);
        for count in [2, 1] {
            let events = tenant.refresh(&[control("A", &entries[..count])]);
            assert_eq!(events.len(), 1, "{events:#?}");
            assert_eq!(events[0].kind, HistoryShortened);
        }
    }

    #[test]
    fn an_undated_entry_to_address_may_vanish() {
        let mut tenant = Watched::default();
        let undated = (ToAddress, None, Some("a"));
        let planned = (Planned, Some(START - 60), Some("b"));
        tenant.refresh(&[control("A", &[undated, planned])]);
        assert_eq!(tenant.refresh(&[control("A", &[planned])]), []);
    }

    #[test]
    fn the_first_entry_of_a_new_control_is_an_event_unless_it_is_a_placeholder() {
        let events = |state, by| {
            let mut tenant = Watched::default();
            let entry = (state, Some(START - 1), by);
            tenant.refresh(&[control("A", &[entry])]).len()
        };
        assert_eq!(events(ToAddress, None), 0);
        assert_eq!(events(ToAddress, Some("a")), 1);
        assert_eq!(events(Planned, None), 1);
    }

    #[test]
    fn a_history_that_drops_its_oldest_entry_for_a_new_one_is_no_tampering() {
        let mut tenant = Watched::default();
        let entries = [
            (Planned, Some(START - 60), Some("a")),
            (RiskAccepted, Some(START - 50), Some("b")),
            (ToAddress, Some(START + 1), Some("c")),
        ];
        tenant.refresh(&[control("A", &entries[..2])]);
        let events = tenant.refresh(&[control("A", &entries[1..])]);
        let withdrawn = changed(Some(RiskAccepted), ToAddress, Some(START + 1));
        assert_eq!(summary(&events), [withdrawn]);
    }

    #[test]
    fn a_lost_change_that_comes_back_and_goes_again_is_one_event() {
        let mut tenant = Watched::default();
        let entries = [
            (Planned, Some(START - 60), Some("a")),
            (RiskAccepted, Some(START - 50), Some("b")),
        ];
        let mut all = Vec::new();
        for count in [2, 1, 2, 1, 2] {
            all.extend(tenant.refresh(&[control("A", &entries[..count])]));
        }
        assert_eq!(summary(&all).len(), 1, "{all:#?}");
    }

    #[test]
    fn an_accepted_control_that_leaves_is_an_event_with_the_person() {
        let mut tenant = Watched::default();
        let first_acceptance = (RiskAccepted, Some(START - 90), Some("alex"));
        let controls = [
            control("A", &[first_acceptance]),
            control("B", &[(RiskAccepted, Some(START - 1), Some("kim"))]),
            control("C", &[]),
        ];
        let first = tenant.refresh(&controls);
        assert_eq!(first.len(), 1);
        assert!(
            tenant.refresh_incomplete(&controls[2..]).is_empty(),
            "an incomplete catalogue"
        );
        let left = tenant.refresh(&controls[1..2]);
        assert_eq!(summary(&left).len(), 1, "C was not accepted");
        assert_eq!(left[0].kind, AcceptedControlLeft);
        assert_eq!(&*left[0].control, "A");
        assert_eq!((left[0].from, left[0].to), (Some(RiskAccepted), None));
        assert_eq!(left[0].by.as_deref(), Some("alex"));
        assert_eq!(left[0].comment.as_deref(), Some("alex says so"));
        assert_eq!(left[0].at, update(&first_acceptance).at);
        assert_eq!(&*left[0].title, "Title of A");
        assert!(
            tenant.refresh(&controls).is_empty(),
            "its return is no event"
        );
        assert!(tenant.refresh(&controls[1..]).is_empty(), "reported before");
    }

    #[test]
    fn an_accepted_control_that_is_withdrawn_by_microsoft_is_summary() {
        let accepted = || control("A", &[(RiskAccepted, Some(START - 90), Some("alex"))]);
        let mut tenant = Watched::default();
        tenant.refresh(&[accepted(), control("B", &[])]);
        let withdrawn = excepted(deprecated(accepted()));
        let now = [withdrawn, deprecated(control("B", &[]))];
        let events = tenant.refresh(&now);
        assert_eq!(events.len(), 1, "B is not accepted");
        assert_eq!(events[0].kind, AcceptedControlDeprecated);
        assert_eq!(
            (events[0].from, events[0].to),
            (Some(RiskAccepted), Some(RiskAccepted))
        );
        assert_eq!(approval(&events[0]), (Some(true), Some("SEC-1")));
        assert!(tenant.refresh(&now).is_empty());
        let mut late = Watched::default();
        assert!(
            late.refresh(&now).is_empty(),
            "it was deprecated before the first refresh"
        );
    }

    #[test]
    fn an_acceptance_without_a_comment_is_an_event_of_its_own() {
        let mut tenant = Watched::default();
        let mut uncommented = control("A", &[(RiskAccepted, Some(START - 1), Some("alex"))]);
        let entry = uncommented.entry.as_mut().and_then(Arc::get_mut).unwrap();
        let mut updates = entry.history.changes().to_vec();
        updates[0].comment = Some("  ".into());
        entry.history = History::from_updates(updates);
        let events = tenant.refresh(&[uncommented]);
        let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [StateChanged, AcceptanceWithoutComment]);
        let plain = Persons::Plain;
        assert_ne!(events[0].id(&plain), events[1].id(&plain));
    }

    #[test]
    fn an_acceptance_is_judged_by_the_history_at_its_time() {
        let mut tenant = Watched::default();
        let mut control = excepted(control(
            "A",
            &[
                (RiskAccepted, Some(START - 4), Some("kim")),
                (ToAddress, Some(START - 3), Some("kim")),
                (RiskAccepted, Some(START - 2), Some("alex")),
                (ToAddress, Some(START - 1), Some("alex")),
                (Planned, Some(START), Some("alex")),
            ],
        ));
        let exception = control.exceptions.first_mut().and_then(Arc::get_mut);
        exception.unwrap().accepted_by = Some("ALEX".into());
        let events = tenant.refresh(&[control]);
        let judged: Vec<_> = events.iter().map(approval).collect();
        let (missing, approved) = ((Some(false), None), (Some(true), Some("SEC-1")));
        assert_eq!(judged, [missing, missing, approved, approved, (None, None)]);
    }

    #[test]
    fn an_incomplete_catalogue_shows_changes_once() {
        let mut tenant = Watched::default();
        let full = [
            PLACEHOLDER,
            (RiskAccepted, Some(START - 80), Some("alex")),
            (Planned, Some(START - 1), Some("alex")),
        ];
        let part = tenant.refresh_incomplete(&[control("A", &full[2..])]);
        assert_eq!(summary(&part), [changed(None, Planned, Some(START - 1))]);
        assert!(
            tenant
                .refresh_incomplete(&[control("A", &full[2..])])
                .is_empty()
        );
        assert!(tenant.refresh(&[control("A", &full)]).is_empty());
    }

    #[test]
    fn a_change_of_a_known_control_counts_whatever_its_date() {
        let mut tenant = Watched::with_an_untouched_control();
        let past = (RiskAccepted, Some(START - 200), Some("alex"));
        assert_eq!(
            tenant.refresh(&[control("A", &[PLACEHOLDER, past])]).len(),
            1
        );
    }

    #[test]
    fn an_id_hides_the_person_and_distinguishes_events() {
        let mut tenant = Watched::default();
        let events = tenant.refresh(&[
            control("A", &[(RiskAccepted, Some(START - 1), Some("alex"))]),
            control("B", &[(RiskAccepted, Some(START - 1), Some("alex"))]),
        ]);
        let other = Event {
            by: Some("kim".into()),
            ..events[0].clone()
        };
        assert_eq!(events[0].id(&Persons::Hidden), other.id(&Persons::Hidden));
        assert_ne!(events[0].id(&Persons::Plain), other.id(&Persons::Plain));
        assert_ne!(
            events[0].id(&Persons::Hidden),
            events[1].id(&Persons::Hidden)
        );
    }

    #[test]
    fn a_risk_accepted_after_the_deprecation_is_no_deprecation() {
        let mut tenant = Watched::default();
        tenant.refresh(&[deprecated(control("A", &[]))]);
        let accepted = control("A", &[(RiskAccepted, Some(START + 1), Some("alex"))]);
        let events = tenant.refresh(&[deprecated(accepted)]);
        let expected = changed(Some(ToAddress), RiskAccepted, Some(START + 1));
        assert_eq!(summary(&events), [expected]);
    }

    #[test]
    fn the_ids_remembered_of_a_control_are_bounded() {
        let mut tenant = Watched::with_an_untouched_control();
        let changed = |round: i64| {
            let state = [RiskAccepted, Planned][usize::from(round % 2 == 1)];
            control("A", &[(state, Some(START + round), Some("alex"))])
        };
        for round in 0..400 {
            assert_eq!(tenant.refresh(&[changed(round)]).len(), 1);
        }
        assert_eq!(tenant.seen.controls["A"].earlier.len(), 256);
        let newest = tenant.refresh_incomplete(&[changed(398)]);
        assert_eq!(newest, [], "the newest ids are kept");
    }

    #[test]
    fn the_unlisted_controls_remembered_are_bounded() {
        let mut tenant = Watched::default();
        tenant.refresh(&[control("Z", &[])]);
        for round in 0..1_500 {
            tenant.refresh(&[control(&format!("{round:04}"), &[]), control("Z", &[])]);
        }
        let controls = &tenant.seen.controls;
        assert_eq!(controls.len(), 1_002, "two listed and a thousand others");
        assert!(controls["Z"].listed && controls["1499"].listed);
    }

    #[derive(Debug, Clone)]
    struct Step {
        state: ControlState,
        by: &'static str,
        refresh: bool,
        restart: bool,
        absent: bool,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let states = prop::sample::select(vec![ToAddress, RiskAccepted, ThirdParty, Planned]);
        let persons = prop::sample::select(vec!["alex", "kim"]);
        let step = (states, persons, any::<bool>(), any::<bool>(), any::<bool>());
        let step = step.prop_map(|(state, by, refresh, restart, absent)| Step {
            state,
            by,
            refresh,
            restart,
            absent,
        });
        prop::collection::vec(step, 1..25)
    }

    /// The expected events, by a simple algorithm.
    fn transitions(steps: &[Step]) -> Vec<Summary> {
        let mut now = ToAddress;
        let mut all = Vec::new();
        for (step, hour) in steps.iter().zip(START + 1..) {
            if step.state != now {
                all.push(changed(Some(now), step.state, Some(hour)));
                now = step.state;
            }
        }
        all
    }

    fn entries(steps: &[Step]) -> Vec<Entry> {
        let dated = steps.iter().zip(START + 1..);
        let dated = dated.map(|(step, hour)| (step.state, Some(hour), Some(step.by)));
        std::iter::once(PLACEHOLDER).chain(dated).collect()
    }

    proptest! {
        #[test]
        fn every_change_is_one_event_whenever_the_tenant_is_refreshed(steps in steps()) {
            let mut tenant = Watched::with_an_untouched_control();
            let mut all = Vec::new();
            for (place, step) in steps.iter().enumerate() {
                if step.refresh || place + 1 == steps.len() {
                    let part = &steps[..=place];
                    all.extend(tenant.refresh(&[control("A", &entries(part))]));
                }
                if step.restart {
                    tenant.restart();
                }
            }
            prop_assert_eq!(summary(&all), transitions(&steps));
        }

        #[test]
        fn every_change_of_a_control_that_comes_and_goes_is_one_event(steps in steps()) {
            let mut tenant = Watched::with_an_untouched_control();
            let mut all = Vec::new();
            for (place, step) in steps.iter().enumerate() {
                let part = &steps[..=place];
                let there = [control("A", &entries(part))];
                let shown = if step.absent { &there[..0] } else { &there[..] };
                all.extend(tenant.refresh_with(shown, step.refresh));
                if step.restart {
                    tenant.restart();
                }
            }
            all.extend(tenant.refresh(&[control("A", &entries(&steps))]));
            all.retain(|event| event.kind == StateChanged);
            all.sort_by_key(|event| event.at);
            prop_assert_eq!(summary(&all), transitions(&steps));
        }

        #[test]
        fn a_history_that_keeps_its_newest_entries_only_gives_every_event_once(steps in steps(), most in 1_usize..5) {
            let mut tenant = Watched::with_an_untouched_control();
            let mut all = Vec::new();
            for place in 0..steps.len() {
                let kept = entries(&steps[..=place]);
                let kept = &kept[kept.len().saturating_sub(most)..];
                all.extend(tenant.refresh(&[control("A", kept)]));
            }
            all.retain(|event| event.kind == StateChanged);
            prop_assert_eq!(summary(&all), transitions(&steps));
        }

        #[test]
        fn no_history_gives_an_event_twice(
            rounds in prop::collection::vec(
                prop::collection::vec(
                    (
                        prop::sample::select(vec![ToAddress, RiskAccepted, Planned]),
                        prop::option::of(START - 30..START + 10),
                        prop::option::of(prop::sample::select(vec!["alex", "kim"])),
                    ),
                    0..5,
                ),
                1..12,
            ),
        ) {
            let mut tenant = Watched::default();
            let mut ids = BTreeSet::new();
            for round in &rounds {
                for event in tenant.refresh(&[control("A", round)]) {
                    prop_assert!(ids.insert(event.id(&Persons::Plain)), "{event:#?}");
                }
                prop_assert!(tenant.refresh(&[control("A", round)]).is_empty());
                tenant.restart();
            }
        }
    }
}
