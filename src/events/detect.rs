//! Compares a tenant's catalogue with what was seen before: a pure function.

use super::Event;
use super::change_detector::ChangeDetector;
use super::seen::Seen;
use super::seen_history::{SeenAcceptance, SeenHistory, keyed_changes};
use secure_score_model::{Control, TenantIdentity, Timestamp};
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
        let history = &entry.history;
        let new = detector.changes(control, history, &changes, seen);
        if complete {
            let keys = SeenHistory(changes.iter().map(|change| change.key.clone()).collect());
            let acceptance = SeenAcceptance::in_force(&changes);
            tampered.extend(detector.shortened(control, history, &keys, seen));
            if let (Some(acceptance), true) = (&acceptance, entry.deprecated) {
                tampered.extend(detector.deprecated(control, history, acceptance, seen));
            }
            seen.title = Arc::clone(&entry.title);
            seen.category = control.category;
            seen.listed = true;
            seen.deprecated = entry.deprecated;
            seen.acceptance = acceptance;
            seen.replace(keys);
        } else {
            for (id, _) in &new {
                seen.note(*id);
            }
        }
        changed.extend(new.into_iter().flat_map(|(_, events)| events));
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
mod tests;
