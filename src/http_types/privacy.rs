//! Which clients see persons, and why others do not.

use secure_score_model::Persons;

/// Who accepted a risk, and with which comment, on pages and in the API.
#[derive(Debug, Clone)]
pub struct PersonPolicy {
    /// How persons appear.
    pub persons: Persons,
    /// Whether clients that did not authenticate see them too.
    pub without_authentication: bool,
}

impl PersonPolicy {
    /// What one client sees.
    ///
    /// Only authentication counts. Neither address nor headers show where a
    /// request began: behind a proxy on this machine every client of the
    /// network looks like a local one.
    pub fn of_client(&self, is_authenticated: bool) -> PersonDetail {
        match &self.persons {
            Persons::Hidden => PersonDetail::Redacted(Redaction::Configured),
            persons if is_authenticated || self.without_authentication => {
                PersonDetail::Shown(persons.clone())
            }
            _ => PersonDetail::Redacted(Redaction::Unauthenticated),
        }
    }
}

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
    /// The client did not authenticate.
    Unauthenticated,
    /// The configuration hides them.
    Configured,
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
            Self::Redacted(Redaction::Unauthenticated) => {
                "Persons and comments are hidden because this client did not authenticate: configure `basic_auth_users`, or a `client_ca_file` that verifies client certificates, with `--web.config.file`; or set `privacy.pages: show` to show them to every client"
            }
            Self::Redacted(Redaction::Configured) => {
                "Persons and comments are hidden by the configuration: set `privacy.events: full` to see them"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(persons: Persons, without_authentication: bool, is_authenticated: bool) -> bool {
        let policy = PersonPolicy {
            persons,
            without_authentication,
        };
        matches!(policy.of_client(is_authenticated), PersonDetail::Shown(_))
    }

    #[test]
    fn persons_take_authentication_or_the_switch() {
        assert!(shown(Persons::Plain, false, true));
        assert!(shown(Persons::Plain, true, false));
        assert!(!shown(Persons::Plain, false, false));
        assert!(!shown(Persons::Hidden, true, true));
    }
}
