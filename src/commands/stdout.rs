//! The result of a command on standard output.

use super::Failure;
use super::atomic_file::{check_replaceable, replace};
use crate::terminal::Screen;
use crate::text::count;
use anyhow::{Context as _, anyhow};
use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// The hint where the file of `--output` cannot be made.
const NEW_FILE: &str = "--output must name a file in an existing directory that may be written to";

/// Prints a line.
pub(super) fn line(text: fmt::Arguments<'_>) -> Result<(), Failure> {
    write(format!("{text}\n").as_bytes())
}

/// Prints a text, in lines that fit the terminal.
pub(super) fn paragraph(text: &str) -> Result<(), Failure> {
    let text = Screen::uncoloured_stdout().wrap(text, 0);
    line(format_args!("{text}"))
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

/// Fails before tenants are read where the file of `--output` could not be written.
pub(super) fn check_output(file: Option<&Path>) -> Result<(), Failure> {
    let Some(file) = file else {
        return Ok(());
    };
    check_replaceable(file).map_err(|error| unwritten(error, file, NEW_FILE))
}

/// Prints bytes, or replaces the file of `--output` with them.
pub(super) fn write_to(file: Option<&Path>, mode: u32, bytes: &[u8]) -> Result<(), Failure> {
    let Some(file) = file else {
        return write(bytes);
    };
    let written = replace(file, mode, |out| out.write_all(bytes));
    written.map_err(|error| unwritten(error, file, NEW_FILE))
}

/// Why the file of `--output` was not written. A pipe of which the reader has ended is
/// no fault of the file, and `hint` is about files.
pub(super) fn unwritten(error: io::Error, file: &Path, hint: &str) -> Failure {
    let shown = file.display();
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::with_hint(
            anyhow!("{shown}: the program that reads it ended before everything was written"),
            "let it read to the end, and run this command again",
        ),
        _ => Failure::with_hint(
            anyhow::Error::new(error).context(format!("{shown} cannot be written")),
            hint,
        ),
    }
}

/// `2 of 5 tenants could not be read: adatum, contoso`.
pub(super) fn not_read(names: &[&str], all: usize) -> String {
    format!(
        "{} of {} could not be read: {}",
        names.len(),
        tenants(all),
        names.join(", ")
    )
}

/// `1 tenant`, `5 tenants`.
pub(super) fn tenants(number: usize) -> String {
    count(number, "tenant")
}
