//! One look at a tenant, control by control.

use super::past::{Acceptance, Known, Past};
use super::seen::SeenControl;
use super::{Event, Identity};
use secure_score_model::{
    Approval, Category, Control, ControlState, EventKind, History, TenantIdentity, Timestamp,
};
use std::collections::HashSet;
use std::sync::Arc;

/// Who is looked at, when, and from when on changes count.
pub(super) struct Look<'a> {
    pub(super) tenant: &'a TenantIdentity,
    pub(super) since: Timestamp,
    pub(super) now: Timestamp,
}

/// A change that was not seen before, and what is to be told of it.
pub(super) struct NewChange {
    pub(super) identity: Identity,
    pub(super) events: Vec<Event>,
}

impl Look<'_> {
    /// The changes of a control that were not seen.
    pub(super) fn changes(
        &self,
        control: &Control,
        history: &History,
        known: &[Known<'_>],
        seen: &SeenControl,
    ) -> Vec<NewChange> {
        let listed = seen.past.iter().flat_map(|past| &past.0);
        let listed = listed.map(|mark| mark.identity);
        let all_seen: HashSet<_> = listed.chain(seen.earlier.iter().copied()).collect();
        let is_new = |change: &Known<'_>| {
            !all_seen.contains(&change.mark.identity) && self.is_recent(change, seen)
        };
        let mut found = Vec::new();
        for (place, change) in known.iter().enumerate().filter(|(_, it)| is_new(it)) {
            let before = place.checked_sub(1).and_then(|place| known.get(place));
            let from = match before {
                Some(before) => Some(before.mark.state),
                None => seen.state_before(change.mark.at),
            };
            if is_transition(from, change) {
                let then = history.until(place);
                let verdict = self.verdict(control, &then, from, change.mark.state);
                found.push(NewChange {
                    identity: change.mark.identity,
                    events: self.changed(control, change, from, verdict),
                });
            }
        }
        found
    }

    /// Whether a change happened since we look. Of a control not seen before
    /// its date alone can tell; of any other, that nothing we saw is later.
    fn is_recent(&self, change: &Known<'_>, seen: &SeenControl) -> bool {
        match (change.mark.at, &seen.past) {
            (Some(at), Some(past)) => at >= self.since || past.ends_before(at),
            (Some(at), None) => at >= self.since,
            (None, past) => past.is_some(),
        }
    }

    fn changed(
        &self,
        control: &Control,
        change: &Known<'_>,
        from: Option<ControlState>,
        verdict: Verdict,
    ) -> Vec<Event> {
        let update = change.update;
        let changed = Event {
            from,
            to: Some(update.state),
            by: update.by.clone(),
            at: update.at,
            comment: update.comment.clone(),
            approved: verdict.approved,
            reference: verdict.reference,
            ..self.event(EventKind::StateChanged, control, change.trace.clone())
        };
        let comment = update.comment.as_deref().unwrap_or_default();
        if update.is_acceptance() && comment.trim().is_empty() {
            let silent = Event {
                kind: EventKind::AcceptanceWithoutComment,
                ..changed.clone()
            };
            return vec![changed, silent];
        }
        vec![changed]
    }

    /// A history that lost changes; told once for each set of them.
    pub(super) fn shortened(
        &self,
        control: &Control,
        now: &Past,
        seen: &mut SeenControl,
    ) -> Option<Event> {
        let before = seen.past.as_ref()?;
        let lost = before.lost(now);
        if lost.is_empty() {
            return None;
        }
        let (from, to) = (before.state(), now.state());
        let history = control.entry.as_ref().map(|entry| entry.history.clone());
        let verdict = self.verdict(control, &history.unwrap_or_default(), Some(from), to);
        let traces: Vec<String> = lost.iter().map(|mark| mark.trace()).collect();
        let event = Event {
            from: Some(from),
            to: Some(to),
            lost: Some(lost.len()),
            approved: verdict.approved,
            reference: verdict.reference,
            ..self.event(EventKind::HistoryShortened, control, traces.join(" "))
        };
        once(event, seen)
    }

    /// An accepted control that was in force when we saw it last, and is
    /// withdrawn by Microsoft now.
    pub(super) fn deprecated(
        &self,
        control: &Control,
        acceptance: &Acceptance,
        seen: &mut SeenControl,
    ) -> Option<Event> {
        if seen.deprecated || seen.past.is_none() {
            return None;
        }
        let verdict = Verdict::of(control.approval(self.now));
        let kind = EventKind::AcceptedControlDeprecated;
        let event = Event {
            to: Some(ControlState::RiskAccepted),
            approved: verdict.approved,
            reference: verdict.reference,
            ..acceptance.told_by(self.event(kind, control, acceptance.trace.clone()))
        };
        once(event, seen)
    }

    /// An accepted control that is no longer in the catalogue.
    pub(super) fn left(&self, id: &Arc<str>, seen: &mut SeenControl) -> Option<Event> {
        let acceptance = seen.acceptance.clone()?;
        let kind = EventKind::AcceptedControlLeft;
        let trace = acceptance.trace.clone();
        let event = self.bare(kind, id, seen.category, &seen.title, trace);
        once(acceptance.told_by(event), seen)
    }

    /// What the configuration says of the acceptance that a change makes or
    /// ends, judged by the history as it was then.
    fn verdict(
        &self,
        control: &Control,
        then: &History,
        from: Option<ControlState>,
        to: ControlState,
    ) -> Verdict {
        let accepted = ControlState::RiskAccepted;
        if from != Some(accepted) && to != accepted {
            return Verdict::default();
        }
        let exceptions = control.exceptions.iter().map(AsRef::as_ref);
        let covering = exceptions.filter(|exception| exception.covers(then));
        Verdict::of(Approval::of(covering, self.now))
    }

    fn event(&self, kind: EventKind, control: &Control, trace: String) -> Event {
        let title = control.entry.as_ref().map_or(&control.id, |it| &it.title);
        self.bare(kind, &control.id, control.category, title, trace)
    }

    fn bare(
        &self,
        kind: EventKind,
        control: &Arc<str>,
        category: Category,
        title: &Arc<str>,
        trace: String,
    ) -> Event {
        Event {
            kind,
            tenant: Arc::clone(&self.tenant.alias),
            entra_tenant_id: self.tenant.entra_tenant_id.clone(),
            control: Arc::clone(control),
            category,
            title: Arc::clone(title),
            from: None,
            to: None,
            by: None,
            at: None,
            comment: None,
            approved: None,
            reference: None,
            lost: None,
            seen_at: self.now,
            trace,
        }
    }
}

impl Acceptance {
    /// The event, with who accepted the risk, when and why.
    fn told_by(&self, event: Event) -> Event {
        Event {
            from: Some(ControlState::RiskAccepted),
            by: self.by.clone(),
            at: self.at,
            comment: self.comment.clone(),
            ..event
        }
    }
}

/// Whether an entry of a history is a change at all.
///
/// The first entry needs a second look. It follows upon nothing, because Graph
/// let go of what was before it, or because it is the placeholder of a control
/// that nobody had touched.
fn is_transition(from: Option<ControlState>, change: &Known<'_>) -> bool {
    let is_placeholder = from.is_none()
        && change.mark.state == ControlState::ToAddress
        && change.update.by.is_none();
    from != Some(change.mark.state) && !is_placeholder
}

/// The event, unless it was told before.
fn once(event: Event, seen: &mut SeenControl) -> Option<Event> {
    let by = event.by.as_deref().unwrap_or_default();
    let identity = Identity::of(&[event.kind.as_str(), &event.control, &event.trace, by]);
    seen.note(identity).then_some(event)
}

/// What the configuration says of an acceptance.
#[derive(Default)]
struct Verdict {
    approved: Option<bool>,
    reference: Option<Arc<str>>,
}

impl Verdict {
    fn of(approval: Approval<'_>) -> Self {
        let exception = approval.exception();
        Self {
            approved: Some(approval.is_approved()),
            reference: exception.map(|exception| Arc::clone(&exception.reference)),
        }
    }
}
