//! Flags and sub-commands. Nothing is opened here.
//!
//! The dotted names are those of other Prometheus exporters, so that a unit
//! file or a chart needs few changes. As in those, the environment sets no flags.

mod address;
mod approve;
mod backfill;
mod collect;
mod command;
mod decisions;
#[cfg(feature = "demo")]
mod demo;
mod discover;
mod evidence;
mod init;
mod log;
mod number;
mod route;
mod server_url;
mod shard;
mod web;

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser};

pub use address::ListenAddress;
pub use approve::Approve;
pub use backfill::{Backfill, Label, Output};
pub use collect::{Collect, CollectFormat, ColorChoice};
pub use command::{Check, Command, Healthcheck};
pub use decisions::{Decisions, DecisionsOutput};
#[cfg(feature = "demo")]
pub use demo::{DEFAULT_SEED, Demo, Simulate, SimulationFlags};
pub use discover::{Discover, DiscoverOutput};
pub use evidence::{Evidence, EvidenceFormat};
pub use init::{Init, InitValue};
pub use log::{LogFlags, LogFormat, LogLevel};
pub use route::ExternalUrl;
pub use shard::{ShardError, ShardFlags};
pub use web::WebFlags;

/// The revision of the sources, if the build sets it.
const REVISION: &str = match option_env!("SECURE_SCORE_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// What `--version` prints after the name, as other Prometheus exporters do.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("version {version} (revision {REVISION})")
}

/// Prometheus exporter for Microsoft Secure Score.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "secure-score-exporter",
    display_name = "secure-score-exporter,",
    version = version(),
    disable_version_flag = true,
    disable_help_subcommand = true,
    about,
    after_long_help = "\
Examples:
  secure-score-exporter --config.file=secure-score.yml \\
    --web.listen-address=localhost:10365
      Serve the tenants of the configuration to Prometheus
  secure-score-exporter --config.file=secure-score.yml --config.check
      Check the configuration; request nothing"
)]
pub struct Cli {
    /// Print the version and exit.
    #[arg(long, action = clap::ArgAction::Version)]
    version: Option<bool>,

    /// The configuration.
    #[command(flatten)]
    pub config: ConfigFlags,

    /// The log.
    #[command(flatten)]
    pub log: LogFlags,

    /// The HTTP server, for `serve`.
    #[command(flatten)]
    pub web: WebFlags,

    /// The share of the tenants.
    #[command(flatten)]
    pub shard: ShardFlags,

    /// Store the last good data in this directory, so that a restart serves them at once and sends no needless requests
    #[arg(long = "state.dir", value_name = "DIR", help_heading = "State")]
    pub state_dir: Option<PathBuf>,

    /// Without one, the exporter serves.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// Parses the command line; on an error prints it and exits with 2.
    pub fn read() -> Self {
        Self::try_read_from(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Parses these arguments, of which the first is the program's name.
    ///
    /// As in clap, `--version` and `--help` return errors that print to stdout
    /// and exit with 0.
    pub fn try_read_from<I, T>(arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        Self::try_parse_from(arguments)?.checked()
    }

    /// Checks combinations of flags.
    fn checked(mut self) -> Result<Self, clap::Error> {
        let of_command = match &mut self.command {
            #[cfg(feature = "demo")]
            Some(Command::Demo(demo)) => Some(&mut demo.web),
            Some(Command::Healthcheck(healthcheck)) => Some(&mut healthcheck.web),
            _ => None,
        };
        let web = match of_command {
            Some(web) => {
                web.fill_from(std::mem::take(&mut self.web));
                web
            }
            None => &mut self.web,
        };
        let duplicate = web.duplicate();
        let duplicate = duplicate
            .map(|address| format!("--web.listen-address={address} is given twice; keep one"));
        let conflict = duplicate.or_else(|| match &self.command {
            #[cfg(feature = "demo")]
            Some(Command::Demo(demo)) => demo.conflict().map(str::to_owned),
            Some(Command::Collect(collect)) => collect.conflict().map(str::to_owned),
            Some(Command::Backfill(backfill)) => backfill.conflict(),
            Some(Command::Decisions(decisions)) => decisions.conflict(),
            Some(Command::Evidence(evidence)) => evidence.conflict().map(str::to_owned),
            _ => None,
        });
        match conflict.or_else(|| self.ineffective_flag()) {
            Some(text) => Err(self.conflict_error(&text)),
            None => Ok(self),
        }
    }

    /// The error about flags that exclude each other, with the usage of the sub-command.
    fn conflict_error(&self, text: &str) -> clap::Error {
        let mut root = Self::command();
        root.build();
        let name = self.command.as_ref().map(Command::name);
        let command = match name.and_then(|it| root.find_subcommand_mut(it)) {
            Some(command) => command,
            None => &mut root,
        };
        command.error(ErrorKind::ArgumentConflict, format!("{text}\n"))
    }

    /// The error for a flag that the sub-command ignores.
    fn ineffective_flag(&self) -> Option<String> {
        let command = self.command.as_ref()?;
        let uses_config = match command {
            Command::Check(_)
            | Command::Collect(_)
            | Command::Discover(_)
            | Command::Approve(_) => true,
            Command::Backfill(backfill) => !backfill.is_demo(),
            Command::Decisions(decisions) => decisions.url.is_none(),
            Command::Evidence(evidence) => evidence.url.is_none(),
            _ => false,
        };
        let is_never_reloaded = match command {
            #[cfg(feature = "demo")]
            Command::Demo(demo) => demo.web.enable_lifecycle,
            _ => false,
        };
        let needs_no_socket = match command {
            #[cfg(feature = "demo")]
            Command::Demo(demo) => demo.web.systemd_socket,
            Command::Healthcheck(healthcheck) => healthcheck.web.systemd_socket,
            _ => false,
        };
        let ineffective = [
            (is_never_reloaded, "--web.enable-lifecycle"),
            (needs_no_socket, "--web.systemd-socket"),
            (!self.web.has_only_addresses(), "--web.*"),
            (!self.shard.is_empty(), "--shard"),
            (self.state_dir.is_some(), "--state.dir"),
            (self.config.auto_reload, "--config.enable-auto-reload"),
            (self.config.check, "--config.check"),
            (self.config.file.is_some() && !uses_config, "--config.file"),
        ];
        let (_, flag) = ineffective.into_iter().find(|(is_given, _)| *is_given)?;
        let name = command.name();
        Some(format!("{flag} has no effect on `{name}`; remove it"))
    }
}

/// The configuration.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigFlags {
    /// The configuration file [default: secure-score.yml, or the environment if that file does not exist]
    #[arg(long = "config.file", value_name = "FILE", global = true)]
    pub file: Option<PathBuf>,

    /// Check the configuration and exit
    #[arg(long = "config.check")]
    pub check: bool,

    /// Reload when the configuration file changes; referenced files are always watched
    #[arg(long = "config.enable-auto-reload")]
    pub auto_reload: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;
    use std::collections::BTreeSet;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_read_from(["secure-score-exporter"].iter().chain(arguments))
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_default_address_is_a_loopback_address() {
        let cli = parse(&[]).unwrap();
        assert!(cli.command.is_none() && cli.config.file.is_none());
        let listen = cli.web.listen_addresses();
        assert_eq!(listen.len(), 1);
        assert!(listen[0].is_loopback());
        assert_eq!(cli.web.telemetry_path(), "/metrics");
        assert_eq!(cli.web.route_prefix(), "");
    }

    #[test]
    fn the_version_contains_program_and_revision() {
        let error = parse(&["--version"]).unwrap_err();
        assert_eq!(error.exit_code(), 0);
        let text = error.to_string();
        assert!(
            text.starts_with("secure-score-exporter, version 0"),
            "{text}"
        );
        assert!(text.contains("(revision "), "{text}");
    }

    #[cfg(feature = "demo")]
    #[test]
    fn web_flags_may_precede_or_follow_demo() {
        for arguments in [
            ["--web.listen-address=:1", "demo"],
            ["demo", "--web.listen-address=:1"],
        ] {
            let Some(Command::Demo(demo)) = parse(&arguments).unwrap().command else {
                panic!("{arguments:?}");
            };
            assert_eq!(demo.web.listen_addresses()[0].to_string(), ":1");
        }
    }

    #[cfg(feature = "demo")]
    #[test]
    fn the_users_of_the_demo_exclude_a_web_configuration() {
        assert!(parse(&["demo", "--with-users"]).is_ok());
        for arguments in [
            ["--web.config.file=web.yml", "demo", "--with-users"],
            ["demo", "--with-users", "--web.config.file=web.yml"],
        ] {
            let error = parse(&arguments).unwrap_err();
            assert!(error.to_string().contains("--with-users has"), "{error}");
        }
        let error = parse(&["demo", "--full", "--web.config.file=web.yml"]).unwrap_err();
        assert!(error.to_string().contains("of --full scrapes"), "{error}");
    }

    #[test]
    fn flags_that_exclude_each_other_show_the_usage_of_their_command() {
        for (arguments, usage) in [
            (
                &["collect", "--wide", "--format=json"][..],
                "collect [OPTIONS]",
            ),
            (&["backfill", "--output=-"], "backfill [OPTIONS]"),
            (&["--config.check", "check"], "check [OPTIONS]"),
            (
                &[
                    "--state.dir=a",
                    "approve",
                    "a",
                    "B",
                    "--expires=2099-01-31",
                    "--reference=C",
                ],
                "approve [OPTIONS] --expires <DATE> --reference <REFERENCE> <TENANT> <CONTROL>",
            ),
            (
                &["--web.listen-address=:1", "--web.listen-address=:1"],
                "[OPTIONS] [COMMAND]",
            ),
        ] {
            let error = parse(arguments).unwrap_err().to_string();
            let line = error.lines().find(|it| it.starts_with("Usage: "));
            let usage = format!("Usage: secure-score-exporter {usage}");
            assert_eq!(line, Some(&*usage), "{error}");
        }
    }

    #[test]
    fn a_flag_without_effect_is_refused() {
        for arguments in [
            ["--web.telemetry-path=/m", "simulate"],
            ["--web.disable-api", "check"],
            ["--config.check", "check"],
            ["demo", "--config.file=a.yml"],
            ["healthcheck", "--web.systemd-socket"],
        ] {
            let error = parse(&arguments).unwrap_err();
            assert!(error.to_string().contains("has no effect on"), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    /// The entry point of an image sets the address for every command.
    #[test]
    fn an_address_is_accepted_by_commands_that_do_not_serve() {
        for command in ["check", "collect", "simulate", "man"] {
            let cli = parse(&["--web.listen-address=:10365", command]).unwrap();
            assert_eq!(cli.command.unwrap().name(), command);
        }
    }

    #[test]
    fn the_help_lists_config_file_only_for_commands_that_read_it() {
        for (command, listed) in [("demo", false), ("simulate", false), ("check", true)] {
            let help = parse(&[command, "--help"]).unwrap_err().to_string();
            assert_eq!(help.contains("--config.file"), listed, "{help}");
        }
    }

    /// The command lines of the examples in a help text, without redirection.
    fn examples(help: &str) -> Vec<String> {
        let joined = help.replace("\\\n", " ");
        let lines = joined.lines().map(str::trim);
        let examples = lines.filter(|it| {
            let mut words = it.split(' ');
            words.next() == Some("secure-score-exporter")
        });
        let commands = examples.filter_map(|it| it.split(" > ").next());
        commands.map(str::to_owned).collect()
    }

    #[test]
    fn every_help_has_examples_that_parse() {
        let mut command = Cli::command();
        command.build();
        let root = command.render_long_help().to_string();
        let commands = command.get_subcommands_mut();
        let helps =
            commands.map(|it| (it.get_name().to_owned(), it.render_long_help().to_string()));
        for (name, help) in helps.chain([(String::new(), root)]) {
            // The help wraps longer lines, which then cannot be copied.
            let is_too_long =
                |line: &&str| line.starts_with("  secure-score-exporter ") && line.len() > 80;
            assert_eq!(help.lines().find(is_too_long), None);
            let examples = examples(&help);
            assert!(!examples.is_empty(), "{name}:\n{help}");
            for example in examples {
                let parsed = Cli::try_read_from(example.split_whitespace());
                let parsed = parsed.unwrap_or_else(|error| panic!("{example}: {error}"));
                let of_command = parsed.command.as_ref().map_or("", Command::name);
                assert_eq!(of_command, name, "{example}");
            }
        }
    }

    #[test]
    fn the_help_of_commands_that_do_not_log_has_no_flags_of_the_log() {
        for (command, listed) in [("completions", false), ("man", false), ("check", true)] {
            let help = parse(&[command, "--help"]).unwrap_err().to_string();
            assert_eq!(help.contains("--log."), listed, "{help}");
        }
        assert!(parse(&["--log.level=debug", "man"]).is_ok());
    }

    #[test]
    fn a_duplicate_address_is_refused() {
        let twice = ["--web.listen-address=:1", "--web.listen-address=:1"];
        let error = parse(&twice).unwrap_err().to_string();
        assert!(error.contains("--web.listen-address=:1 is given twice"));
        assert!(parse(&["--web.listen-address=:1", "--web.listen-address=:2"]).is_ok());
        assert!(parse(&["--web.listen-address=:0", "--web.listen-address=:0"]).is_ok());
    }

    #[test]
    fn an_invalid_value_is_reported_with_its_flag_and_a_fix() {
        let error = parse(&["--web.listen-address=127.0.0.1"]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("--web.listen-address"), "{text}");
        assert!(text.contains("127.0.0.1:10365"), "{text}");
    }

    /// Of each flag with a value of some form, in every command: the error for a bad value
    /// names the flag, the value and what is allowed, and has an example or all values.
    #[test]
    fn every_invalid_value_is_reported_with_what_is_allowed_and_an_example() {
        let mut root = Cli::command();
        root.build();
        let commands = root.get_subcommands().cloned().collect::<Vec<_>>();
        let mut refused = BTreeSet::new();
        for command in commands.iter().chain([&root]) {
            let name = Some(command.get_name()).filter(|it| *it != root.get_name());
            let arguments = command.get_arguments();
            let with_values = arguments.filter(|it| it.get_action().takes_values());
            for flag in with_values.filter_map(Arg::get_long) {
                for bad in ["0", "-5", "-5m", "2d", "a b?", "9999999999999999999999"] {
                    let value = format!("--{flag}={bad}");
                    let error = parse(&name.into_iter().chain([&*value]).collect::<Vec<_>>());
                    let Err(error) = error else { continue };
                    if !matches!(
                        error.kind(),
                        ErrorKind::ValueValidation | ErrorKind::InvalidValue
                    ) {
                        continue;
                    }
                    let text = error.to_string();
                    for part in [
                        &format!("'{bad}' for '--{flag}"),
                        "such as |values: |use one of |; use global",
                    ] {
                        let mut parts = part.split('|');
                        assert!(parts.any(|it| text.contains(it)), "{value}: {text}");
                    }
                    refused.insert(flag.to_owned());
                }
            }
        }
        assert!(refused.len() > 30, "{refused:?}");
    }

    #[test]
    fn a_negative_value_may_follow_its_flag() {
        for (arguments, allowed) in [
            (["backfill", "--step", "-5m"], "from 10s to 1d, such as 5m"),
            (["backfill", "--days", "-5"], "from 1 to 180, such as 90"),
        ] {
            let error = parse(&arguments).unwrap_err().to_string();
            assert!(error.contains(allowed), "{error}");
        }
    }

    #[test]
    fn the_prefix_defaults_to_the_path_of_the_external_url() {
        let url = "--web.external-url=https://example.org/score/";
        assert_eq!(parse(&[url]).unwrap().web.route_prefix(), "/score");
        let both = parse(&[url, "--web.route-prefix=/"]).unwrap();
        assert_eq!(both.web.route_prefix(), "");
    }

    #[test]
    fn config_file_may_follow_the_command() {
        let cli = parse(&["check", "--config.file=a.yml", "--tenant=a", "--tenant=b"]).unwrap();
        assert_eq!(cli.config.file, Some(PathBuf::from("a.yml")));
        let Some(Command::Check(check)) = cli.command else {
            panic!("not check");
        };
        assert_eq!(check.tenants, ["a", "b"]);
    }
}
