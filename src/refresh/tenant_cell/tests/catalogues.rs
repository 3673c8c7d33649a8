//! Catalogues that are complete or partial.

use super::*;
use crate::refresh::kept_list::KeptList;

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
