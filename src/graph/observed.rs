//! What is odd in an answer, counted while it is read.

use super::loose::{Number, Text};
use super::text;
use secure_score_model::{Anomalies, Category, Points, SkippedField, Timestamp, UnknownField};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The longest id that fits a label whole. Real ones have at most 70 bytes; a
/// longer one would have to be cut, and two cut ids could become one series.
const LONGEST_ID: usize = 128;

/// How much of a strange word is worth a line in the log.
const LONGEST_WORD_LOGGED: usize = 60;

/// A word outside the set we know, as Graph wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownWord {
    /// Where it stood.
    pub field: UnknownField,
    /// The word itself, cut short and free of control characters.
    pub word: String,
}

/// Counts what is odd while an answer is read.
#[derive(Default)]
pub(super) struct Observed {
    pub(super) anomalies: Anomalies,
    pub(super) words: BTreeSet<UnknownWord>,
}

impl Observed {
    pub(super) fn unknown(&mut self, field: UnknownField, word: &str) {
        self.anomalies.unknown(field);
        self.words.insert(UnknownWord {
            field,
            word: text::printable(word, LONGEST_WORD_LOGGED),
        });
    }

    pub(super) fn skipped(&mut self, field: SkippedField, times: usize) {
        for _ in 0..times {
            self.anomalies.skipped(field);
        }
    }

    /// Reads a word; nothing said gives `unsaid`, a strange one is counted.
    pub(super) fn word<T>(
        &mut self,
        field: UnknownField,
        text: &Text<'_>,
        unsaid: T,
        read: impl Fn(&str) -> Option<T>,
    ) -> T {
        match text {
            Text::Odd => self.unknown(field, "(not a word)"),
            Text::Nothing | Text::Some(_) => {
                let Some(word) = text.get() else {
                    return unsaid;
                };
                match read(word) {
                    Some(known) => return known,
                    None => self.unknown(field, word),
                }
            }
        }
        unsaid
    }

    pub(super) fn points(&mut self, field: SkippedField, number: Number) -> Option<Points> {
        self.number(field, number, Points::new)
    }

    pub(super) fn number<T>(
        &mut self,
        field: SkippedField,
        number: Number,
        believe: impl Fn(f64) -> Option<T>,
    ) -> Option<T> {
        let believed = match number {
            Number::Nothing => return None,
            Number::Some(value) => believe(value),
            Number::Odd => None,
        };
        if believed.is_none() {
            self.anomalies.skipped(field);
        }
        believed
    }

    pub(super) fn date(&mut self, text: &Text<'_>) -> Option<Timestamp> {
        if *text == Text::Odd {
            self.anomalies.skipped(SkippedField::Date);
        }
        match text::date(text.get()?) {
            text::Date::At(time) => Some(time),
            text::Date::Never => None,
            text::Date::Unreadable => {
                self.anomalies.skipped(SkippedField::Date);
                None
            }
        }
    }

    pub(super) fn id(&mut self, text: &Text<'_>) -> Option<Arc<str>> {
        let id = text.get();
        let id = id.filter(|id| id.len() <= LONGEST_ID && text::is_printable(id));
        if id.is_none() {
            self.anomalies.skipped(SkippedField::Id);
        }
        id.map(Arc::from)
    }

    pub(super) fn category(&mut self, text: &Text<'_>) -> Category {
        self.word(UnknownField::Category, text, Category::Unknown, |word| {
            word.parse().ok()
        })
    }
}
