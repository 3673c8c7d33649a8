//! One list of a tenant, and until when it is exported.

use crate::graph::{AnswerDigest, KnownList};
use crate::store::saved_tenant::SavedList;
use secure_score_model::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The last list that Graph sent, and until when it is exported.
///
/// One that is too old to be exported stays: an empty list after it is still a
/// failure, and no older one replaces it.
#[derive(Clone)]
pub(super) struct KeptList<T> {
    last: Option<SavedList<Arc<T>>>,
    /// When it exceeds `max_staleness`, by the monotonic clock; missing once it
    /// has.
    expires: Option<Instant>,
    /// The digest of the answer that was decoded to exactly this list.
    digest: Option<AnswerDigest>,
}

impl<T> Default for KeptList<T> {
    fn default() -> Self {
        Self {
            last: None,
            expires: None,
            digest: None,
        }
    }
}

impl<T> KeptList<T> {
    /// The list of an earlier process, exported unless it is too old.
    pub(super) fn restore(
        saved: Option<SavedList<Arc<T>>>,
        now: Timestamp,
        max_staleness: Duration,
    ) -> Self {
        let last = saved.map(|it| it.not_later_than(now));
        let left = last
            .as_ref()
            .and_then(|it| max_staleness.checked_sub(now.since(it.at)));
        Self {
            last,
            expires: left.map(|left| Instant::now() + left),
            digest: None,
        }
    }

    /// The list that is exported.
    pub(super) fn current(&self) -> Option<&SavedList<Arc<T>>> {
        self.last.as_ref().filter(|_| self.expires.is_some())
    }

    /// The list that is exported, to be changed.
    pub(super) fn current_mut(&mut self) -> Option<&mut SavedList<Arc<T>>> {
        self.last.as_mut().filter(|_| self.expires.is_some())
    }

    /// The last list, also when it is too old to be exported.
    pub(super) fn last(&self) -> Option<&SavedList<Arc<T>>> {
        self.last.as_ref()
    }

    /// The last list with the digest of its answer, by which the answer is recognised
    /// when it comes again.
    pub(super) fn known(&self) -> Option<KnownList<T>> {
        Some(KnownList {
            value: Arc::clone(&self.last.as_ref()?.value),
            digest: self.digest.clone()?,
        })
    }

    /// Notes that Graph sent the answer again to which the exported list was decoded.
    /// Returns whether it is that one.
    pub(super) fn confirm(
        &mut self,
        known: &KnownList<T>,
        now: Timestamp,
        max_staleness: Duration,
    ) -> bool {
        let has_digest = self.digest.is_some();
        let is_same = |it: &&mut SavedList<Arc<T>>| Arc::ptr_eq(&it.value, &known.value);
        let Some(list) = self.current_mut().filter(|it| has_digest && is_same(it)) else {
            return false;
        };
        list.at = now;
        self.expires = Some(Instant::now() + max_staleness);
        true
    }

    /// Whether the list that is exported is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.current().is_some_and(|it| it.complete)
    }

    /// When the list is no longer exported, if there is one.
    pub(super) fn expires(&self) -> Option<Instant> {
        self.expires
    }

    /// Stops exporting a list that is too old, and returns whether it did.
    pub(super) fn drop_expired(&mut self, now: Instant) -> bool {
        self.expires.take_if(|it| *it <= now).is_some()
    }

    /// Moves the expiry from one `max_staleness` to another.
    pub(super) fn reschedule(&mut self, before: Duration, after: Duration) {
        self.expires = self.expires.map(|expires| {
            let later = expires + after;
            later.checked_sub(before).unwrap_or(later)
        });
    }
}

/// What an incomplete answer proves has happened, added to a list; nothing if that
/// has it.
type Merge<T> = fn(&T, &T) -> Option<T>;

impl<T> KeptList<T> {
    /// Adds to the list that is exported what an incomplete answer proves. What is
    /// missing in the answer may be there. Returns the list, if that changed it.
    pub(super) fn add_evidence(&mut self, answer: &T, merge: Merge<T>) -> Option<Arc<T>> {
        let known = self.current_mut()?;
        let merged = Arc::new(merge(&known.value, answer)?);
        known.value = Arc::clone(&merged);
        known.has_evidence = true;
        self.digest = None;
        Some(merged)
    }

    /// An incomplete answer with what the incomplete one before it proved.
    pub(super) fn with_evidence(&self, answer: T, merge: Merge<T>) -> T {
        let merged = self
            .current()
            .and_then(|known| merge(&answer, &known.value));
        merged.unwrap_or(answer)
    }
}

impl<T: PartialEq> KeptList<T> {
    /// Replaces the list, and returns whether its content changed. Equal content
    /// stays in the allocation it was rendered from. `digest` is that of an answer that
    /// was decoded to exactly this list.
    pub(super) fn replace(
        &mut self,
        mut list: SavedList<Arc<T>>,
        digest: Option<AnswerDigest>,
        max_staleness: Duration,
    ) -> bool {
        let known = self.current().map(|it| &it.value);
        let known = known.filter(|it| **it == list.value);
        let changed = known.is_none();
        if let Some(known) = known {
            list.value = Arc::clone(known);
        }
        self.digest = digest.filter(|_| list.complete);
        self.last = Some(list);
        self.expires = Some(Instant::now() + max_staleness);
        changed
    }
}

#[cfg(test)]
mod tests;
