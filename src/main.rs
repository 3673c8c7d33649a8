//! Parses the command line, runs the command, returns its exit code.
#![forbid(unsafe_code)]

use secure_score_exporter::cli::Cli;
use secure_score_exporter::commands;
use secure_score_exporter::config::Environment;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::read();
    commands::run(cli, &Environment::from_process())
}
