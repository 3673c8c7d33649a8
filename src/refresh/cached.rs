//! A list, and until when it is exported.

use crate::store::saved_tenant::SavedList;
use secure_score_model::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A list, and until when it is exported.
#[derive(Clone)]
pub(super) struct Cached<T> {
    pub(super) list: SavedList<Arc<T>>,
    /// When it exceeds `max_staleness`, by the monotonic clock.
    pub(super) expires: Instant,
}

impl<T> Cached<T> {
    /// A list of an earlier process, unless it is too old.
    pub(super) fn restore(
        list: SavedList<Arc<T>>,
        now: Timestamp,
        max_staleness: Duration,
    ) -> Option<Self> {
        let left = max_staleness.checked_sub(now.since(list.at))?;
        let expires = Instant::now() + left;
        Some(Self { list, expires })
    }

    /// Moves the expiry from one `max_staleness` to another.
    pub(super) fn reschedule(&mut self, before: Duration, after: Duration) {
        let later = self.expires + after;
        self.expires = later.checked_sub(before).unwrap_or(later);
    }
}

impl<T: PartialEq> Cached<T> {
    /// Replaces a list, and returns whether its content changed. Equal content
    /// stays in the allocation it was rendered from.
    pub(super) fn replace(
        slot: &mut Option<Self>,
        mut list: SavedList<Arc<T>>,
        max_staleness: Duration,
    ) -> bool {
        let known = slot.as_ref().map(|it| &it.list.value);
        let known = known.filter(|it| **it == list.value);
        let changed = known.is_none();
        if let Some(known) = known {
            list.value = Arc::clone(known);
        }
        *slot = Some(Self {
            list,
            expires: Instant::now() + max_staleness,
        });
        changed
    }
}
