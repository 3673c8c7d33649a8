//! The log, on standard error.

use crate::cli::{LogFlags, LogFormat, LogLevel};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Our own crate, as it appears in the targets of log lines.
const OURS: &str = "secure_score_exporter";

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
        .with_target(OURS, level);
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
}
