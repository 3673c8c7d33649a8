//! Tables for a terminal.

use crate::serde_time::Day;
use comfy_table::{Table, presets};
use secure_score_model::Timestamp;

/// Longer texts are truncated, so that a row stays one line.
pub(super) const MAX_TEXT: usize = 60;

/// A table without borders.
pub(super) fn empty_table(colours: bool) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    if colours {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

/// The lines of a table, without blanks at their ends.
pub(super) fn lines(table: &Table) -> String {
    let lines = table.lines();
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The day of a time; empty without one.
pub(super) fn day(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| Day::beginning(at).to_string())
}
