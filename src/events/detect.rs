//! What happened between two looks at a tenant: a pure function.

use super::Event;
use super::look::Look;
use super::past::{self, Acceptance, Past};
use super::seen::{Seen, SeenControl};
use secure_score_model::{CatalogueEntry, Control, TenantIdentity, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;

/// Finds what is new in a tenant's catalogue, oldest first, and remembers it.
///
/// Of a tenant seen for the first time, what happened in the last day counts.
/// Of one seen before, every change it has not seen: two changes between two
/// looks are two events. A catalogue that is not `whole` shows changes as well
/// as any, but from what it lacks nothing follows.
pub fn detect(
    seen: &mut Seen,
    tenant: &TenantIdentity,
    controls: &[Control],
    whole: bool,
    now: Timestamp,
) -> Vec<Event> {
    let since = seen.since(now);
    let look = Look { tenant, since, now };
    let mut changes = Vec::new();
    let mut tampering = Vec::new();
    for control in controls {
        let Some(entry) = &control.entry else {
            continue;
        };
        let seen = seen.control(control);
        let known = past::known(&tenant.alias, &control.id, &entry.history);
        let told = look.changes(control, &entry.history, &known, seen);
        if whole {
            let now: Past = known.iter().map(|known| known.mark.clone()).collect();
            let acceptance = Acceptance::in_force(&known);
            tampering.extend(look.shortened(control, &now, seen));
            if let (Some(acceptance), true) = (&acceptance, entry.deprecated) {
                tampering.extend(look.deprecated(control, acceptance, seen));
            }
            remember(seen, control, entry, acceptance, now);
        } else {
            told.iter().for_each(|change| {
                seen.note(change.identity);
            });
        }
        changes.extend(told.into_iter().flat_map(|change| change.events));
    }
    if whole {
        tampering.extend(missing(&look, seen, controls));
        seen.forget();
    }
    // Stable: what belongs to one change stays together.
    changes.sort_by_key(|event| event.at);
    changes.append(&mut tampering);
    changes
}

fn remember(
    seen: &mut SeenControl,
    control: &Control,
    entry: &CatalogueEntry,
    acceptance: Option<Acceptance>,
    past: Past,
) {
    seen.title = Arc::clone(&entry.title);
    seen.category = control.category;
    seen.listed = true;
    seen.deprecated = entry.deprecated;
    seen.acceptance = acceptance;
    seen.replace(past);
}

/// The accepted controls that a whole catalogue lacks.
fn missing(look: &Look<'_>, seen: &mut Seen, controls: &[Control]) -> Vec<Event> {
    let entries = controls.iter().filter(|control| control.entry.is_some());
    let there: HashSet<&str> = entries.map(|control| &*control.id).collect();
    let mut events = Vec::new();
    for (id, seen) in &mut seen.controls {
        if seen.listed && !there.contains(&**id) {
            seen.listed = false;
            events.extend(look.left(id, seen));
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Remembered;
    use EventKind::{
        AcceptanceWithoutComment, AcceptedControlDeprecated, AcceptedControlLeft, HistoryShortened,
        StateChanged,
    };
    use proptest::prelude::*;
    use secure_score_model::ControlState::{self, Planned, RiskAccepted, ThirdParty, ToAddress};
    use secure_score_model::{Category, EventKind, Exception, History, Persons, StateUpdate};
    use std::collections::BTreeSet;

    const HOUR: i64 = 3_600;
    /// The first look, in hours.
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

    /// A control whose history has these entries, hours and persons.
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

    /// A tenant that is looked at again and again.
    #[derive(Default)]
    struct Watch {
        seen: Seen,
        looks: i64,
    }

    impl Watch {
        /// A tenant at whose first look nobody had touched control `A`.
        fn of_an_untouched_control() -> Self {
            let mut watch = Self::default();
            assert!(watch.look(&[control("A", &[])]).is_empty());
            watch
        }

        fn look(&mut self, controls: &[Control]) -> Vec<Event> {
            self.look_at(controls, true)
        }

        fn glimpse(&mut self, controls: &[Control]) -> Vec<Event> {
            self.look_at(controls, false)
        }

        fn look_at(&mut self, controls: &[Control], whole: bool) -> Vec<Event> {
            let tenant = TenantIdentity {
                entra_tenant_id: Some("guid".into()),
                ..TenantIdentity::new("contoso")
            };
            let now = Timestamp::from_seconds((START + self.looks) * HOUR);
            self.looks += 1;
            detect(&mut self.seen, &tenant, controls, whole, now)
        }

        /// What a new process would know.
        fn restart(&mut self) {
            let stored = serde_json::to_string(&self.seen.remember()).unwrap();
            let remembered: Remembered = serde_json::from_str(&stored).unwrap();
            let restored = Seen::restore(&remembered);
            assert_eq!(restored, self.seen);
            self.seen = restored;
        }
    }

    type Told = (
        EventKind,
        Option<ControlState>,
        Option<ControlState>,
        Option<i64>,
    );

    /// Kind, from, to, and the hour.
    fn told(events: &[Event]) -> Vec<Told> {
        let hour = |event: &Event| event.at.map(|at| at.nanos() / (HOUR * 1_000_000_000));
        let told = events.iter();
        told.map(|e| (e.kind, e.from, e.to, hour(e))).collect()
    }

    fn changed(from: Option<ControlState>, to: ControlState, hour: Option<i64>) -> Told {
        (StateChanged, from, Some(to), hour)
    }

    const PLACEHOLDER: Entry = (ToAddress, None, None);

    #[test]
    fn the_first_look_tells_of_the_last_day_only() {
        let mut watch = Watch::default();
        let events = watch.look(&[
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
        assert_eq!(told(&events), [planned]);
        assert_eq!(events[0].by.as_deref(), Some("alex"));
        assert_eq!(&*events[0].title, "Title of A");
    }

    #[test]
    fn accepted_and_withdrawn_between_two_looks_is_two_events() {
        let mut watch = Watch::of_an_untouched_control();
        let history = [
            PLACEHOLDER,
            (ToAddress, Some(START + 2), Some("kim")),
            (RiskAccepted, Some(START + 1), Some("alex")),
        ];
        let accepted = changed(Some(ToAddress), RiskAccepted, Some(START + 1));
        let withdrawn = changed(Some(RiskAccepted), ToAddress, Some(START + 2));
        assert_eq!(
            told(&watch.look(&[control("A", &history)])),
            [accepted, withdrawn]
        );
        assert_eq!(told(&watch.look(&[control("A", &history)])), []);
    }

    #[test]
    fn the_changes_of_all_controls_are_told_oldest_first() {
        let mut watch = Watch::default();
        let events = watch.look(&[
            control("A", &[(Planned, Some(START - 1), Some("a"))]),
            control("B", &[(Planned, Some(START - 3), Some("b"))]),
            control("C", &[(Planned, Some(START - 2), Some("c"))]),
        ]);
        let order: Vec<&str> = events.iter().map(|event| &*event.control).collect();
        assert_eq!(order, ["B", "C", "A"]);
    }

    #[test]
    fn an_acceptance_without_a_date_is_told_once_it_appears() {
        let mut watch = Watch::of_an_untouched_control();
        let history = [control("A", &[(RiskAccepted, None, Some("alex"))])];
        let accepted = changed(Some(ToAddress), RiskAccepted, None);
        assert_eq!(told(&watch.look(&history)), [accepted]);
        assert_eq!(told(&watch.look(&history)), []);
    }

    #[test]
    fn changes_without_a_date_are_told_apart_by_their_number() {
        let mut watch = Watch::of_an_untouched_control();
        let accept = (RiskAccepted, None, Some("alex"));
        let revert = (ToAddress, None, Some("alex"));
        watch.look(&[control("A", &[accept, revert])]);
        let again = watch.look(&[control("A", &[accept, revert, accept])]);
        assert_eq!(told(&again), [changed(Some(ToAddress), RiskAccepted, None)]);
    }

    #[test]
    fn who_writes_a_state_again_is_not_news_when_the_first_entry_goes() {
        let mut watch = Watch::of_an_untouched_control();
        let first = (RiskAccepted, Some(START + 1), Some("alex"));
        let again = (RiskAccepted, Some(START + 2), Some("a tool"));
        let later = (Planned, Some(START + 3), Some("kim"));
        assert_eq!(watch.look(&[control("A", &[first, again])]).len(), 1);
        let events = watch.look(&[control("A", &[again, later])]);
        let planned = changed(Some(RiskAccepted), Planned, Some(START + 3));
        assert_eq!(told(&events), [planned]);
    }

    #[test]
    fn a_placeholder_that_comes_and_goes_is_nothing() {
        let mut watch = Watch::of_an_untouched_control();
        let accept = (RiskAccepted, Some(START + 1), Some("alex"));
        assert_eq!(watch.look(&[control("A", &[accept])]).len(), 1);
        for history in [&[PLACEHOLDER, accept][..], &[accept]] {
            assert_eq!(told(&watch.look(&[control("A", history)])), []);
        }
    }

    #[test]
    fn a_wiped_history_is_told_and_an_acceptance_after_it_too() {
        let mut watch = Watch::of_an_untouched_control();
        let accept = (RiskAccepted, Some(START + 1), Some("alex"));
        watch.look(&[control("A", &[PLACEHOLDER, accept])]);
        let wiped = watch.look(&[control("A", &[PLACEHOLDER])]);
        let shortened = (HistoryShortened, Some(RiskAccepted), Some(ToAddress), None);
        assert_eq!(told(&wiped), [shortened]);
        assert_eq!(wiped[0].lost, Some(1));
        let again = (RiskAccepted, Some(START + 4), Some("alex"));
        let accepted = changed(Some(ToAddress), RiskAccepted, Some(START + 4));
        assert_eq!(
            told(&watch.look(&[control("A", &[PLACEHOLDER, again])])),
            [accepted]
        );
    }

    #[test]
    fn an_entry_taken_from_between_others_is_told_although_a_new_one_came() {
        let mut watch = Watch::default();
        let entries = [
            (Planned, Some(START - 60), Some("a")),
            (RiskAccepted, Some(START - 50), Some("b")),
            (ToAddress, Some(START - 40), Some("c")),
        ];
        watch.look(&[control("A", &entries)]);
        let new = (ThirdParty, Some(START + 1), Some("d"));
        let events = watch.look(&[control("A", &[entries[0], entries[2], new])]);
        let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [StateChanged, HistoryShortened]);
        assert_eq!(events[1].lost, Some(1));
    }

    #[test]
    fn a_history_that_lets_go_of_its_oldest_for_a_new_one_is_no_tampering() {
        let mut watch = Watch::default();
        let entries = [
            (Planned, Some(START - 60), Some("a")),
            (RiskAccepted, Some(START - 50), Some("b")),
            (ToAddress, Some(START + 1), Some("c")),
        ];
        watch.look(&[control("A", &entries[..2])]);
        let events = watch.look(&[control("A", &entries[1..])]);
        let withdrawn = changed(Some(RiskAccepted), ToAddress, Some(START + 1));
        assert_eq!(told(&events), [withdrawn]);
    }

    #[test]
    fn a_lost_change_that_comes_back_and_goes_again_is_told_once() {
        let mut watch = Watch::default();
        let entries = [
            (Planned, Some(START - 60), Some("a")),
            (RiskAccepted, Some(START - 50), Some("b")),
        ];
        let mut all = Vec::new();
        for count in [2, 1, 2, 1, 2] {
            all.extend(watch.look(&[control("A", &entries[..count])]));
        }
        assert_eq!(told(&all).len(), 1, "{all:#?}");
    }

    #[test]
    fn an_accepted_control_that_leaves_is_told_with_who_accepted_it() {
        let mut watch = Watch::default();
        let controls = [
            control("A", &[(RiskAccepted, Some(START - 90), Some("alex"))]),
            control("B", &[(RiskAccepted, Some(START - 1), Some("kim"))]),
            control("C", &[]),
        ];
        let first = watch.look(&controls);
        assert_eq!(first.len(), 1);
        assert!(watch.glimpse(&controls[2..]).is_empty(), "not whole");
        let left = watch.look(&controls[1..2]);
        assert_eq!(told(&left).len(), 1, "C was not accepted");
        assert_eq!(left[0].kind, AcceptedControlLeft);
        assert_eq!((&*left[0].control, left[0].to), ("A", None));
        assert_eq!(left[0].by.as_deref(), Some("alex"));
        assert_eq!(&*left[0].title, "Title of A");
        assert!(watch.look(&controls).is_empty(), "back without a word");
        assert!(watch.look(&controls[1..]).is_empty(), "told already");
    }

    #[test]
    fn an_accepted_control_that_is_withdrawn_by_microsoft_is_told() {
        let accepted = || control("A", &[(RiskAccepted, Some(START - 90), Some("alex"))]);
        let mut watch = Watch::default();
        watch.look(&[accepted(), control("B", &[])]);
        let now = [deprecated(accepted()), deprecated(control("B", &[]))];
        let events = watch.look(&now);
        assert_eq!(events.len(), 1, "nobody accepted B");
        assert_eq!(events[0].kind, AcceptedControlDeprecated);
        assert!(watch.look(&now).is_empty());
        let mut late = Watch::default();
        assert!(late.look(&now).is_empty(), "it was so before we came");
    }

    #[test]
    fn an_acceptance_without_a_reason_is_an_event_of_its_own() {
        let mut watch = Watch::default();
        let mut silent = control("A", &[(RiskAccepted, Some(START - 1), Some("alex"))]);
        let entry = silent.entry.as_mut().and_then(Arc::get_mut).unwrap();
        let mut updates = entry.history.changes().to_vec();
        updates[0].comment = Some("  ".into());
        entry.history = History::from_updates(updates);
        let events = watch.look(&[silent]);
        let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [StateChanged, AcceptanceWithoutComment]);
        let plain = Persons::Plain;
        assert_ne!(events[0].key(&plain), events[1].key(&plain));
    }

    #[test]
    fn an_acceptance_is_judged_by_the_exceptions_of_its_own_time() {
        let mut watch = Watch::default();
        let mut control = control(
            "A",
            &[
                (RiskAccepted, Some(START - 4), Some("kim")),
                (ToAddress, Some(START - 3), Some("kim")),
                (RiskAccepted, Some(START - 2), Some("alex")),
                (ToAddress, Some(START - 1), Some("alex")),
                (Planned, Some(START), Some("alex")),
            ],
        );
        let expires = Timestamp::from_seconds(START * HOUR * 2);
        control.exceptions = vec![Arc::new(Exception {
            accepted_by: Some("ALEX".into()),
            ..Exception::new("A", "SEC-1", expires)
        })];
        let events = watch.look(&[control]);
        let judged: Vec<_> = events
            .iter()
            .map(|event| (event.approved, event.reference.as_deref()))
            .collect();
        let (missing, approved) = ((Some(false), None), (Some(true), Some("SEC-1")));
        assert_eq!(judged, [missing, missing, approved, approved, (None, None)]);
    }

    #[test]
    fn part_of_a_catalogue_shows_changes_and_repeats_nothing_when_it_is_whole() {
        let mut watch = Watch::default();
        let full = [
            PLACEHOLDER,
            (RiskAccepted, Some(START - 80), Some("alex")),
            (Planned, Some(START - 1), Some("alex")),
        ];
        let part = watch.glimpse(&[control("A", &full[2..])]);
        assert_eq!(told(&part), [changed(None, Planned, Some(START - 1))]);
        assert!(watch.glimpse(&[control("A", &full[2..])]).is_empty());
        assert!(watch.look(&[control("A", &full)]).is_empty());
    }

    #[test]
    fn a_clock_that_runs_days_ahead_hides_no_change_of_a_known_control() {
        let mut watch = Watch::of_an_untouched_control();
        let past = (RiskAccepted, Some(START - 200), Some("alex"));
        assert_eq!(watch.look(&[control("A", &[PLACEHOLDER, past])]).len(), 1);
    }

    #[test]
    fn a_key_tells_nobody_who_it_was_and_tells_events_apart() {
        let mut watch = Watch::default();
        let events = watch.look(&[
            control("A", &[(RiskAccepted, Some(START - 1), Some("alex"))]),
            control("B", &[(RiskAccepted, Some(START - 1), Some("alex"))]),
        ]);
        let other = Event {
            by: Some("kim".into()),
            ..events[0].clone()
        };
        assert_eq!(events[0].key(&Persons::Hidden), other.key(&Persons::Hidden));
        assert_ne!(events[0].key(&Persons::Plain), other.key(&Persons::Plain));
        assert_ne!(
            events[0].key(&Persons::Hidden),
            events[1].key(&Persons::Hidden)
        );
    }

    #[test]
    fn what_is_remembered_has_bounds() {
        let mut watch = Watch::of_an_untouched_control();
        for round in 0..400 {
            let entries = [(RiskAccepted, Some(START + round), Some("alex"))];
            watch.look(&[control("A", &entries), control(&format!("C{round}"), &[])]);
        }
        for round in 0..1_500 {
            watch.look(&[control(&format!("D{round}"), &[])]);
        }
        let remembered = watch.seen.remember();
        assert!(remembered.controls.len() <= 1_001);
        let longest = remembered.controls.iter().map(|c| c.earlier.len()).max();
        assert!(longest <= Some(256), "{longest:?}");
    }

    #[derive(Debug, Clone)]
    struct Step {
        state: ControlState,
        by: &'static str,
        look: bool,
        restart: bool,
        absent: bool,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let states = prop::sample::select(vec![ToAddress, RiskAccepted, ThirdParty, Planned]);
        let persons = prop::sample::select(vec!["alex", "kim"]);
        let step = (states, persons, any::<bool>(), any::<bool>(), any::<bool>());
        let step = step.prop_map(|(state, by, look, restart, absent)| Step {
            state,
            by,
            look,
            restart,
            absent,
        });
        prop::collection::vec(step, 1..25)
    }

    /// What really changed, the slow way.
    fn transitions(steps: &[Step]) -> Vec<Told> {
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
        fn every_change_is_told_exactly_once_whenever_we_look(steps in steps()) {
            let mut watch = Watch::of_an_untouched_control();
            let mut all = Vec::new();
            for (place, step) in steps.iter().enumerate() {
                if step.look || place + 1 == steps.len() {
                    let part = &steps[..=place];
                    all.extend(watch.look(&[control("A", &entries(part))]));
                }
                if step.restart {
                    watch.restart();
                }
            }
            prop_assert_eq!(told(&all), transitions(&steps));
        }

        #[test]
        fn every_change_is_told_once_of_a_control_that_comes_and_goes(steps in steps()) {
            let mut watch = Watch::of_an_untouched_control();
            let mut all = Vec::new();
            for (place, step) in steps.iter().enumerate() {
                let part = &steps[..=place];
                let there = [control("A", &entries(part))];
                let shown = if step.absent { &there[..0] } else { &there[..] };
                all.extend(watch.look_at(shown, step.look));
                if step.restart {
                    watch.restart();
                }
            }
            all.extend(watch.look(&[control("A", &entries(&steps))]));
            all.retain(|event| event.kind == StateChanged);
            all.sort_by_key(|event| event.at);
            prop_assert_eq!(told(&all), transitions(&steps));
        }

        #[test]
        fn a_history_that_keeps_its_newest_only_repeats_and_hides_nothing(steps in steps(), most in 1_usize..5) {
            let mut watch = Watch::of_an_untouched_control();
            let mut all = Vec::new();
            for place in 0..steps.len() {
                let kept = entries(&steps[..=place]);
                let kept = &kept[kept.len().saturating_sub(most)..];
                all.extend(watch.look(&[control("A", kept)]));
            }
            all.retain(|event| event.kind == StateChanged);
            prop_assert_eq!(told(&all), transitions(&steps));
        }

        #[test]
        fn no_history_whatever_repeats_itself(
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
            let mut watch = Watch::default();
            let mut keys = BTreeSet::new();
            for round in &rounds {
                for event in watch.look(&[control("A", round)]) {
                    prop_assert!(keys.insert(event.key(&Persons::Plain)), "{event:#?}");
                }
                prop_assert!(watch.look(&[control("A", round)]).is_empty());
                watch.restart();
            }
        }
    }
}
