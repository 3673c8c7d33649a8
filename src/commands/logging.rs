//! The log, on standard error.

use crate::cli::{LogFlags, LogFormat, LogLevel};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

/// The crates whose lines follow `--log.level`, as they appear in the targets
/// of log lines.
const OWN_CRATES: [&str; 3] = ["secure_score_exporter", "graph_simulator", "alert_inbox"];

/// Back to the first column, and erase the line (ECMA-48).
const CLEAR_LINE: &[u8] = b"\r\x1b[2K";

/// Starts logging: the exporter's own lines at the configured level, those of
/// libraries at `warn`. Below `warn` libraries log requests with headers, which
/// contain tokens.
///
/// `redraws` if the command replaces the last line of the terminal: a line of the log
/// takes its place.
pub(super) fn start(flags: &LogFlags, redraws: bool) {
    let writer = LogWriter {
        clears_line: redraws,
    };
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
    // Tests start logging repeatedly; the first call wins.
    let _already_started = match flags.format {
        LogFormat::Logfmt => registry
            .with(
                tracing_logfmt::builder()
                    .with_target(false)
                    .layer()
                    .with_writer(writer),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_target(false)
                    .with_writer(writer),
            )
            .try_init(),
    };
    std::panic::set_hook(Box::new(log_panic));
}

/// Writes lines to standard error.
#[derive(Debug, Clone, Copy)]
struct LogWriter {
    /// Whether a line of a progress bar may be there.
    clears_line: bool,
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for LogWriter {
    /// Writes a whole line: the subscriber writes each at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut stderr = std::io::stderr().lock();
        if self.clears_line {
            stderr.write_all(CLEAR_LINE)?;
        }
        stderr.write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        std::io::stderr().flush()
    }
}

/// Logs a panic in the format of every other line.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let message = panic.payload_as_str().unwrap_or("no message");
    // Captured only if RUST_BACKTRACE is set.
    let trace = Backtrace::capture();
    let backtrace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    tracing::error!(location, backtrace, "internal error: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::process::Command;

    const ITSELF: &str = "commands::logging::tests::a_panic_is_a_line_of_the_log";
    const INNER: &str = "SECURE_SCORE_TEST_PANICS";

    /// A panic hook is process-wide, so the test panics in a child process.
    #[test]
    fn a_panic_is_a_line_of_the_log() {
        if std::env::var_os(INNER).is_some() {
            let flags = LogFlags {
                level: LogLevel::Info,
                format: LogFormat::Json,
            };
            start(&flags, false);
            panic!("of \"all\" things\nand more");
        }
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", ITSELF, "--nocapture"])
            .env(INNER, "1")
            .env_remove("RUST_BACKTRACE")
            .output()
            .unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{log}")))
            .collect();
        let [line] = lines.as_slice() else {
            panic!("{log}");
        };
        assert_eq!(line["level"], "ERROR");
        assert_eq!(
            line["message"],
            "internal error: of \"all\" things\nand more"
        );
        let location = line["location"].as_str().unwrap();
        assert!(
            location.starts_with("src/commands/logging.rs:"),
            "{location}"
        );
    }
}
