//! Properties of the detection with any history.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
struct Step {
    state: ControlState,
    by: &'static str,
    refresh: bool,
    restart: bool,
    absent: bool,
}

prop_compose! {
    fn step()(
        state in select(vec![ToAddress, RiskAccepted, ThirdParty, Planned]),
        by in select(vec!["alex", "kim"]),
        refresh: bool,
        restart: bool,
        absent: bool,
    ) -> Step {
        Step { state, by, refresh, restart, absent }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..25)
}

/// The expected events, by a simple algorithm.
fn transitions(steps: &[Step]) -> Vec<Summary> {
    let mut now = ToAddress;
    let mut all = Vec::new();
    for (step, hour) in steps.iter().zip(1..) {
        if step.state != now {
            all.push(changed(Some(now), step.state, Some(hour)));
            now = step.state;
        }
    }
    all
}

fn entries(steps: &[Step]) -> Vec<Entry> {
    let dated = steps.iter().zip(1..);
    let dated = dated.map(|(step, hour)| (step.state, Some(hour), Some(step.by)));
    std::iter::once(PLACEHOLDER).chain(dated).collect()
}

/// The events when the first refresh sees an untouched control, `refresh` each
/// step and the history up to it, and a last refresh all of it.
fn play(
    steps: &[Step],
    refresh: impl Fn(&mut Watched, &Step, &[Entry]) -> Vec<Event>,
) -> Vec<Event> {
    let mut tenant = Watched::default();
    let mut all = tenant.refresh(&[control("A", &[])]);
    for (place, step) in steps.iter().enumerate() {
        all.extend(refresh(&mut tenant, step, &entries(&steps[..=place])));
        if step.restart {
            tenant.restart();
        }
    }
    all.extend(tenant.refresh(&[control("A", &entries(steps))]));
    all
}

/// The events but those of a kind that histories of this test may cause, oldest
/// first.
fn without(kind: EventKind, mut events: Vec<Event>) -> Vec<Summary> {
    events.retain(|event| event.kind != kind);
    events.sort_by_key(|event| event.at);
    summaries(&events)
}

proptest! {
    #[test]
    fn every_change_is_one_event_whenever_the_control_is_seen(steps in steps()) {
        let events = play(&steps, |tenant, step, history| {
            let controls = [control("A", history)];
            let shown = if step.absent { &controls[..0] } else { &controls[..] };
            tenant.refresh_with(shown, step.refresh)
        });
        prop_assert_eq!(without(AcceptedControlLeft, events), transitions(&steps));
    }

    #[test]
    fn a_history_that_keeps_its_newest_entries_only_gives_every_event_once(
        steps in steps(),
        most in 1_usize..5,
    ) {
        let events = play(&steps, |tenant, _, history| {
            let newest = history.len().saturating_sub(most);
            tenant.refresh(&[control("A", &history[newest..])])
        });
        prop_assert_eq!(without(HistoryShortened, events), transitions(&steps));
    }

    #[test]
    fn no_history_gives_an_event_twice(
        rounds in prop::collection::vec(
            (
                prop::collection::vec(
                    (
                        select(vec![ToAddress, RiskAccepted, Planned, ControlState::Unknown]),
                        prop::option::of(-30_i64..10),
                        prop::option::of(select(vec!["alex", "kim"])),
                    ),
                    0..5,
                ),
                prop::bool::weighted(0.8),
            ),
            1..12,
        ),
    ) {
        let mut tenant = Watched::default();
        let mut ids = BTreeSet::new();
        for (round, complete) in &rounds {
            for event in tenant.refresh_with(&[control("A", round)], *complete) {
                prop_assert!(ids.insert(shown_id(&event).to_string()), "{event:#?}");
            }
            prop_assert!(tenant.refresh_with(&[control("A", round)], *complete).is_empty());
            tenant.restart();
        }
    }
}
