//! The tokens that were handed out and the assertions that came in, so that a
//! test can look for them where they must not be.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many are kept; older ones are forgotten.
const KEPT: usize = 1024;

/// Tokens and assertions, oldest first.
#[derive(Default)]
pub(super) struct Confidences(Mutex<VecDeque<String>>);

/// Not even here are they printed.
impl std::fmt::Debug for Confidences {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Confidences(…)")
    }
}

impl Confidences {
    pub(super) fn keep(&self, secret: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(secret.to_owned());
    }

    pub(super) fn all(&self) -> Vec<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().cloned().collect()
    }
}
