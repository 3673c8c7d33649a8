//! What a command answers, on standard output.

use std::fmt;

/// Prints a line.
#[expect(clippy::print_stdout, reason = "the answer of a command goes there")]
pub(super) fn line(text: fmt::Arguments<'_>) {
    println!("{text}");
}
