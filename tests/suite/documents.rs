//! The commands, configurations and messages in the documents work.

use crate::process::{Process, free_port};
use crate::simulated::{Simulated, text};
use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A command and the lines of its output that a document shows.
pub(crate) struct Example {
    pub(crate) command: String,
    pub(crate) output: Vec<String>,
}

/// The commands of the blocks that say they are run.
pub(crate) fn examples(document: &str) -> Vec<Example> {
    let page = read(document);
    let blocks = page.split("```console").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    let commands = blocks.flat_map(|block| block.split("$ ").skip(1));
    commands
        .map(|text| {
            let text = text.replace("\\\n", " ");
            let mut lines = text.lines();
            let command = lines.next().unwrap().split("  #").next().unwrap().trim();
            Example {
                command: command.to_owned(),
                output: lines.map(str::to_owned).collect(),
            }
        })
        .collect()
}

fn commands(document: &str) -> Vec<String> {
    let examples = examples(document).into_iter();
    examples.map(|example| example.command).collect()
}

/// Addresses, whose ports differ.
fn ports() -> Regex {
    Regex::new(r"127\.0\.0\.1:\d+").unwrap()
}

/// Whether an output has these lines in this order; `…` stands for any lines, `port` for any
/// other, and the log is another stream.
fn shows(output: &str, lines: &[String], port: &Regex) -> bool {
    let same = |text: &str| port.replace_all(text, "127.0.0.1:PORT").into_owned();
    let printed = output.lines().filter(|line| !line.starts_with("ts="));
    let mut output = printed.map(|line| same(line.trim_end()));
    let lines = lines.iter().map(|line| same(line.trim_end()));
    let mut skips = true;
    for line in lines {
        let found = match (line.as_str(), skips) {
            ("…", _) => {
                skips = true;
                continue;
            }
            (_, true) => output.any(|it| it == line),
            (_, false) => output.next() == Some(line),
        };
        if !found {
            return false;
        }
        skips = false;
    }
    true
}

/// A machine with the exporter installed and simulated tenants.
struct Machine {
    simulated: Simulated,
    programs: tempfile::TempDir,
    port: u16,
}

impl Machine {
    fn new() -> Self {
        let programs = tempfile::tempdir().unwrap();
        let exporter = env!("CARGO_BIN_EXE_secure-score-exporter");
        symlink(exporter, programs.path().join("secure-score-exporter")).unwrap();
        Self {
            simulated: Simulated::start(),
            programs,
            port: free_port(),
        }
    }

    /// The command as typed, on this machine's port and in its folder instead of
    /// Prometheus'.
    fn shell(&self, command: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.programs.path().display());
        let command = command.replace("10365", &self.port.to_string());
        let command = command.replace("/var/lib/prometheus/", "");
        let mut shell = Command::new("bash");
        shell
            .args(["-euc", &command])
            .current_dir(self.simulated.folder())
            .env("PATH", path)
            .env("NO_PROXY", "*")
            .env("EDITOR", "true");
        shell
    }

    /// The exporter as the command starts it, once it listens and is ready.
    fn serve(&self, command: &str) -> Process {
        let (program, flags) = command.split_once(' ').unwrap_or((command, ""));
        let address = format!("--web.listen-address=127.0.0.1:{}", self.port);
        let process = Process::start(&mut self.shell(&format!("exec {program} {address} {flags}")));
        process.word_after("address=");
        process
    }

    fn succeeds(&self, command: &str, lines: &[String]) {
        let result = self.shell(command).output().unwrap();
        let output = format!("{}{}", text(&result.stdout), text(&result.stderr));
        assert!(result.status.success(), "{command}:\n{output}");
        assert!(
            shows(&output, lines, &ports()),
            "{command}: {lines:#?}\n{output}"
        );
    }

    fn serves(&self, command: &str, lines: &[String]) {
        let mut process = self.serve(command);
        let ports = ports();
        // Output and log are read by two threads.
        let is_shown = (0..600).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            shows(&process.output(), lines, &ports)
        });
        assert!(is_shown, "{command}: {lines:#?}\n{}", process.output());
        assert_eq!(process.terminate(), Some(0), "{command}");
    }
}

/// `cargo run` builds what is here already.
fn installed(command: &str) -> String {
    command.replace("cargo run --release --", "secure-score-exporter")
}

fn serves(command: &str) -> bool {
    let words = ["check", "collect", "backfill", "init", "--config.check"];
    let is_other = command.split(' ').any(|word| words.contains(&word));
    command.starts_with("secure-score-exporter") && !is_other
}

fn every_command_works(document: &str) {
    let machine = Machine::new();
    let examples = examples(document);
    assert!(examples.len() > 2, "{document}: only {}", examples.len());
    for Example { command, output } in examples {
        let command = installed(&command);
        match command.as_str() {
            serving if serves(serving) => machine.serves(serving, &output),
            asking if asking.starts_with("curl ") => {
                let _demo = machine.serve("secure-score-exporter demo --quiet");
                let quiet = asking.replace("curl", "curl --silent --fail --output /dev/null");
                machine.succeeds(&quiet, &output);
            }
            other => machine.succeeds(other, &output),
        }
    }
}

#[test]
fn every_command_of_the_readme_works() {
    every_command_works("README.md");
}

#[test]
fn every_command_of_getting_started_works() {
    every_command_works("docs/getting-started.md");
}

/// A text without its numbers, its units of size and its blanks at both ends.
pub(crate) fn without_numbers(text: &str) -> String {
    let numbers = Regex::new(r"\d[\d,.]*").unwrap();
    let units = Regex::new("N [KMG]iB").unwrap();
    let text = numbers.replace_all(text.trim(), "N");
    units.replace_all(&text, "N iB").into_owned()
}

#[test]
fn the_backfill_prints_what_its_document_shows() {
    let machine = Machine::new();
    let mut shown = examples("docs/backfill.md").into_iter();
    let backfill = shown.next().unwrap();
    let result = machine.shell(&backfill.command).output().unwrap();
    let output = format!("{}{}", text(&result.stdout), text(&result.stderr));
    let lines: Vec<String> = output.lines().map(without_numbers).collect();
    let announced = backfill.output[0].split(';').next().unwrap();
    let announced = without_numbers(announced);
    assert!(lines.contains(&announced), "{announced}\n{output}");
    let summary = without_numbers(&backfill.output[1]);
    assert!(
        summary.starts_with("N tenants read: N daily reports"),
        "{summary}"
    );
    assert!(lines.contains(&summary), "{summary}\n{output}");
    let loads = "Prometheus loads the blocks ";
    let into_prometheus = backfill.command.replace("metrics2", "blocks");
    fs::create_dir_all(machine.simulated.folder().join("blocks/wal")).unwrap();
    let result = machine.shell(&into_prometheus).output().unwrap();
    assert!(!output.contains(loads) && text(&result.stdout).contains(loads));
}

#[test]
fn amtool_prints_what_the_document_shows() {
    let folder = root().join("alerts").display().to_string();
    let examples = examples("alerts/ROUTING.md").into_iter();
    let shown: Vec<_> = examples
        .filter(|it| it.output.iter().any(|line| !line.trim().is_empty()))
        .collect();
    assert_eq!(shown.len(), 1, "another output is shown, and not tested");
    let Example { command, output } = &shown[0];
    let command = command.replace("/etc/alertmanager", &folder);
    let result = Command::new("bash")
        .args(["-euc", &command])
        .output()
        .unwrap();
    let lines: Vec<&str> = output
        .iter()
        .map(|line| line.trim())
        .filter(|it| !it.is_empty())
        .collect();
    assert_eq!(
        text(&result.stdout).trim(),
        lines.join("\n"),
        "{}",
        text(&result.stderr)
    );
}

/// What a stranger reads and types to a page that fires: this document up to a heading.
const WAY_TO_A_PAGE: &str = "README.md";
const END_OF_WAY: &str = "## Watch a real tenant";

const MAX_WORDS: usize = 350;
const MAX_COMMANDS: usize = 8;

/// The words as a reader sees them: those of code and of pictures' texts count, the targets
/// of links do not.
fn words(text: &str) -> usize {
    let target = Regex::new(r"\]\([^)]*\)").unwrap();
    let seen = target.replace_all(text, "]");
    let words = seen.split_whitespace();
    words
        .filter(|word| word.contains(char::is_alphanumeric))
        .count()
}

/// The commands of every block, also those that no test runs.
fn typed(text: &str) -> Vec<String> {
    let blocks = text.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| block.lines().skip(1));
    let lines = lines.filter(|line| !line.trim().is_empty());
    let parts = lines.flat_map(|line| line.split("&&").flat_map(|part| part.split('|')));
    parts.map(|part| part.trim().to_owned()).collect()
}

#[test]
fn the_way_to_a_page_is_short() {
    let page = read(WAY_TO_A_PAGE);
    let (way, _) = page
        .split_once(&format!("\n{END_OF_WAY}\n"))
        .unwrap_or_else(|| panic!("{WAY_TO_A_PAGE} has no heading {END_OF_WAY}"));
    let (words, commands) = (words(way), typed(way));
    assert!(words > 100 && words <= MAX_WORDS, "{words} words");
    assert!(commands.len() <= MAX_COMMANDS, "{commands:#?}");
    let fires = "$ cargo run --release -- demo --full";
    assert!(commands.iter().any(|it| it == fires), "{commands:#?}");
    let inbox = Regex::new("INBOX_PORT: u16 = ([0-9]+);").unwrap();
    let source = read("src/commands/demo/alerting.rs");
    let port = &inbox.captures(&source).unwrap()[1];
    assert!(way.contains(&format!("<http://127.0.0.1:{port}/inbox>")));
}

/// A document's YAML blocks with tenants or a partner, without the indentation of a list
/// around them.
fn configurations(document: &str) -> Vec<String> {
    let page = read(document);
    let blocks = page.split("```yaml").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    let shown: Vec<_> = blocks
        .filter(|block| block.contains("tenants:") || block.contains("partner:\n"))
        .map(|block| {
            let indent = block.len() - block.trim_start_matches(['\n', ' ']).len() - 1;
            let lines = block
                .lines()
                .map(|line| line.get(indent..).unwrap_or_default());
            lines.flat_map(|line| [line, "\n"]).collect()
        })
        .collect();
    assert!(!shown.is_empty(), "{document} shows none");
    shown
}

/// A folder with the files that configurations name; openssl makes its part
/// with the document's own commands.
fn secrets() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let typed = commands("docs/permissions.md").join("\n");
    assert!(typed.contains("openssl"), "{typed}");
    let made = Command::new("bash")
        .args(["-euc", &typed])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    for name in ["watcher.secret", "partner.secret", "token"] {
        let secret = folder.path().join(name);
        fs::write(&secret, "a secret").unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(secret, private).unwrap();
    }
    fs::write(folder.path().join("decisions.yml"), "").unwrap();
    fs::create_dir(folder.path().join("tenants.d")).unwrap();
    fs::write(folder.path().join("tenants.d/customers.yml"), "[]\n").unwrap();
    folder
}

#[test]
fn the_configurations_they_show_are_good() {
    let folder = secrets();
    let file = folder.path().join("shown.yml");
    for document in [
        "docs/getting-started.md",
        "docs/partners.md",
        "docs/permissions.md",
        "deploy/helm/secure-score-exporter/README.md",
    ] {
        for block in configurations(document) {
            // Those of the chart stand in its values.
            let values = block.split_once("config:\n").map(|(_, rest)| rest);
            let config = values.map_or(block.clone(), |rest| {
                let inner = rest.lines().map_while(|line| line.strip_prefix("  "));
                inner.flat_map(|line| [line, "\n"]).collect()
            });
            let config = config.replace("/var/run/entra/token", "token");
            let config = config.replace("/etc/secure-score-secrets/", "");
            fs::write(&file, &config).unwrap();
            let result = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"))
                .args(["--config.check", "--config.file"])
                .arg(&file)
                .env("AZURE_CLIENT_ID", "0a1b2c3d-1111-2222-3333-444444444444")
                .env("AZURE_FEDERATED_TOKEN_FILE", folder.path().join("token"))
                .output()
                .unwrap();
            let output = text(&result.stderr);
            assert!(result.status.success(), "{document}:\n{config}{output}");
            assert!(
                !output.contains("warning:"),
                "{document}:\n{config}{output}"
            );
        }
    }
}

/// The program's source text, with continued string lines joined.
fn sources() -> String {
    fn collect(folder: &Path, all: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            match path.is_dir() {
                true => collect(&path, all),
                false => all.push_str(&fs::read_to_string(path).unwrap()),
            }
        }
    }
    let mut all = String::new();
    collect(&root().join("src"), &mut all);
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let of_ours = entry.unwrap().path();
        // The simulator's messages are not the product's.
        if !of_ours.ends_with("graph-simulator") {
            collect(&of_ours.join("src"), &mut all);
        }
    }
    let mut joined = String::new();
    for (index, part) in all.split("\\\n").enumerate() {
        joined.push_str(if index == 0 { part } else { part.trim_start() });
    }
    joined
}

/// Who installed the program has no folder of documents.
#[test]
fn no_message_refers_to_a_file_of_the_repository() {
    let sources = sources();
    for reference in ["see docs/", "see `docs/", "see README", "see alerts/"] {
        assert!(!sources.contains(reference), "{reference}");
    }
}

/// The quotes in the first cells of a document's tables.
fn looked_up(document: &str) -> BTreeSet<String> {
    let page = read(document);
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let first = rows.map(|row| row.trim_start_matches("| ").split(" |").next().unwrap());
    first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_quoted_message_is_one_of_the_program() {
    let sources = sources();
    let document = "docs/troubleshooting.md";
    let looked_up = looked_up(document);
    assert!(looked_up.len() >= 38, "{document}: {looked_up:?}");
    for quoted in looked_up {
        let is_found = match quoted.strip_prefix("AADSTS") {
            Some(number) => sources.replace('_', "").contains(number),
            None => quoted.split('…').all(|part| sources.contains(part)),
        };
        assert!(is_found, "{document}: no source contains `{quoted}`");
    }
}
