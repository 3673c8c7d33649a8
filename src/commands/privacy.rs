//! Which personal data labels, events and pages show.

use crate::config::{AcceptedBy, Config, EventDetail, PageAudience, Secret, SeriesChoice};
use crate::http_types::PersonPolicy;
use aws_lc_rs::hmac;
use secure_score_exposition::{Policy, SeriesSet};
use secure_score_model::{Naming, Persons};
use std::sync::Arc;

/// Hex digits of a pseudonym: 64 bits distinguish thousands of administrators.
const PSEUDONYM_DIGITS: usize = 16;

/// Which series there are, and the personal data in labels, as configured.
pub(super) fn label_policy(config: &Config) -> Policy {
    Policy {
        series: match config.series {
            SeriesChoice::Full => SeriesSet::Full,
            SeriesChoice::Controls => SeriesSet::Controls,
            SeriesChoice::Acceptances => SeriesSet::Acceptances,
        },
        lookback: config.lookback,
        accepted_by: match config.labels.accepted_by {
            AcceptedBy::Off => None,
            AcceptedBy::Plain => Some(Arc::new(str::to_owned)),
            AcceptedBy::Hash => config.salt.as_ref().map(pseudonyms),
        },
        comment: config.labels.comment,
    }
}

/// Pseudonyms that are the same in every tenant and after a restart:
/// HMAC-SHA-256 with the configured salt as key. An unkeyed hash could be
/// reversed with a list of likely names.
pub(super) fn pseudonyms(salt: &Secret) -> Naming {
    let key = hmac::Key::new(hmac::HMAC_SHA256, salt.expose().as_bytes());
    Arc::new(move |person| {
        let folded = person.to_lowercase();
        let tag = hmac::sign(&key, folded.as_bytes());
        let mut digits: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        digits.truncate(PSEUDONYM_DIGITS);
        digits
    })
}

/// The personal data in events, API and `collect`, as configured.
pub(super) fn in_events(config: &Config) -> Persons {
    match config.privacy.events {
        EventDetail::Full => Persons::Plain,
        EventDetail::Hash => config.salt.as_ref().map_or(Persons::Hidden, |salt| {
            Persons::Pseudonyms(pseudonyms(salt))
        }),
        EventDetail::Off => Persons::Hidden,
    }
}

/// The personal data on pages and in the API, as configured.
pub(super) fn on_pages(config: &Config) -> PersonPolicy {
    PersonPolicy {
        persons: in_events(config),
        without_authentication: config.privacy.pages == PageAudience::Everyone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(salt: &str, person: &str) -> String {
        pseudonyms(&Secret::new(salt.to_owned()))(person)
    }

    #[test]
    fn a_pseudonym_does_not_depend_on_case() {
        let a = named("a salt of enough bytes", "Alex@contoso.example");
        assert_eq!(a, named("a salt of enough bytes", "alex@contoso.example"));
        assert_eq!(a.len(), PSEUDONYM_DIGITS);
        assert!(!a.contains("lex"));
    }

    #[test]
    fn another_salt_gives_another_pseudonym() {
        assert_ne!(named("salt one", "alex"), named("salt two", "alex"));
    }
}
