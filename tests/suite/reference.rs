//! The reference pages, generated from what they describe.

use crate::golden;
use crate::simulated::text;
use secure_score_exporter::config;
use std::path::{Path, PathBuf};
use std::process::Command;

fn page(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    folder.join(name)
}

#[test]
fn the_configuration_is_described_as_it_is() {
    golden::compare(&page("configuration.md"), &config::reference());
}

/// What a command says of itself, however wide the terminal.
fn help(words: &[&str]) -> String {
    let mut arguments = words.to_vec();
    arguments.push("--help");
    let said = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
        .args(arguments)
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", text(&said.stderr));
    let lines = text(&said.stdout);
    lines
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// The sub-commands, as the help of the whole lists them.
fn commands(help: &str) -> Vec<String> {
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let list = list.lines().take_while(|line| !line.is_empty());
    let entries = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let words = entries.filter_map(|line| line.split_whitespace().next());
    words.map(str::to_owned).collect()
}

#[test]
fn the_commands_are_described_as_they_describe_themselves() {
    let whole = help(&[]);
    let commands = commands(&whole);
    assert!(commands.len() >= 3, "{commands:?}");
    let mut described = format!(
        "# Commands\n\nGenerated from `--help`; a test keeps it true.\n\n\
         ## secure-score-exporter\n\nWithout a command it serves.\n\n```text\n{whole}```\n"
    );
    for command in commands {
        let said = help(&[&command]);
        described += &format!("\n## {command}\n\n```text\n{said}```\n");
    }
    golden::compare(&page("commands.md"), &described);
}
