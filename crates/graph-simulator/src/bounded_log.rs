//! A log of limited size.

use std::collections::VecDeque;
use std::fmt;

use parking_lot::Mutex;

/// The newest entries, oldest first; the log drops what exceeds its capacity.
pub(crate) struct BoundedLog<T> {
    capacity: usize,
    entries: Mutex<VecDeque<T>>,
}

/// Omits the entries: those of one log are access tokens.
impl<T> fmt::Debug for BoundedLog<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedLog")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

impl<T: Clone> BoundedLog<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let entries = Mutex::default();
        Self { capacity, entries }
    }

    pub(crate) fn record(&self, entry: T) {
        let mut entries = self.entries.lock();
        if entries.len() == self.capacity {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        self.entries.lock().iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_drops_its_oldest_entry() {
        let log = BoundedLog::new(3);
        (0..=3).for_each(|entry| log.record(entry));
        assert_eq!(log.entries(), [1, 2, 3]);
    }

    #[test]
    fn debug_output_contains_no_entry() {
        let log = BoundedLog::new(1);
        log.record("token");
        assert!(!format!("{log:?}").contains("token"));
    }
}
