//! What was seen of a tenant already.

use super::Identity;
use super::past::{Acceptance, Past};
use secure_score_model::{Category, Control, ControlState, Timestamp};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How far back the first refresh of a tenant looks. Who starts to watch wants
/// to know of yesterday's acceptance, not of every one since 2017.
const FIRST_LOOK: Duration = Duration::from_secs(24 * 60 * 60);

/// So many events of a control are remembered beyond those its history lists.
/// A history that makes up changes must not take the memory.
const MOST_EARLIER: usize = 256;

/// So many controls are remembered that are no longer in the catalogue.
const MOST_GONE: usize = 1_000;

/// What of a tenant was seen, so that nothing is told twice.
///
/// It is a value and can be stored: [`Seen::remember`] gives it a plain form,
/// [`Seen::restore`] takes it back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// Changes before this were none of our business: they are older than the
    /// first look at the tenant. Missing until that.
    pub(super) since: Option<Timestamp>,
    pub(super) controls: BTreeMap<Arc<str>, SeenControl>,
}

/// What was seen of one control.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SeenControl {
    pub(super) title: Arc<str>,
    pub(super) category: Category,
    /// Whether the last whole catalogue had it.
    pub(super) listed: bool,
    pub(super) deprecated: bool,
    /// Missing while only partial catalogues showed it.
    pub(super) past: Option<Past>,
    pub(super) acceptance: Option<Acceptance>,
    /// Events that are not in `past`, oldest first: changes its history no
    /// longer lists, and what was told of it beside changes.
    pub(super) earlier: VecDeque<Identity>,
}

impl Seen {
    /// From when on changes count, decided by the first look.
    pub(super) fn since(&mut self, now: Timestamp) -> Timestamp {
        let day = i64::try_from(FIRST_LOOK.as_nanos()).unwrap_or(i64::MAX);
        let first = Timestamp::from_nanos(now.nanos().saturating_sub(day));
        *self.since.get_or_insert(first)
    }

    /// What was seen of a control; new where nothing was.
    pub(super) fn control(&mut self, control: &Control) -> &mut SeenControl {
        self.controls
            .entry(Arc::clone(&control.id))
            .or_insert_with(|| SeenControl {
                title: Arc::clone(&control.id),
                category: control.category,
                listed: false,
                deprecated: false,
                past: None,
                acceptance: None,
                earlier: VecDeque::new(),
            })
    }

    /// Forgets controls that are gone, where there are too many of them.
    pub(super) fn forget(&mut self) {
        let gone = self.controls.values().filter(|seen| !seen.listed).count();
        let mut excess = gone.saturating_sub(MOST_GONE);
        self.controls.retain(|_, seen| {
            let stays = seen.listed || excess == 0;
            excess -= usize::from(!stays);
            stays
        });
    }
}

impl SeenControl {
    /// Whether an event was seen.
    pub(super) fn has(&self, event: &Identity) -> bool {
        let listed = self.past.iter().flat_map(|past| &past.0);
        let mut all = listed.map(|mark| &mark.identity).chain(&self.earlier);
        all.any(|seen| seen == event)
    }

    /// Remembers an event, and says whether it is new.
    pub(super) fn note(&mut self, event: Identity) -> bool {
        let new = !self.has(&event);
        if new {
            self.earlier.push_back(event);
            let excess = self.earlier.len().saturating_sub(MOST_EARLIER);
            self.earlier.drain(..excess);
        }
        new
    }

    /// Takes a history for the present one; what it no longer lists stays
    /// remembered.
    pub(super) fn replace(&mut self, now: Past) {
        let before = self.past.take().unwrap_or_default();
        let stays: HashSet<Identity> = now.0.iter().map(|mark| mark.identity).collect();
        self.past = Some(now);
        let gone = before.0.iter().map(|mark| mark.identity);
        for identity in gone.filter(|identity| !stays.contains(identity)) {
            self.note(identity);
        }
    }

    /// The state in force just before a moment, if anybody saw it.
    pub(super) fn state_before(&self, at: Option<Timestamp>) -> Option<ControlState> {
        self.past.as_ref()?.state_before(at)
    }
}
