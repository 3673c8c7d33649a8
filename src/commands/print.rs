//! What a command answers, on standard output.

use super::Failure;
use anyhow::Context as _;
use std::fmt;
use std::io::{ErrorKind, Write as _};

/// Prints a line.
///
/// A reader that has seen enough, such as `head`, ends the command without a
/// word; any other trouble is one, since an answer that was not written must
/// not look like success to a script.
pub(super) fn line(text: fmt::Arguments<'_>) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Found),
        written => Ok(written.context("standard output cannot be written")?),
    }
}

/// `1 tenant`, `5 tenants`.
pub(super) fn tenants(count: usize) -> String {
    match count {
        1 => "1 tenant".to_owned(),
        _ => format!("{count} tenants"),
    }
}
