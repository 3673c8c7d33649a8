//! The result of a command, on standard output.

use super::Failure;
use anyhow::Context as _;
use std::fmt;
use std::io::{ErrorKind, Write as _};

/// Prints a line.
pub(super) fn line(text: fmt::Arguments<'_>) -> Result<(), Failure> {
    write(format!("{text}\n").as_bytes())
}

/// Prints bytes.
///
/// A reader that has closed the pipe, such as `head`, ends the command without
/// an error message. Any other error is one: a script must not take a result
/// that was not written for success.
pub(super) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
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
