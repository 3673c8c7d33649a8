//! Why a command failed.

use crate::cli::ShardError;
use crate::diagnostics;
use crate::http::ListenError;
use crate::http_client::{ExporterError, SetupError};
use crate::store::state_directory::DirectoryError;
use std::process::ExitCode;
use strict_yaml::ConfigErrors;

/// The exit status of a wrong flag, which is clap's.
const USAGE: u8 = 2;

/// The exit status of a command that did a part of its work.
const PARTLY: u8 = 3;

/// What shells add to the number of the signal that ended a program.
const SIGNALLED: u8 = 128;

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// The configuration is invalid; nothing was started.
    Config(ConfigErrors),
    /// A flag is missing or invalid, or flags exclude each other.
    Usage {
        /// The error with its causes.
        error: anyhow::Error,
        /// The fix, if there is one.
        hint: Option<String>,
    },
    /// Any other error.
    Other {
        /// The error with its causes.
        error: anyhow::Error,
        /// The fix, if there is one.
        hint: Option<String>,
    },
    /// The command ran and printed a result that a script must treat as a
    /// failure.
    Found,
    /// The command did a part of its work and printed which part it did not.
    Partly,
    /// The signal of this name ended the command, which left nothing unfinished.
    Interrupted(&'static str),
}

impl Failure {
    /// An error with the fix.
    pub(super) fn with_hint(error: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self::Other {
            error: error.into(),
            hint: Some(hint.into()),
        }
    }

    /// An error of the command line with the fix.
    pub(super) fn of_flags(error: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self::Usage {
            error: error.into(),
            hint: Some(hint.into()),
        }
    }

    /// Prints the error, unless the command has printed it.
    pub(super) fn print(&self) {
        match self {
            Self::Config(errors) => diagnostics::config_errors(errors),
            Self::Usage { error, hint } | Self::Other { error, hint } => {
                diagnostics::error(error.as_ref(), hint.as_deref())
            }
            Self::Interrupted(signal) => diagnostics::note(&format!(
                "ended by {signal}; the unfinished file is removed"
            )),
            Self::Found | Self::Partly => {}
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage { .. } => ExitCode::from(USAGE),
            Self::Partly => ExitCode::from(PARTLY),
            Self::Interrupted("SIGINT") => ExitCode::from(SIGNALLED + 2),
            Self::Interrupted(_) => ExitCode::from(SIGNALLED + 15),
            _ => ExitCode::FAILURE,
        }
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Config(errors)
    }
}

impl From<ShardError> for Failure {
    fn from(error: ShardError) -> Self {
        Self::Usage {
            error: error.into(),
            hint: None,
        }
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        let hint = error.hint();
        Self::with_hint(error, hint)
    }
}

impl From<ExporterError> for Failure {
    fn from(error: ExporterError) -> Self {
        let hint = error.hint();
        Self::with_hint(error, hint)
    }
}

impl From<ListenError> for Failure {
    fn from(error: ListenError) -> Self {
        Self::Other {
            hint: error.hint().map(str::to_owned),
            error: error.into(),
        }
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        let hint = error.hint();
        Self::with_hint(error, hint)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other { error, hint: None }
    }
}
