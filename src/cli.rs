//! Flags and sub-commands as typed. Nothing is opened here.
//!
//! The dotted names are those of the Prometheus family, so that a unit file or
//! a chart written for another exporter needs few changes. Flags are not read
//! from the environment, as nowhere in that family.

mod address;
mod backfill;
mod collect;
mod command;
#[cfg(feature = "demo")]
mod demo;
mod healthcheck;
mod route;
mod shard;
mod web;

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::error::ErrorKind;
use clap::{Arg, Args, CommandFactory, Parser, ValueEnum};

pub use address::ListenAddress;
pub use backfill::{Backfill, Label, Output, ServerUrl};
pub use collect::{Collect, CollectFormat, ColorChoice};
pub use command::Command;
#[cfg(feature = "demo")]
pub use demo::{DEFAULT_SEED, Demo, Simulate, SimulationFlags};
pub use healthcheck::Healthcheck;
pub use route::{ExternalUrl, RoutePath};
pub use shard::{ShardError, ShardFlags};
pub use web::WebFlags;

/// The revision the binary was built from, where the build says so.
const REVISION: &str = match option_env!("SECURE_SCORE_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// What `--version` prints after the name, in the manner of the Prometheus family.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "version {} (revision {REVISION})",
        env!("CARGO_PKG_VERSION")
    )
});

/// Prometheus exporter for Microsoft Secure Score.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "secure-score-exporter",
    display_name = "secure-score-exporter,",
    version = VERSION.as_str(),
    disable_version_flag = true,
    disable_help_subcommand = true,
    about
)]
pub struct Cli {
    /// Print the version and exit.
    #[arg(long, action = clap::ArgAction::Version)]
    version: Option<bool>,

    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigFlags,

    /// What is logged and how.
    #[command(flatten)]
    pub log: LogFlags,

    /// Where the exporter serves, for `serve`.
    #[command(flatten)]
    pub web: WebFlags,

    /// Which tenants are this exporter's.
    #[command(flatten)]
    pub shard: ShardFlags,

    /// Keep what was learnt in this directory, so that a restart serves at once and asks nothing twice
    #[arg(long = "state.dir", value_name = "DIR", help_heading = "State")]
    pub state_dir: Option<PathBuf>,

    /// None is to serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// Reads the command line; on a bad one prints why and exits with 2.
    pub fn read() -> Self {
        Self::try_read_from(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Reads these arguments, the program's name first.
    ///
    /// `--version` and `--help` come back as errors that print to stdout and
    /// exit with 0, which is how clap does it.
    pub fn try_read_from<I, T>(arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        Self::try_parse_from(arguments)?.settled()
    }

    /// The rules that concern more than one flag.
    fn settled(mut self) -> Result<Self, clap::Error> {
        let own = match &mut self.command {
            #[cfg(feature = "demo")]
            Some(Command::Demo(demo)) => Some(&mut demo.web),
            Some(Command::Healthcheck(healthcheck)) => Some(&mut healthcheck.web),
            _ => None,
        };
        let web = match own {
            Some(own) => {
                own.fill_from(std::mem::take(&mut self.web));
                own
            }
            None => &mut self.web,
        };
        if let Some(address) = web.duplicate() {
            let text = format!("--web.listen-address={address} is given twice; keep one\n");
            return Err(Self::command().error(ErrorKind::ArgumentConflict, text));
        }
        if let Some(Command::Collect(collect)) = &self.command
            && let Some(text) = collect.contradiction()
        {
            return Err(Self::command().error(ErrorKind::ArgumentConflict, format!("{text}\n")));
        }
        if let Some(Command::Backfill(backfill)) = &self.command
            && let Some(text) = backfill.contradiction()
        {
            return Err(Self::command().error(ErrorKind::ArgumentConflict, format!("{text}\n")));
        }
        match self.without_effect() {
            Some(text) => Err(Self::command().error(ErrorKind::ArgumentConflict, text)),
            None => Ok(self),
        }
    }

    /// A flag that the sub-command would ignore: better refused than believed.
    fn without_effect(&self) -> Option<String> {
        let command = self.command.as_ref()?;
        let uses_config = match command {
            Command::Check(_) | Command::Collect(_) => true,
            Command::Backfill(backfill) => !backfill.is_demo(),
            _ => false,
        };
        let reloads_nothing = match command {
            #[cfg(feature = "demo")]
            Command::Demo(demo) => demo.web.enable_lifecycle,
            _ => false,
        };
        let is_handed_nothing = match command {
            #[cfg(feature = "demo")]
            Command::Demo(demo) => demo.web.systemd_socket,
            Command::Healthcheck(healthcheck) => healthcheck.web.systemd_socket,
            _ => false,
        };
        let flag = if reloads_nothing {
            "--web.enable-lifecycle"
        } else if is_handed_nothing {
            "--web.systemd-socket"
        } else if !self.web.says_only_where() {
            "--web.*"
        } else if !self.shard.is_empty() {
            "--shard"
        } else if self.state_dir.is_some() {
            "--state.dir"
        } else if self.config.auto_reload {
            "--config.enable-auto-reload"
        } else if self.config.check {
            "--config.check"
        } else if self.config.file.is_some() && !uses_config {
            "--config.file"
        } else {
            return None;
        };
        let name = command.name();
        Some(format!("{flag} has no effect on `{name}`; remove it\n"))
    }
}

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigFlags {
    /// The configuration file [default: secure-score.yml, or the environment where there is none]
    #[arg(long = "config.file", value_name = "FILE", global = true)]
    pub file: Option<PathBuf>,

    /// Check the configuration and exit without starting anything
    #[arg(long = "config.check")]
    pub check: bool,

    /// Go by the configuration file whenever it changes; files it names are looked at anyway
    #[arg(long = "config.enable-auto-reload")]
    pub auto_reload: bool,
}

/// Stands for the global `--config.file` where nothing reads one: not in the
/// help, yet understood, so that the refusal can say why.
fn unused_config_file() -> Arg {
    Arg::new("file")
        .long("config.file")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .global(true)
        .hide(true)
}

/// What is logged and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogFlags {
    /// Log what is at least this severe
    #[arg(long = "log.level", value_enum, default_value_t, global = true)]
    pub level: LogLevel,

    /// The form of a log line
    #[arg(long = "log.format", value_enum, default_value_t, global = true)]
    pub format: LogFormat,
}

/// How severe a log line must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum LogLevel {
    /// What needs somebody.
    Error,
    /// What may soon need somebody.
    Warn,
    /// What happened.
    #[default]
    Info,
    /// Why it happened.
    Debug,
    /// Every step.
    Trace,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum LogFormat {
    /// `key=value`, as Prometheus logs.
    #[default]
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// Flags of `check`.
#[derive(Debug, Clone, Args)]
pub struct Check {
    /// Check only this tenant of the configuration; may be given several times
    #[arg(long = "tenant", value_name = "NAME")]
    pub tenants: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_read_from(["secure-score-exporter"].iter().chain(arguments))
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_arguments_it_serves_on_this_machine_only() {
        let cli = read(&[]).unwrap();
        assert!(cli.command.is_none() && cli.config.file.is_none());
        let listen = cli.web.listen_addresses();
        assert_eq!(listen.len(), 1);
        assert!(listen[0].is_loopback());
        assert_eq!(cli.web.telemetry_path(), "/metrics");
        assert_eq!(cli.web.route_prefix(), "");
    }

    #[test]
    fn the_version_names_program_and_revision() {
        let error = read(&["--version"]).unwrap_err();
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
    fn web_flags_of_the_demo_stand_before_or_after_the_word() {
        for arguments in [
            ["--web.listen-address=:1", "demo"],
            ["demo", "--web.listen-address=:1"],
        ] {
            let Some(Command::Demo(demo)) = read(&arguments).unwrap().command else {
                panic!("{arguments:?}");
            };
            assert_eq!(demo.web.listen_addresses()[0].to_string(), ":1");
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
            let error = read(&arguments).unwrap_err();
            assert!(error.to_string().contains("has no effect on"), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    /// An image's entry point says where to listen, whatever follows.
    #[test]
    fn an_address_before_a_command_that_serves_nothing_is_let_pass() {
        for word in ["check", "collect", "simulate", "man"] {
            let cli = read(&["--web.listen-address=:10365", word]).unwrap();
            assert_eq!(cli.command.unwrap().name(), word);
        }
    }

    #[test]
    fn the_help_lists_the_configuration_only_where_it_is_read() {
        for (word, listed) in [("demo", false), ("simulate", false), ("check", true)] {
            let help = read(&[word, "--help"]).unwrap_err().to_string();
            assert_eq!(help.contains("--config.file"), listed, "{help}");
        }
    }

    #[test]
    fn the_same_address_twice_is_named() {
        let twice = ["--web.listen-address=:1", "--web.listen-address=:1"];
        let error = read(&twice).unwrap_err().to_string();
        assert!(error.contains("--web.listen-address=:1 is given twice"));
        assert!(read(&["--web.listen-address=:1", "--web.listen-address=:2"]).is_ok());
        assert!(read(&["--web.listen-address=:0", "--web.listen-address=:0"]).is_ok());
    }

    #[test]
    fn a_bad_value_names_its_flag_and_the_remedy() {
        let error = read(&["--web.listen-address=localhost:80"]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("--web.listen-address"), "{text}");
        assert!(text.contains("127.0.0.1:10365"), "{text}");
    }

    #[test]
    fn the_prefix_follows_the_external_url_unless_it_is_given() {
        let url = "--web.external-url=https://example.org/score/";
        assert_eq!(read(&[url]).unwrap().web.route_prefix(), "/score");
        let both = read(&[url, "--web.route-prefix=/"]).unwrap();
        assert_eq!(both.web.route_prefix(), "");
    }

    #[test]
    fn the_configuration_may_be_named_after_the_word() {
        let cli = read(&["check", "--config.file=a.yml", "--tenant=a", "--tenant=b"]).unwrap();
        assert_eq!(cli.config.file, Some(PathBuf::from("a.yml")));
        let Some(Command::Check(check)) = cli.command else {
            panic!("not check");
        };
        assert_eq!(check.tenants, ["a", "b"]);
    }
}
