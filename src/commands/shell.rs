//! `completions` and `man`: descriptions of the command line.

use super::{Failure, stdout};
use crate::cli::Cli;
use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

const NAME: &str = "secure-score-exporter";

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    stdout::write(&script)
}

/// Prints the manual page.
pub(super) fn man() -> Result<(), Failure> {
    let mut page = Vec::new();
    let command = Cli::command().name(NAME).display_name(NAME);
    clap_mangen::Man::new(command)
        .render(&mut page)
        .context("the manual page cannot be generated")?;
    stdout::write(&page)
}
