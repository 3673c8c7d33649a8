//! Properties of the detection with any history.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;
use secure_score_model::{Catalogue, FutureDates};
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

/// An hour after all entries.
const NOW: i64 = 1_000;

/// What happens to the date of an entry for a while.
#[derive(Debug, Clone, Copy)]
enum OddDate {
    Unreadable,
    Missing,
    Future,
}

/// The control with a history as Graph lists it at an hour, in which the date of
/// one entry may be odd.
fn listed(entries: &[Entry], odd: Option<(usize, OddDate)>, now: i64) -> Control {
    let mut updates: Vec<_> = entries
        .iter()
        .map(|&(state, at, by)| StateUpdate {
            at: at.map(hour),
            by: by.map(Arc::from),
            ..StateUpdate::new(state)
        })
        .collect();
    if let Some((place, odd)) = odd {
        let update = &mut updates[place];
        update.date_is_unreadable = matches!(odd, OddDate::Unreadable);
        update.at = matches!(odd, OddDate::Future).then_some(hour(now + 9_000));
    }
    let mut catalogue = Catalogue {
        entries: vec![Arc::new(CatalogueEntry {
            history: History::as_sent(updates),
            ..CatalogueEntry::new("A")
        })],
        ..Catalogue::default()
    };
    FutureDates::default().settle(&mut catalogue, None, hour(now));
    Control::listed(CatalogueEntry::clone(&catalogue.entries[0]))
}

fn shortenings(events: &[Event]) -> usize {
    let of_kind = |event: &&Event| event.kind == HistoryShortened;
    events.iter().filter(of_kind).count()
}

proptest! {
    /// Entries in any order, of which one has an odd date at some refreshes.
    #[test]
    fn a_date_that_cannot_be_read_for_a_while_shortens_no_history(
        steps in steps(),
        order in Just((0..25_usize).collect::<Vec<_>>()).prop_shuffle(),
        is_sorted: bool,
        odd in prop::collection::vec(
            prop::option::of(select(vec![OddDate::Unreadable, OddDate::Missing, OddDate::Future])),
            1..6,
        ),
        place in any::<prop::sample::Index>(),
        removed in any::<prop::sample::Index>(),
    ) {
        let mut entries = entries(&steps).split_off(1);
        if !is_sorted {
            entries.sort_by_key(|(_, at, _)| at.map(|at| order[at as usize - 1]));
        }
        let mut tenant = Watched { refreshes: NOW, ..Watched::default() };
        let whole = [listed(&entries, None, NOW)];
        tenant.refresh(&whole);
        for odd in odd {
            let odd = odd.map(|odd| (place.index(entries.len()), odd));
            let events = tenant.refresh(&[listed(&entries, odd, tenant.refreshes)]);
            prop_assert_eq!(shortenings(&events), 0, "{:?}", odd);
            tenant.restart();
        }
        prop_assert_eq!(shortenings(&tenant.refresh(&whole)), 0);
        // A real loss is still reported.
        let changes = |control: &Control| {
            let entry = control.entry.as_ref();
            entry.map_or(0, |it| it.history.changes().len())
        };
        let before = changes(&whole[0]);
        entries.remove(removed.index(entries.len()));
        let remaining = listed(&entries, None, NOW);
        if changes(&remaining) < before {
            prop_assert_eq!(shortenings(&tenant.refresh(&[remaining])), 1);
        }
    }

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
