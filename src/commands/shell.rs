//! What a shell and a manual want to know of the command line.

use super::Failure;
use crate::cli::Cli;
use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::io::Write as _;

const NAME: &str = "secure-score-exporter";

/// Writes the completions of a shell.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    written(&script)
}

/// Writes the manual page.
pub(super) fn man() -> Result<(), Failure> {
    let mut page = Vec::new();
    let command = Cli::command().name(NAME).display_name(NAME);
    clap_mangen::Man::new(command)
        .render(&mut page)
        .context("the manual page cannot be made")?;
    written(&page)
}

fn written(bytes: &[u8]) -> Result<(), Failure> {
    let written = std::io::stdout().write_all(bytes);
    Ok(written.context("standard output cannot be written")?)
}
