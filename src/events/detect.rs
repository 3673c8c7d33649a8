//! Compares a tenant's catalogue with what was seen before: a pure function.

use super::coverage::Coverage;
use super::seen::{Seen, SeenControl};
use super::seen_history::{KeyedChange, NewerHistory, SeenAcceptance, SeenHistory, keyed_changes};
use super::{Event, EventId};
use secure_score_model::{
    CatalogueEntry, Control, ControlState, EventKind, History, Judgement, MinimumReason, Place,
    TenantIdentity, Timestamp,
};
use std::collections::HashSet;
use std::sync::Arc;

/// Returns the new events of a tenant, oldest first, and remembers them.
///
/// The first call for a tenant reports the changes of the last day, each later
/// one every change that was not seen: two changes between two refreshes are
/// two events. An incomplete catalogue shows changes, but what it lacks means
/// nothing. What a complete one lacks may be among the elements, or the entries
/// of a history, that cannot be read, if there are more of these than before.
pub fn detect(
    seen: &mut Seen,
    tenant: &TenantIdentity,
    (controls, minimum_reason): (&[Control], MinimumReason),
    coverage: Coverage,
    now: Timestamp,
) -> Vec<Event> {
    let complete = coverage != Coverage::Partial;
    let since = seen.since(now);
    let detector = ChangeDetector {
        tenant,
        minimum_reason,
        since,
        knows_catalogue: seen.controls.values().any(|it| it.history().is_some()),
        now,
    };
    let known = seen.controls.len();
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
            tampered.extend(detector.compare(control, entry, &changes, seen));
        } else {
            seen.note_all(new.iter().map(|change| change.id));
        }
        changed.extend(new);
    }
    let listed = controls.iter().filter(|control| control.entry.is_some());
    let listed: HashSet<&str> = listed.map(|control| &*control.id).collect();
    if let Coverage::Complete { unread } = coverage {
        tampered.extend(left(&detector, seen, &listed, unread));
    }
    if seen.controls.len() > known {
        seen.pack();
    }
    seen.forget_missing(&listed);
    changed.sort_by_key(|change| change.counts_at);
    let changed = changed.into_iter().flat_map(|change| change.events);
    changed.chain(tampered).collect()
}

/// A change that was not seen before.
struct NewChange {
    id: EventId,
    /// When it counts as made, see [`secure_score_model::StateUpdate::at`].
    counts_at: Option<Timestamp>,
    events: Vec<Event>,
}

/// The accepted controls that left a complete catalogue, of which this many
/// elements could not be read.
fn left(
    detector: &ChangeDetector<'_>,
    seen: &mut Seen,
    listed: &HashSet<&str>,
    unread: u64,
) -> Vec<Event> {
    let mut known = seen.controls.iter();
    let has_left = |id: &str, seen: &SeenControl| seen.listed && !listed.contains(id);
    if unread > seen.unread && known.any(|(id, seen)| has_left(id, seen)) {
        return Vec::new();
    }
    seen.unread = unread;
    let mut events = Vec::new();
    for (id, seen) in &mut seen.controls {
        if has_left(id, seen) {
            seen.listed = false;
            events.extend(detector.left(id, seen));
        }
    }
    events
}

/// Compares the controls of one tenant with what was seen of them.
struct ChangeDetector<'a> {
    tenant: &'a TenantIdentity,
    /// How long the reason of an acceptance is at least.
    minimum_reason: MinimumReason,
    /// Older changes of a new control are not reported.
    since: Timestamp,
    /// Whether a complete catalogue was seen before.
    knows_catalogue: bool,
    now: Timestamp,
}

impl ChangeDetector<'_> {
    /// The changes of a control that were not seen before, with their events.
    fn changes(
        &self,
        control: &Control,
        history: &History,
        changes: &[KeyedChange<'_>],
        seen: &SeenControl,
    ) -> Vec<NewChange> {
        let seen_ids: HashSet<EventId> = seen.ids().collect();
        let is_new = |change: &KeyedChange<'_>| {
            !seen_ids.contains(&change.key.id) && self.is_recent(change, seen)
        };
        let known = seen.history();
        let mut found = Vec::new();
        for (index, change) in changes.iter().enumerate().filter(|(_, it)| is_new(it)) {
            let from = match changes.get(..index).and_then(state_after) {
                Some(before) => Some(before),
                None => known.and_then(|history| history.state_before(change.key.at)),
            };
            if is_transition(from, change) {
                found.push(NewChange {
                    id: change.key.id,
                    counts_at: change.update.at,
                    events: self.changed(control, &history.up_to(index), change, from),
                });
            }
        }
        found
    }

    /// Whether a change happened since the tenant is watched. For a new control
    /// its date alone decides, and an acceptance without one counts unless the
    /// tenant is new too; for a known one, a change newer than all that were seen
    /// counts too.
    fn is_recent(&self, change: &KeyedChange<'_>, seen: &SeenControl) -> bool {
        match (change.key.at, seen.history()) {
            (Some(at), Some(history)) => at >= self.since || history.ends_before(at),
            (Some(at), None) => at >= self.since,
            (None, Some(_)) => true,
            (None, None) => self.knows_catalogue && change.update.is_acceptance(),
        }
    }

    fn changed(
        &self,
        control: &Control,
        then: &History,
        change: &KeyedChange<'_>,
        from: Option<ControlState>,
    ) -> Vec<Event> {
        let update = change.update;
        let event = Event {
            from: from.map(Into::into),
            to: Some(update.state.into()),
            by: update.by.clone(),
            at: update.date(),
            comment: update.comment.clone(),
            ..self.event(EventKind::StateChanged, control, &change.discriminator)
        };
        let changed = self.judged(event, control, then);
        let has_reason = self.minimum_reason.is_met_by(update.comment.as_deref());
        if update.is_acceptance() && !has_reason {
            let without_comment = Event {
                kind: EventKind::AcceptanceWithoutComment,
                ..changed.clone()
            };
            return vec![changed, without_comment];
        }
        vec![changed]
    }

    /// Compares a control of a complete catalogue with what was seen of it, and
    /// remembers it. Returns the signs of tampering.
    fn compare(
        &self,
        control: &Control,
        entry: &CatalogueEntry,
        changes: &[KeyedChange<'_>],
        seen: &mut SeenControl,
    ) -> Vec<Event> {
        let history = &entry.history;
        let keys = SeenHistory(changes.iter().map(|change| change.key.clone()).collect());
        let unknown = history.unknown_updates() as u64;
        let newer = NewerHistory {
            keys: &keys,
            updates: history.updates(),
        };
        let lacks_some = |before: &SeenHistory| !before.lost(&newer).is_empty();
        let is_conclusive =
            unknown <= seen.unknown_updates() || !seen.history().is_some_and(lacks_some);
        let mut tampered = Vec::new();
        if is_conclusive {
            tampered.extend(self.shortened(control, history, &newer, seen));
        }
        // With an unknown state the acceptance seen may still be in force.
        if history.risk_accepted().is_some() {
            let acceptance = SeenAcceptance::in_force(history, changes);
            if let (Some(acceptance), true) = (&acceptance, entry.deprecated) {
                tampered.extend(self.deprecated(control, history, acceptance, seen));
            }
            seen.deprecated = entry.deprecated;
            seen.set_acceptance(acceptance);
        }
        seen.title = Arc::clone(&entry.title);
        seen.category = control.category;
        seen.listed = true;
        match is_conclusive {
            true => seen.replace(keys, unknown),
            false => seen.add(keys),
        }
        tampered
    }

    /// A history that lost changes; reported once for each set of them.
    fn shortened(
        &self,
        control: &Control,
        history: &History,
        newer: &NewerHistory<'_>,
        seen: &mut SeenControl,
    ) -> Option<Event> {
        let before = seen.history()?;
        let lost = before.lost(newer);
        if lost.is_empty() {
            return None;
        }
        let lost_changes: Vec<String> = lost.iter().map(|key| key.describe()).collect();
        let event = Event {
            from: Some(before.state().into()),
            to: Some(newer.keys.state().into()),
            lost: Some(lost.len()),
            ..self.event(
                EventKind::HistoryShortened,
                control,
                &lost_changes.join(" "),
            )
        };
        once(self.judged(event, control, history), seen)
    }

    /// An accepted control that Microsoft has withdrawn since it was last seen.
    fn deprecated(
        &self,
        control: &Control,
        history: &History,
        acceptance: &SeenAcceptance,
        seen: &mut SeenControl,
    ) -> Option<Event> {
        if seen.deprecated || seen.history().is_none() {
            return None;
        }
        let kind = EventKind::AcceptedControlDeprecated;
        let event = Event {
            to: Some(ControlState::RiskAccepted.into()),
            ..acceptance.describe(self.event(kind, control, &acceptance.discriminator))
        };
        once(self.judged(event, control, history), seen)
    }

    /// An accepted control that left the catalogue.
    fn left(&self, id: &Arc<str>, seen: &mut SeenControl) -> Option<Event> {
        let acceptance = seen.acceptance()?.clone();
        let kind = EventKind::AcceptedControlLeft;
        let control = Control::new(id, seen.category);
        let event = Event {
            title: Arc::clone(&seen.title),
            ..self.event(kind, &control, &acceptance.discriminator)
        };
        once(acceptance.describe(event), seen)
    }

    /// The event with the approval of the acceptance that it makes or ends,
    /// judged by the history at that time.
    fn judged(&self, event: Event, control: &Control, then: &History) -> Event {
        if !event.concerns_acceptance() {
            return event;
        }
        let judgement = Judgement::new(then.declarations(), None, &control.decisions);
        let approval = judgement.acceptance_approval(self.now);
        let decision = approval.decision();
        Event {
            approved: Some(approval.is_approved()),
            reference: decision.map(|decision| Arc::clone(&decision.reference)),
            ..event
        }
    }

    fn event(&self, kind: EventKind, control: &Control, discriminator: &str) -> Event {
        let title = control.entry.as_ref().map_or(&control.id, |it| &it.title);
        Event {
            kind,
            place: Place::SecureScore,
            tenant: Arc::clone(&self.tenant.alias),
            entra_tenant_id: self.tenant.entra_tenant_id.clone(),
            control: Arc::clone(&control.id),
            recommendation: None,
            category: control.category,
            title: Arc::clone(title),
            from: None,
            to: None,
            by: None,
            at: None,
            comment: None,
            approved: None,
            reference: None,
            lost: None,
            postponed_until: None,
            seen_at: self.now,
            discriminator: discriminator.to_owned(),
        }
    }
}

impl SeenAcceptance {
    /// The event with who accepted the risk, when and why.
    fn describe(&self, event: Event) -> Event {
        Event {
            from: Some(ControlState::RiskAccepted.into()),
            by: self.by.clone(),
            at: self.at,
            comment: self.comment.clone(),
            ..event
        }
    }
}

/// The state after these changes, as [`History::state`] defines it.
fn state_after(changes: &[KeyedChange<'_>]) -> Option<ControlState> {
    let states = changes.iter().rev().map(|change| change.key.state);
    let newest = states.clone().next()?;
    let mut known = states.filter(|state| *state != ControlState::Unknown);
    let is_accepted = known.next() == Some(ControlState::RiskAccepted);
    Some(if is_accepted {
        ControlState::RiskAccepted
    } else {
        newest
    })
}

/// Whether an entry of a history changes the state.
///
/// The first entry has no predecessor: Graph dropped it, or the entry is the
/// placeholder of an untouched control.
fn is_transition(from: Option<ControlState>, change: &KeyedChange<'_>) -> bool {
    let is_placeholder =
        from.is_none() && change.key.state == ControlState::ToAddress && change.update.by.is_none();
    from != Some(change.key.state) && !is_placeholder
}

/// The event, unless it was emitted before.
fn once(event: Event, seen: &mut SeenControl) -> Option<Event> {
    let by = event.by.as_deref().unwrap_or_default();
    let id = EventId::of(&[
        event.kind.as_str(),
        &event.control,
        &event.discriminator,
        by,
    ]);
    seen.note(id).then_some(event)
}

#[cfg(test)]
mod tests;
