//! Whether a response shows persons, and if not, why not.

use secure_score_model::Persons;

/// Whether a response names who accepted a risk, and with which comment.
#[derive(Debug, Clone)]
pub enum PersonDetail {
    /// As far as the configuration allows.
    Shown(Persons),
    /// Not at all.
    Redacted(Redaction),
}

/// Why persons are not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redaction {
    /// The network can read the pages without authentication.
    Unprotected,
    /// The configuration hides them.
    Configured,
    /// `--web.external-url` says that clients use another address.
    Published,
    /// The request came through a proxy, or for a host that is not this machine.
    Forwarded,
}

impl PersonDetail {
    /// How persons appear.
    pub fn persons(&self) -> &Persons {
        match self {
            Self::Shown(persons) => persons,
            Self::Redacted(_) => &Persons::Hidden,
        }
    }

    /// Why something is hidden and how to see it; nothing where all is shown.
    /// Flags and keys stand between backticks.
    pub const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Shown(Persons::Plain) => return None,
            Self::Shown(_) => {
                "Persons are shown under pseudonyms, the same in every tenant, and comments are hidden: set `privacy.events: full` to see both"
            }
            Self::Redacted(Redaction::Unprotected) => {
                "Persons and comments are hidden because the network can read this without authentication: require authentication with `--web.config.file`, or let `--web.listen-address` name only loopback addresses"
            }
            Self::Redacted(Redaction::Published) => {
                "Persons and comments are hidden because `--web.external-url` says that clients use another address: require authentication with `--web.config.file` to see them"
            }
            Self::Redacted(Redaction::Forwarded) => {
                "Persons and comments are hidden because this request came through a proxy or for a host name that is not this machine's: ask on the machine itself, at `http://localhost` with the exporter's port, to see them"
            }
            Self::Redacted(Redaction::Configured) => {
                "Persons and comments are hidden by the configuration: set `privacy.events: full` to see them"
            }
        })
    }
}
