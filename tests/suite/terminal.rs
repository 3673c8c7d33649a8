//! The commands in a terminal: `script` gives each a pseudo-terminal.

use crate::process::program;
use crate::simulated::{Simulated, run, text};
use regex::Regex;
use serde_json::json;
use std::process::{Command, Stdio};

/// A terminal of some width, with variables.
struct Terminal {
    columns: usize,
    variables: Vec<(&'static str, &'static str)>,
}

impl Terminal {
    fn of(columns: usize) -> Self {
        Self {
            columns,
            variables: vec![("TERM", "xterm")],
        }
    }

    /// What is written to it: standard output and standard error.
    fn run(&self, simulated: &Simulated, arguments: &str) -> String {
        let command = format!(
            "stty cols {} rows 40; exec {} {arguments} --config.file {}",
            self.columns,
            env!("CARGO_BIN_EXE_secure-score-exporter"),
            simulated.config()
        );
        let output = Command::new(program("script", "bsdutils"))
            .args(["-qec", &command, "/dev/null"])
            .env_remove("NO_COLOR")
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        text(&output.stdout).replace("\r\n", "\n")
    }

    /// The same with standard output in a pipe.
    fn run_piped(&self, simulated: &Simulated, command: &str) -> String {
        let config = simulated.config();
        self.run(
            simulated,
            &format!("{command} --config.file {config} | cat; exec true"),
        )
    }

    /// The lines that stay on it, without colours.
    fn lines(&self, written: &str) -> Vec<String> {
        let colours = Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
        // A line that is replaced ends with a return or a command to erase it.
        let lines = written.lines().map(|line| {
            let kept = line.rsplit(['\r']).next().unwrap();
            let kept = kept.rsplit("\u{1b}[2K").next().unwrap();
            colours.replace_all(kept, "").into_owned()
        });
        lines.collect()
    }

    /// Each line that stays fits, unless it is one long word.
    fn must_fit(&self, written: &str) -> Vec<String> {
        let lines = self.lines(written);
        for line in &lines {
            let is_word = !line.trim().contains(' ');
            let fits = line.chars().count() <= self.columns;
            assert!(fits || is_word, "{line:?} in:\n{written}");
        }
        lines
    }
}

/// Faults by which answers take so long that progress is shown.
async fn slow(simulated: &Simulated) {
    let fault = json!({"api": "profiles", "what": {"slow": {"millis": 1500}}});
    simulated.inject(fault).await;
}

/// The number of the first line that starts with a text.
#[track_caller]
fn place(lines: &[String], start: &str) -> usize {
    let place = lines.iter().position(|line| line.starts_with(start));
    place.unwrap_or_else(|| panic!("no {start:?} in:\n{}", lines.join("\n")))
}

fn is_redrawn(written: &str) -> bool {
    written.contains("\u{1b}[2K") || written.contains("\u{1b}[K")
}

#[tokio::test(flavor = "multi_thread")]
async fn check_shows_progress_counts_first_and_failures_last() {
    let simulated = Simulated::start();
    slow(&simulated).await;
    let expired = json!({"api": "token", "tenant": "adatum", "what": {"aadsts": 7_000_222}});
    simulated.inject(expired).await;
    let terminal = Terminal::of(80);
    let written = terminal.run(&simulated, "check");
    assert!(is_redrawn(&written), "{written:?}");
    assert!(written.contains("% done, "), "{written}");
    assert!(written.contains("; waiting for contoso"), "{written}");
    for coloured in ["\u{1b}[32mok\u{1b}[0m", "\u{1b}[31mFAIL\u{1b}[0m"] {
        assert!(written.contains(coloured), "{written}");
    }
    let lines = terminal.must_fit(&written);
    let place = |start| place(&lines, start);
    assert!(
        place("4 of 5 tenants") < place("ok    contoso: "),
        "{written}"
    );
    let failure = place("FAIL  adatum: token: ");
    assert!(place("ok    northwind: ") < failure, "{written}");
    let mut rest = lines[failure + 1..].iter();
    assert!(rest.all(|line| line.starts_with("      ")), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_color_and_a_dumb_terminal_are_respected() {
    let simulated = Simulated::start();
    slow(&simulated).await;
    let mut terminal = Terminal::of(80);
    terminal.variables.push(("NO_COLOR", "1"));
    for command in ["check", "collect"] {
        let written = terminal.run(&simulated, command);
        assert!(is_redrawn(&written), "{written:?}");
        assert!(!written.contains("\u{1b}[3"), "{written:?}");
    }
    terminal.variables = vec![("TERM", "dumb")];
    for command in ["check", "collect"] {
        let written = terminal.run(&simulated, command);
        assert!(!written.contains(['\u{1b}', '\r']), "{written:?}");
        terminal.must_fit(&written);
    }
    // Nor has a pipe control characters.
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let piped = text(&checked.stdout) + &text(&checked.stderr);
    assert!(!piped.contains(['\u{1b}', '\r']), "{piped:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn collect_fits_narrow_and_wide_terminals() {
    let simulated = Simulated::start();
    slow(&simulated).await;
    let terminal = Terminal::of(80);
    let written = terminal.run(&simulated, "collect");
    assert!(
        written.contains("; waiting for adatum, contoso, "),
        "{written}"
    );
    let lines = terminal.must_fit(&written);
    assert_eq!(lines[0], "5 tenants, 5 read, 0 failed", "{written}");
    assert!(lines[1].starts_with(" TENANT "), "a table: {written}");
    // A block for each accepted risk.
    let title = place(&lines, "contoso  IntegratedApps");
    assert_eq!(lines[title], "contoso  IntegratedApps", "{written}");
    assert!(lines[title + 1].starts_with("  title "), "{written}");
    let terminal = Terminal::of(400);
    let wide = terminal.run(&simulated, "collect --controls");
    let lines = terminal.must_fit(&wide);
    assert!(lines[1].starts_with(" TENANT "), "{wide}");
    assert!(lines[1].contains(" CONTROL "), "{wide}");
}

#[test]
fn collect_into_a_pipe_says_how_to_get_the_tables() {
    let simulated = Simulated::start();
    let hint = "these are the metrics of /metrics; --format table";
    let terminal = Terminal::of(200);
    let written = terminal.run_piped(&simulated, "collect");
    assert!(written.contains(hint), "{written}");
    assert!(written.contains("# TYPE secure_score_tenant_score gauge"));
    let written = terminal.run_piped(&simulated, "collect --format prometheus");
    assert!(!written.contains(hint), "{written}");
    let written = text(&run(&["collect", "--config.file", &simulated.config()]).stderr);
    assert!(!written.contains(hint), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_and_backfill_show_progress_and_fit() {
    let simulated = Simulated::start();
    let fault = json!({"api": "token", "what": {"slow": {"millis": 1500}}});
    simulated.inject(fault).await;
    let terminal = Terminal::of(80);
    let written = terminal.run(&simulated, "discover");
    assert!(is_redrawn(&written), "{written:?}");
    let lines = terminal.must_fit(&written);
    assert!(lines[0].contains(" customers watched, "), "{written}");
    assert!(written.contains("% done, 0 of "), "{written}");
    let block = |it: &String| it.trim_start().starts_with("entra tenant id");
    assert!(lines.iter().any(block), "blocks, no columns: {written}");
    assert!(
        lines.contains(&"Addresses of the consent:".to_owned()),
        "{written}"
    );
    let folder = simulated.folder().join("past");
    let flags = format!(
        "backfill --days=2 --step=1d --no-controls --output={}",
        folder.display()
    );
    simulated.clear_faults().await;
    let expired = json!({"api": "token", "tenant": "adatum", "what": {"aadsts": 7_000_222}});
    simulated.inject(expired).await;
    slow(&simulated).await;
    let written = terminal.run(&simulated, &flags);
    assert!(written.contains("; waiting for "), "{written}");
    let lines = terminal.lines(&written);
    let place = |start| place(&lines, start);
    let failed = place("1 of 5 tenants could not be read: adatum");
    assert!(failed > place("4 tenants read: "), "{written}");
    assert!(place("error: adatum: ") > failed, "{written}");
}
