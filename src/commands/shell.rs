//! `completions` and `man`: descriptions of the command line.

use super::{Failure, stdout};
use crate::cli::Cli;
use anyhow::Context as _;
use clap::{Arg, Command, CommandFactory as _};
use clap_complete::Shell;

const NAME: &str = "secure-score-exporter";

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    let mut command = with_visible_flags(Cli::command());
    clap_complete::generate(shell, &mut command, NAME, &mut script);
    stdout::write(&script)
}

/// The command line with the flags in the help of each command: the generators offer
/// hidden ones, too.
fn with_visible_flags(command: Command) -> Command {
    let globals = command.get_arguments().filter(|arg| arg.is_global_set());
    let globals: Vec<Arg> = globals.cloned().collect();
    let subcommands: Vec<Command> = command.get_subcommands().cloned().collect();
    let command = command.mut_args(|arg| arg.global(false));
    subcommands.into_iter().fold(command, |command, old| {
        let own: Vec<&Arg> = old.get_arguments().collect();
        let is_hidden = |global: &&Arg| own.iter().any(|it| it.get_id() == global.get_id());
        let inherited = globals.iter().filter(|it| !is_hidden(it));
        let visible = own.iter().copied().filter(|it| !it.is_hide_set());
        let name = old.get_name().to_owned();
        let about = old.get_about().cloned().unwrap_or_default();
        let new = Command::new(name.clone()).about(about);
        let flags = visible.chain(inherited).cloned();
        let new = new.args(flags.map(|arg| arg.global(false)));
        command.mut_subcommand(name, |_| new)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_offer_what_the_help_of_a_command_has() {
        let mut command = with_visible_flags(Cli::command());
        command.build();
        for (name, logs, reads) in [
            ("check", true, true),
            ("init", true, false),
            ("completions", false, false),
            ("man", false, false),
        ] {
            let subcommand = command.find_subcommand(name).unwrap();
            let has = |flag: &str| {
                let mut flags = subcommand.get_arguments();
                flags.any(|it| it.get_long() == Some(flag))
            };
            assert_eq!(has("log.level"), logs, "{name}");
            assert_eq!(has("log.format"), logs, "{name}");
            assert_eq!(has("config.file"), reads, "{name}");
        }
    }
}
