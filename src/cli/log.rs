//! The flags of the log.

use clap::{Args, ValueEnum};

/// The log.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogFlags {
    /// The lowest severity that is logged
    #[arg(long = "log.level", value_enum, default_value_t, global = true)]
    pub level: LogLevel,

    /// The format of log lines
    #[arg(long = "log.format", value_enum, default_value_t, global = true)]
    pub format: LogFormat,
}

/// The severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum LogLevel {
    /// Action required.
    Error,
    /// Action may soon be required.
    Warn,
    /// Normal events.
    #[default]
    Info,
    /// Details of requests and decisions.
    Debug,
    /// Every step.
    Trace,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum LogFormat {
    /// `key=value`, as Prometheus logs.
    #[default]
    Logfmt,
    /// One JSON object per line.
    Json,
}
