//! What the documents tell people to type and to look for is so.

use crate::process::{Process, free_port};
use crate::simulated::{Simulated, run, text};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// This very test run.
const ALL_TESTS: &str = "tests/run";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The commands of the blocks that say they are run.
fn commands(document: &str) -> Vec<String> {
    let page = read(document);
    let blocks = page.split("```console").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    let commands = lines.filter_map(|line| line.trim_start().strip_prefix("$ "));
    commands
        .map(|it| it.split("  #").next().unwrap().trim().to_owned())
        .collect()
}

/// A machine on which the exporter is installed and there are tenants, all of
/// them simulated.
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

    /// The command as somebody typed it, but on a port of ours.
    fn shell(&self, command: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.programs.path().display());
        let mut shell = Command::new("bash");
        shell
            .args(["-euc", &command.replace("10365", &self.port.to_string())])
            .current_dir(self.simulated.folder())
            .env("PATH", path)
            .env("NO_PROXY", "*");
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

    fn succeeds(&self, command: &str) {
        let said = self.shell(command).output().unwrap();
        let told = format!("{}{}", text(&said.stdout), text(&said.stderr));
        assert!(said.status.success(), "{command}:\n{told}");
    }
}

/// `cargo run` builds what is here already.
fn installed(command: &str) -> String {
    command.replace("cargo run --release --", "secure-score-exporter")
}

fn serves(command: &str) -> bool {
    let words = ["check", "collect", "backfill", "--config.check"];
    let is_other = command.split(' ').any(|word| words.contains(&word));
    command.starts_with("secure-score-exporter") && !is_other
}

fn every_command_works(document: &str) {
    let machine = Machine::new();
    let commands = commands(document);
    assert!(commands.len() > 2, "{document}: only {commands:?}");
    for command in commands {
        let command = installed(&command);
        match command.as_str() {
            ALL_TESTS => assert!(root().join(ALL_TESTS).is_file()),
            serving if serves(serving) => {
                assert_eq!(machine.serve(serving).terminate(), Some(0), "{serving}");
            }
            asking if asking.starts_with("curl ") => {
                let _demo = machine.serve("secure-score-exporter demo --quiet");
                machine
                    .succeeds(&asking.replace("curl", "curl --silent --fail --output /dev/null"));
            }
            other => machine.succeeds(other),
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

#[test]
fn the_configurations_they_show_are_good() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("watcher.secret");
    fs::write(&secret, "a secret").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(secret, private).unwrap();
    for document in ["README.md", "docs/getting-started.md"] {
        let page = read(document);
        let blocks = page.split("```yaml").skip(1);
        let blocks = blocks.map(|block| block.split("```").next().unwrap());
        let mut shown = blocks.filter(|block| block.contains("tenants:")).peekable();
        assert!(shown.peek().is_some(), "{document} shows none");
        for block in shown {
            let file = folder.path().join("shown.yml");
            let indent = block.len() - block.trim_start_matches(['\n', ' ']).len() - 1;
            let lines = block
                .lines()
                .map(|line| line.get(indent..).unwrap_or_default());
            fs::write(
                &file,
                lines.flat_map(|line| [line, "\n"]).collect::<String>(),
            )
            .unwrap();
            let said = run(&[
                "--config.check",
                "--config.file",
                &file.display().to_string(),
            ]);
            assert!(said.status.success(), "{document}: {}", text(&said.stderr));
        }
    }
}

/// All of the program's text, with what a string continues on the next line.
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
    let mut joined = String::new();
    for (index, part) in all.split("\\\n").enumerate() {
        joined.push_str(if index == 0 { part } else { part.trim_start() });
    }
    joined
}

#[test]
fn each_message_to_be_looked_up_is_one_of_the_program() {
    let sources = sources();
    let page = read("docs/troubleshooting.md");
    let mut looked_up = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let first = row.trim_start_matches("| ").split(" |").next().unwrap();
        let quoted = first.split('`').skip(1).step_by(2);
        looked_up.extend(quoted.map(str::to_owned));
    }
    assert!(looked_up.len() > 35, "only {looked_up:?}");
    for quoted in looked_up {
        let is_said = match quoted.strip_prefix("AADSTS") {
            Some(number) => sources.replace('_', "").contains(number),
            None => quoted.split('…').all(|part| sources.contains(part)),
        };
        assert!(is_said, "docs/troubleshooting.md: nothing says `{quoted}`");
    }
}
