//! The log line of an event.

use super::Event;
use super::event::rfc3339;
use secure_score_model::{ControlState, EventKind, Persons};

/// Most characters of a comment in a log line: a reason, not an essay. The
/// webhook gets all of it.
const LONGEST_COMMENT: usize = 256;

/// Most characters of any other text of Graph's.
const LONGEST_TEXT: usize = 128;

/// Writes one line. What is not known, or not to be shown, is left out of it.
///
/// What has to do with an accepted risk, or with a history that changed behind
/// us, is a warning, so that it is seen at any sensible level.
pub(super) fn log(event: &Event, persons: &Persons) {
    let control = line(&event.control, LONGEST_TEXT);
    let title = line(&event.title, LONGEST_TEXT);
    let by = persons.name(event.by.as_deref());
    let by = by.map(|by| line(&by, LONGEST_TEXT));
    let comment = persons.comment(event.comment.as_deref());
    let comment = comment.map(|comment| line(comment, LONGEST_COMMENT));
    let at = event.at.map(rfc3339);
    // The level of a line is fixed where it is written.
    macro_rules! write_line {
        ($level:ident) => {
            tracing::$level!(
                event = event.kind.as_str(),
                tenant = &*event.tenant,
                control,
                title,
                from = event.from.map(ControlState::as_str),
                to = event.to.map(ControlState::as_str),
                by,
                at,
                comment,
                approved = event.approved,
                reference = event.reference.as_deref(),
                lost = event.lost,
                "{}",
                sentence(event.kind)
            )
        };
    }
    if event.is_grave() {
        write_line!(warn);
    } else {
        write_line!(info);
    }
}

const fn sentence(kind: EventKind) -> &'static str {
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
    }
}

/// A text on one line without control characters, at most so many characters.
///
/// Texts are cleaned where Graph is read; a log that a terminal obeys, or that
/// holds lines somebody else wrote, is too bad a thing to rely on that alone.
fn line(text: &str, most: usize) -> String {
    let clean = |c: char| {
        if c.is_control() || breaks_line(c) {
            ' '
        } else {
            c
        }
    };
    let mut characters = text.chars().filter(|c| !turns_writing(*c)).map(clean);
    let mut line: String = characters.by_ref().take(most).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

fn breaks_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Characters with which a name can be made to read as another.
fn turns_writing(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_text_ends_at_a_character_and_says_so() {
        assert_eq!(line("äöü", 3), "äöü");
        assert_eq!(line("äöüß", 3), "äöü…");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_line_or_exceeds_it(text in any::<String>(), most in 0_usize..300) {
            let line = line(&text, most);
            prop_assert!(line.chars().count() <= most + 1);
            prop_assert!(!line.contains(|c: char| c.is_control() || breaks_line(c) || turns_writing(c)));
        }
    }
}
