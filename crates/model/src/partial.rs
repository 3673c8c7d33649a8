//! What an incomplete catalogue proves.

use crate::{Catalogue, CatalogueEntry, History, StateUpdate};
use std::collections::HashMap;
use std::sync::Arc;

/// The most controls that incomplete answers add up to. A catalogue has some
/// hundred.
const MAX_MERGED: usize = 5_000;

impl Catalogue {
    /// The catalogue with the acceptances that an incomplete answer shows and
    /// it lacks, if there are any.
    ///
    /// An acceptance has happened wherever it is shown. Everything else in an
    /// incomplete answer may be out of date, and what it lacks may exist.
    pub fn with_acceptances_of(&self, partial: &Self) -> Option<Self> {
        let positions = self.entries.iter().enumerate();
        let positions: HashMap<&str, usize> = positions.map(|(at, it)| (&*it.id, at)).collect();
        let mut merged = self.clone();
        for entry in &partial.entries {
            let known = positions.get(&*entry.id).copied();
            let has_room = merged.entries.len() < MAX_MERGED;
            match known.and_then(|at| merged.entries.get_mut(at)) {
                Some(known) => {
                    if let Some(history) = with_acceptances(&known.history, &entry.history) {
                        *known = Arc::new(CatalogueEntry {
                            history,
                            ..CatalogueEntry::clone(known)
                        });
                    }
                }
                None if has_room && entry.history.current_acceptance().is_some() => {
                    merged.entries.push(Arc::clone(entry));
                }
                None => {}
            }
        }
        (merged.entries != self.entries).then_some(merged)
    }
}

/// A history with the new changes of another, if an acceptance is among them.
fn with_acceptances(known: &History, other: &History) -> Option<History> {
    let is_known = |change: &StateUpdate| {
        let mut known = known.changes().iter();
        known.any(|it| it.state == change.state && it.at == change.at && it.by == change.by)
    };
    let new = other.changes().iter().filter(|it| !is_known(it));
    let all = known.changes().iter().chain(new).cloned();
    let merged = History::from_updates(all.collect());
    (merged.acceptances() > known.acceptances()).then_some(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ControlState, Timestamp};
    use ControlState::{Planned, RiskAccepted, ToAddress};

    type Changes<'a> = &'a [(ControlState, i64)];

    fn catalogue(controls: &[(&str, Changes<'_>)]) -> Catalogue {
        let update = |(state, at): &(ControlState, i64)| StateUpdate {
            at: Some(Timestamp::from_seconds(*at)),
            ..StateUpdate::new(*state)
        };
        let entry = |(id, changes): &(&str, Changes<'_>)| {
            Arc::new(CatalogueEntry {
                title: format!("{id} with {} changes", changes.len()).into(),
                history: History::from_updates(changes.iter().map(update).collect()),
                ..CatalogueEntry::new(id)
            })
        };
        Catalogue {
            entries: controls.iter().map(entry).collect(),
            ..Catalogue::default()
        }
    }

    fn merged(known: Changes<'_>, partial: Changes<'_>) -> Option<Vec<ControlState>> {
        let known = catalogue(&[("A", known), ("B", &[(Planned, 1)])]);
        let merged = known.with_acceptances_of(&catalogue(&[("A", partial), ("C", &[])]))?;
        assert_eq!(merged.entries.len(), 2);
        assert_eq!(merged.entries[1], known.entries[1]);
        assert_eq!(merged.entries[0].title, known.entries[0].title);
        let changes = merged.entries[0].history.changes().iter();
        Some(changes.map(|it| it.state).collect())
    }

    #[test]
    fn an_acceptance_is_evidence_and_nothing_else_is() {
        let planned = (Planned, 3);
        let accepted = (RiskAccepted, 5);
        let withdrawn = (ToAddress, 7);
        assert_eq!(merged(&[], &[accepted]), Some(vec![RiskAccepted]));
        assert_eq!(
            merged(&[planned], &[accepted]),
            Some(vec![Planned, RiskAccepted]),
            "what the answer lacks stays"
        );
        assert_eq!(
            merged(&[], &[accepted, withdrawn]),
            Some(vec![RiskAccepted, ToAddress])
        );
        assert_eq!(merged(&[accepted], &[accepted, withdrawn]), None);
        assert_eq!(merged(&[accepted], &[(RiskAccepted, 6)]), None);
        assert_eq!(merged(&[accepted], &[]), None);
        assert_eq!(merged(&[], &[planned]), None);
    }

    #[test]
    fn a_control_that_is_new_and_accepted_is_added() {
        let known = catalogue(&[("A", &[])]);
        let partial = catalogue(&[("N", &[(RiskAccepted, 5)]), ("O", &[(Planned, 5)])]);
        let merged = known.with_acceptances_of(&partial).unwrap();
        let ids: Vec<_> = merged.entries.iter().map(|it| &*it.id).collect();
        assert_eq!(ids, ["A", "N"]);
    }
}
