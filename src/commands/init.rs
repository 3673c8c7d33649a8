//! `init`: writes a first configuration, and one for Prometheus and for
//! Alertmanager. It overwrites no file.

mod answers;
mod files;
mod questions;

use super::Failure;
use super::shell_path::quoted;
use super::stdout::line;
use crate::cli::Init;
use answers::{Answers, Subject};
use files::NewFile;
use questions::Questions;
use std::path::Path;

/// Asks for what the flags do not give, and writes the files.
pub(super) fn run(flags: &Init) -> Result<(), Failure> {
    let directory = &flags.directory;
    // Checked before the questions.
    files::refuse_existing(directory)?;
    let answers = Answers::collect(flags, Questions::of_process())?;
    let files = files::all(&answers);
    files::write(directory, &files)?;
    print_files(directory, &files)?;
    print_consent(&answers)?;
    print_next(directory, &answers, &files)
}

fn print_files(directory: &Path, files: &[NewFile]) -> Result<(), Failure> {
    line(format_args!("wrote into {}:", directory.display()))?;
    files
        .iter()
        .try_for_each(|file| line(format_args!("  {:<27} {}", file.name, file.purpose)))
}

fn print_consent(answers: &Answers) -> Result<(), Failure> {
    let (applications, permissions) = match answers.subject {
        Subject::Tenant => (
            "the application",
            "application permission SecurityEvents.Read.All of Microsoft Graph, nothing else, and a client secret",
        ),
        Subject::Partner { .. } => (
            "the two applications",
            "for the customers one of many tenants with the application permission SecurityEvents.Read.All of Microsoft Graph, for the list one of your own tenant with the permission for your partner program; nothing else, and a client secret each",
        ),
    };
    line(format_args!(
        "\nRegister {applications} in the Entra admin center (App registrations): {permissions}. \
         A running exporter has every step at /runbooks/permissions. A Privileged Role \
         Administrator or Global Administrator then consents:"
    ))?;
    for (what, url) in answers.consent_urls() {
        line(format_args!("  {what}\n    {url}"))?;
    }
    Ok(())
}

fn print_next(directory: &Path, answers: &Answers, files: &[NewFile]) -> Result<(), Failure> {
    let secrets = files.iter().filter(|file| file.is_secret());
    let secrets: Vec<_> = secrets.map(|file| file.name).collect();
    let config = match directory == Path::new(".") {
        true => String::new(),
        false => format!(" --config.file={}", quoted(&directory.join(files::CONFIG))),
    };
    line(format_args!(
        "\nNext: put the value of each client secret into its file ({}), and run\n  \
         secure-score-exporter check{config}",
        secrets.join(", ")
    ))?;
    if let Subject::Partner { .. } = answers.subject {
        let file = directory.join(files::CUSTOMERS);
        let file = quoted(&file);
        line(format_args!(
            "Once that succeeds, look at the customers and their aliases:\n  \
             secure-score-exporter discover{config} --write {file} --check\n\
             Write them into {}, and edit there the aliases that do not suit:\n  \
             secure-score-exporter discover{config} --write {file}\n\
             Then start the exporter, or reload it (SIGHUP) if it runs:\n  \
             secure-score-exporter{config}\n\
             It has these steps and what follows at /runbooks/partners.",
            files::CUSTOMERS,
        ))?;
    }
    match answers.mail {
        Some(_) => Ok(()),
        None => line(format_args!(
            "\nThe receiver {} in {} sends nothing yet; add an address to it.",
            answers.receiver,
            files::ALERTMANAGER
        )),
    }
}
