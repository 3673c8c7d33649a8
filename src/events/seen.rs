//! What the exporter has seen of a tenant.

use super::EventId;
use super::seen_history::{SeenAcceptance, SeenHistory};
use secure_score_model::{Category, Control, Interner, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

/// How old a change may be that the first refresh of a tenant reports. A new
/// user wants yesterday's acceptance, but not every one since 2017.
const FIRST_WINDOW_NANOS: i64 = 24 * 60 * 60 * 1_000_000_000;

/// Events remembered per control beyond those its history lists. A control
/// whose history always changes must not fill the memory.
const MAX_EARLIER: usize = 256;

/// Controls remembered that are no longer in the catalogue.
const MAX_UNLISTED: usize = 1_000;

/// Controls remembered that the current answer lacks, which may be incomplete: as
/// many as a catalogue may list. Answers whose ids always change must not fill
/// the memory.
const MAX_MISSING: usize = 5_000;

/// What was seen of a tenant, so that each event is emitted once.
///
/// It is stored in the state file. It holds the names and comments of the
/// acceptances in force, and hashes from which other names could be guessed:
/// it is as private as the tenant's data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Older changes are not reported; set by the first refresh.
    pub(super) since: Option<Timestamp>,
    /// How many elements could not be read of the last complete catalogue whose
    /// missing controls were noted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) unread: u64,
    #[serde(with = "as_list")]
    pub(super) controls: BTreeMap<Arc<str>, SeenControl>,
}

/// What was seen of one control. A thousand tenants have hundreds of them, so what
/// few controls have is apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SeenControl {
    pub(super) title: Arc<str>,
    pub(super) category: Category,
    /// Whether the last complete catalogue had it.
    pub(super) listed: bool,
    pub(super) deprecated: bool,
    /// Whether a complete catalogue ever had it, so that its history is known.
    is_complete: bool,
    /// `None` while nothing was seen to be declared about it.
    changes: Option<Box<SeenChanges>>,
}

/// What was seen to be declared about a control.
#[derive(Debug, Clone, PartialEq, Default)]
struct SeenChanges {
    history: SeenHistory,
    /// How many of its updates had an unknown state.
    unknown_updates: u64,
    /// Events that are not in `history`, oldest first: changes that it no
    /// longer lists, and events that are not changes.
    earlier: VecDeque<EventId>,
    acceptance: Option<SeenAcceptance>,
}

/// Those of a control about which nothing was declared.
const NO_CHANGES: &SeenChanges = &SeenChanges {
    history: SeenHistory(Vec::new()),
    unknown_updates: 0,
    earlier: VecDeque::new(),
    acceptance: None,
};

impl Seen {
    /// The time from which changes count, set by the first call. A clock that
    /// was ahead then would hide the changes until it is reached.
    pub(super) fn since(&mut self, now: Timestamp) -> Timestamp {
        let first = now.nanos().saturating_sub(FIRST_WINDOW_NANOS);
        let known = self.since.filter(|since| *since <= now);
        *self
            .since
            .insert(known.unwrap_or(Timestamp::from_nanos(first)))
    }

    /// What was seen of a control.
    pub(super) fn control(&mut self, control: &Control) -> &mut SeenControl {
        let id = &control.id;
        let new = || SeenControl {
            title: Arc::clone(id),
            category: control.category,
            listed: false,
            deprecated: false,
            is_complete: false,
            changes: None,
        };
        self.controls.entry(Arc::clone(id)).or_insert_with(new)
    }

    /// Replaces the ids and titles by equal ones of other tenants.
    pub(crate) fn intern(&mut self, interner: &Interner) {
        interner.intern_map(&mut self.controls, |it| Some(&mut it.title));
    }

    /// Moves the controls together in memory. A map that grew in the order of its keys
    /// has nodes that are half empty; a collected one fills them.
    pub(super) fn pack(&mut self) {
        self.controls = std::mem::take(&mut self.controls).into_iter().collect();
    }

    /// Forgets controls beyond the maximum that the current answer lacks.
    pub(super) fn forget_missing(&mut self, answer: &HashSet<&str>) {
        self.forget(MAX_UNLISTED, |id, seen| {
            !seen.listed && !answer.contains(id)
        });
        self.forget(MAX_MISSING, |id, _| !answer.contains(id));
    }

    /// Forgets those controls that may be forgotten, beyond a maximum.
    fn forget(&mut self, max: usize, may_go: impl Fn(&str, &SeenControl) -> bool) {
        let count = self
            .controls
            .iter()
            .filter(|(id, it)| may_go(id, it))
            .count();
        let mut excess = count.saturating_sub(max);
        self.controls.retain(|id, seen| {
            let goes = excess > 0 && may_go(id, seen);
            excess -= usize::from(goes);
            !goes
        });
    }
}

impl SeenControl {
    fn changes(&self) -> &SeenChanges {
        self.changes.as_deref().unwrap_or(NO_CHANGES)
    }

    fn changes_mut(&mut self) -> &mut SeenChanges {
        self.changes.get_or_insert_default()
    }

    /// Its history; missing until a complete catalogue has it.
    pub(super) fn history(&self) -> Option<&SeenHistory> {
        self.is_complete.then_some(&self.changes().history)
    }

    /// How many of its updates had an unknown state.
    pub(super) fn unknown_updates(&self) -> u64 {
        self.changes().unknown_updates
    }

    /// The acceptance that was in force.
    pub(super) fn acceptance(&self) -> Option<&SeenAcceptance> {
        self.changes().acceptance.as_ref()
    }

    pub(super) fn set_acceptance(&mut self, acceptance: Option<SeenAcceptance>) {
        if self.acceptance() != acceptance.as_ref() {
            self.changes_mut().acceptance = acceptance;
        }
    }

    /// The ids of everything that was seen of it.
    pub(super) fn ids(&self) -> impl Iterator<Item = EventId> {
        let SeenChanges {
            history, earlier, ..
        } = self.changes();
        let listed = history.0.iter().map(|key| key.id);
        listed.chain(earlier.iter().copied())
    }

    /// Remembers an event and returns whether it is new.
    pub(super) fn note(&mut self, event: EventId) -> bool {
        let new = self.ids().all(|seen| seen != event);
        if new {
            let earlier = &mut self.changes_mut().earlier;
            earlier.push_back(event);
            let excess = earlier.len().saturating_sub(MAX_EARLIER);
            earlier.drain(..excess);
        }
        new
    }

    /// Remembers changes that the history seen does not list.
    pub(super) fn note_all(&mut self, changes: impl Iterator<Item = EventId>) {
        for change in changes {
            self.note(change);
        }
    }

    /// Adds the changes of a history that may lack some.
    pub(super) fn add(&mut self, newer: SeenHistory) {
        self.is_complete = true;
        if !newer.0.is_empty() {
            self.changes_mut().history.add(newer);
        }
    }

    /// Replaces the history; changes that the new one lacks stay remembered.
    pub(super) fn replace(&mut self, newer: SeenHistory, unknown_updates: u64) {
        self.is_complete = true;
        if newer.0.is_empty() && unknown_updates == 0 && self.changes.is_none() {
            return;
        }
        let listed: HashSet<EventId> = newer.0.iter().map(|key| key.id).collect();
        let changes = self.changes_mut();
        changes.unknown_updates = unknown_updates;
        let before = std::mem::replace(&mut changes.history, newer);
        for key in before.0.iter().filter(|key| !listed.contains(&key.id)) {
            self.note(key.id);
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The controls as a list, in which each has its id.
mod as_list {
    use super::{
        Arc, BTreeMap, Category, Deserialize, EventId, SeenAcceptance, SeenChanges, SeenControl,
        SeenHistory, Serialize, VecDeque, is_zero,
    };
    use serde::{Deserializer, Serializer};

    type Controls = BTreeMap<Arc<str>, SeenControl>;

    #[derive(Serialize, Deserialize)]
    struct StoredControl {
        id: Arc<str>,
        title: Arc<str>,
        category: Category,
        listed: bool,
        deprecated: bool,
        history: Option<SeenHistory>,
        #[serde(default, skip_serializing_if = "is_zero")]
        unknown_updates: u64,
        earlier: VecDeque<EventId>,
        acceptance: Option<SeenAcceptance>,
    }

    impl StoredControl {
        fn of((id, seen): (&Arc<str>, &SeenControl)) -> Self {
            let changes = seen.changes().clone();
            Self {
                id: Arc::clone(id),
                title: Arc::clone(&seen.title),
                category: seen.category,
                listed: seen.listed,
                deprecated: seen.deprecated,
                history: seen.is_complete.then_some(changes.history),
                unknown_updates: changes.unknown_updates,
                earlier: changes.earlier,
                acceptance: changes.acceptance,
            }
        }

        fn into_seen(self) -> (Arc<str>, SeenControl) {
            let is_complete = self.history.is_some();
            let changes = SeenChanges {
                history: self.history.unwrap_or_default(),
                unknown_updates: self.unknown_updates,
                earlier: self.earlier,
                acceptance: self.acceptance,
            };
            let has_changes = changes != SeenChanges::default();
            let seen = SeenControl {
                title: self.title,
                category: self.category,
                listed: self.listed,
                deprecated: self.deprecated,
                is_complete,
                changes: has_changes.then(|| Box::new(changes)),
            };
            (self.id, seen)
        }
    }

    pub(super) fn serialize<S: Serializer>(controls: &Controls, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(controls.iter().map(StoredControl::of))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Controls, D::Error> {
        let controls: Vec<StoredControl> = Vec::deserialize(from)?;
        Ok(controls.into_iter().map(StoredControl::into_seen).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(id: &str) -> Control {
        Control::new(id, Category::Identity)
    }

    #[test]
    fn the_ids_remembered_of_a_control_are_bounded() {
        let mut seen = Seen::default();
        let seen = seen.control(&control("A"));
        let id = |round: i32| EventId::of(&[&round.to_string()]);
        for round in 0..400 {
            assert!(seen.note(id(round)), "{round}");
        }
        assert_eq!(seen.changes().earlier.len(), 256);
        assert!(!seen.note(id(399)), "the newest ids are kept");
    }

    #[test]
    fn a_control_without_declarations_takes_little_memory() {
        assert_eq!(size_of::<SeenControl>(), 32);
        let mut all = Seen::default();
        let untouched = all.control(&control("A"));
        untouched.set_acceptance(None);
        untouched.replace(SeenHistory::default(), 0);
        untouched.add(SeenHistory::default());
        assert_eq!(untouched.changes, None);
        assert_eq!(untouched.history(), Some(&SeenHistory::default()));
        all.control(&control("B")).note(EventId::of(&["1"]));
        let stored = serde_json::to_value(&all).unwrap();
        let untouched = serde_json::json!({
            "id": "A", "title": "A", "category": "Identity", "listed": false,
            "deprecated": false, "history": [], "earlier": [], "acceptance": null,
        });
        assert_eq!(stored["controls"][0], untouched);
        let mut loaded: Seen = serde_json::from_value(stored).unwrap();
        assert_eq!(loaded, all);
        let interner = Interner::default();
        let mut other = all.clone();
        other.intern(&interner);
        let (shared, _) = other.controls.first_key_value().unwrap();
        loaded.intern(&interner);
        let (id, untouched) = loaded.controls.first_key_value().unwrap();
        assert!(Arc::ptr_eq(id, shared) && Arc::ptr_eq(&untouched.title, shared));
    }

    #[test]
    fn the_controls_remembered_that_an_answer_lacks_are_bounded() {
        let mut seen = Seen::default();
        let answer = HashSet::from(["0001", "0003"]);
        let mut add = |numbers: std::ops::Range<usize>, listed: bool| {
            for number in numbers {
                let seen = seen.control(&control(&format!("{number:04}")));
                seen.listed = listed;
            }
            seen.forget_missing(&answer);
            seen.controls.len()
        };
        let others = 1_000;
        assert_eq!(
            add(0..1_500, false),
            2 + others,
            "two of them are in the answer"
        );
        assert_eq!(add(2_000..9_000, true), 2 + 5_000);
        assert!(seen.controls.contains_key("0001") && seen.controls.contains_key("8999"));
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_hide_changes_once_it_is_right() {
        let mut seen = Seen::default();
        let day = 24 * 60 * 60;
        let mut since = |days: i64| seen.since(Timestamp::from_seconds(days * day));
        assert_eq!(since(5_000), Timestamp::from_seconds(4_999 * day));
        assert_eq!(since(100), Timestamp::from_seconds(99 * day));
        assert_eq!(since(101), Timestamp::from_seconds(99 * day));
    }
}
