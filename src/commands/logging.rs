//! The log, on standard error.

use crate::cli::{LogFlags, LogFormat, LogLevel};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// The crates whose lines follow `--log.level`, as they appear in the targets
/// of log lines.
const OWN_CRATES: [&str; 2] = ["secure_score_exporter", "graph_simulator"];

/// Starts logging: our lines at the wanted level, those of libraries only when
/// they warn. Libraries log requests and headers below that, and those carry
/// tokens.
pub(super) fn start(flags: &LogFlags) {
    let level = match flags.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(OWN_CRATES.map(|name| (name, level)));
    let registry = tracing_subscriber::registry().with(targets);
    // A second start, as tests do, keeps the first.
    let _already_started = match flags.format {
        LogFormat::Logfmt => registry
            .with(
                tracing_logfmt::builder()
                    .with_target(false)
                    .layer()
                    .with_writer(std::io::stderr),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_target(false)
                    .with_writer(std::io::stderr),
            )
            .try_init(),
    };
    std::panic::set_hook(Box::new(tell_of_panic));
}

/// A fault of ours is a line of the log like any other, and readable to whoever
/// reads the others.
fn tell_of_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let message = panic.payload_as_str().unwrap_or("no message");
    // Only where RUST_BACKTRACE asks for it.
    let trace = Backtrace::capture();
    let backtrace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    tracing::error!(location, backtrace, "a fault of the exporter: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::process::Command;

    const ITSELF: &str = "commands::logging::tests::a_panic_is_a_line_of_the_log";
    const INNER: &str = "SECURE_SCORE_TEST_PANICS";

    /// The hook is the whole process's, so the panic is in another one.
    #[test]
    fn a_panic_is_a_line_of_the_log() {
        if std::env::var_os(INNER).is_some() {
            start(&LogFlags {
                level: LogLevel::Info,
                format: LogFormat::Json,
            });
            panic!("of \"all\" things\nand more");
        }
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", ITSELF, "--nocapture"])
            .env(INNER, "1")
            .env_remove("RUST_BACKTRACE")
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<Value> = told
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{told}")))
            .collect();
        let [line] = lines.as_slice() else {
            panic!("{told}");
        };
        assert_eq!(line["level"], "ERROR");
        assert_eq!(
            line["message"],
            "a fault of the exporter: of \"all\" things\nand more"
        );
        let location = line["location"].as_str().unwrap();
        assert!(
            location.starts_with("src/commands/logging.rs:"),
            "{location}"
        );
    }
}
