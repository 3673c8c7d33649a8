//! The generated reference pages.

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
fn the_page_of_the_configuration_is_up_to_date() {
    golden::compare(&page("configuration.md"), &config::reference());
}

/// The help of a command, for any terminal width.
fn help(command: &[&str]) -> String {
    let mut arguments = command.to_vec();
    arguments.push("--help");
    let output = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
        .args(arguments)
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    lines
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// The sub-commands that the main help lists.
fn commands(help: &str) -> Vec<String> {
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let list = list.lines().take_while(|line| !line.is_empty());
    let entries = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = entries.filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

#[test]
fn the_page_of_the_commands_is_up_to_date() {
    let main = help(&[]);
    let commands = commands(&main);
    assert!(commands.len() >= 3, "{commands:?}");
    let mut page_text = format!(
        "# Commands\n\nGenerated from `--help`; a test compares them.\n\n\
         ## secure-score-exporter\n\nWithout a command, the exporter serves.\n\n```text\n{main}```\n"
    );
    for command in commands {
        let help = help(&[&command]);
        page_text += &format!("\n## {command}\n\n```text\n{help}```\n");
    }
    golden::compare(&page("commands.md"), &page_text);
}
