//! Tables for a terminal.

use crate::serde_time::Day;
use secure_score_model::Timestamp;

/// Longer texts are truncated, so that a row stays one line.
pub(super) const MAX_TEXT: usize = 60;

/// The day of a time; empty without one.
pub(super) fn day(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| Day::beginning(at).to_string())
}
