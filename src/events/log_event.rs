//! The log line of an event.

use super::event::{EventState, ShownEvent};
use crate::serde_time::Rfc3339;
use crate::text::{single_line, truncate};
use secure_score_model::{EventKind, Place};

/// Characters of a comment in a log line. The webhook gets the whole comment.
const MAX_COMMENT: usize = 256;

/// Characters of any other text from Graph.
const MAX_TEXT: usize = 128;

/// Writes one line of an event as shown, without the fields that are unknown.
///
/// An event about an accepted risk or a changed history is a warning, so that
/// no usual log level hides it.
pub(super) fn log_event(event: &ShownEvent) {
    let control = clean_line(&event.control, MAX_TEXT);
    let recommendation = event.recommendation.as_deref();
    let recommendation = recommendation.map(|it| clean_line(it, MAX_TEXT));
    let title = clean_line(&event.title, MAX_TEXT);
    let by = event.by.as_deref().map(|by| clean_line(by, MAX_TEXT));
    let comment = event.comment.as_deref();
    let comment = comment.map(|comment| clean_line(comment, MAX_COMMENT));
    // The macros of `tracing` fix the level of a line at compile time.
    macro_rules! write_line {
        ($level:ident) => {
            tracing::$level!(
                event = event.kind.as_str(),
                tenant = &*event.tenant,
                control,
                recommendation,
                title,
                from = event.from.map(EventState::as_str),
                to = event.to.map(EventState::as_str),
                by,
                at = event.at.map(|at| Rfc3339(at).to_string()),
                comment,
                approved = event.approved,
                reference = event.reference.as_deref(),
                lost = event.lost,
                postponed_until = event.postponed_until.map(|at| Rfc3339(at).to_string()),
                "{}",
                message(event)
            )
        };
    }
    if event.kind != EventKind::StateChanged || event.concerns_acceptance() {
        write_line!(warn);
    } else {
        write_line!(info);
    }
}

fn message(event: &ShownEvent) -> &'static str {
    match event.kind {
        EventKind::StateChanged if event.place == Place::Entra => {
            "the status of a recommendation of Entra changed"
        }
        EventKind::AcceptedControlLeft if event.place == Place::Entra => {
            "a recommendation that is set aside is no longer in Entra's list"
        }
        kind => kind_message(kind),
    }
}

/// What an event of a control or of a customer says in the log.
pub(super) const fn kind_message(kind: EventKind) -> &'static str {
    match kind {
        EventKind::StateChanged => "the state of a control changed",
        EventKind::HistoryShortened => "the history of a control lost changes it listed before",
        EventKind::AcceptedControlLeft => {
            "a control whose risk is accepted is no longer in the catalogue"
        }
        EventKind::AcceptedControlDeprecated => {
            "Microsoft withdrew a control whose risk is accepted"
        }
        EventKind::AcceptanceWithoutComment => "a risk was accepted without a reason",
        EventKind::TenantDiscovered => "a customer of the partner is watched as a new tenant",
        EventKind::TenantLeft => "a watched tenant is no longer in the partner's list of customers",
    }
}

/// A text on one line without control characters, truncated to `max`
/// characters.
///
/// The decoding of Graph's answers cleans texts too. A log with terminal
/// escapes or forged lines is dangerous enough for a second check.
fn clean_line(text: &str, max: usize) -> String {
    truncate(&single_line(text), max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_breaks_the_line_or_exceeds_it(text in any::<String>(), max in 0_usize..300) {
            let line = clean_line(&text, max);
            prop_assert!(line.chars().count() <= max + 1);
            let breaks = |c: char| c.is_control() || ['\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}'].contains(&c);
            prop_assert!(!line.contains(breaks));
        }
    }
}
