//! Counts what is unexpected in a response while it is decoded.

use super::date::{self, Date};
use super::lenient::{LenientNumber, LenientText};
use crate::text::{clean_line, is_printable};
use secure_score_model::{Anomalies, Category, Points, SkippedField, Timestamp, UnknownField};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The maximum length of an id in a label. Real ids have at most 70 bytes. A
/// longer id is skipped, because two truncated ids could become one series.
const MAX_ID: usize = 128;

/// The maximum length of an unknown word in the log.
const MAX_LOGGED_WORD: usize = 60;

/// A word that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownWord {
    /// The field with the word.
    pub field: UnknownField,
    /// The word, truncated and without control characters.
    pub word: String,
}

/// Writes a word without what varies in its spelling: Graph and the portal write
/// `riskAccepted`, `Risk accepted` and `risk-accepted`.
fn normalise(word: &str, normalised: &mut String) {
    let is_blank = |char: &char| char.is_whitespace() || ['-', '_'].contains(char);
    normalised.clear();
    match word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => normalised.push_str(word),
        false => normalised.extend(word.chars().filter(|char| !is_blank(char))),
    }
    normalised.make_ascii_lowercase();
}

/// Reads fields and counts those that are unexpected.
#[derive(Default)]
pub(super) struct AnomalyCounter {
    pub(super) anomalies: Anomalies,
    pub(super) words: BTreeSet<UnknownWord>,
    /// A buffer for a normalised word: one allocation instead of one for each word.
    normalised: String,
}

impl AnomalyCounter {
    pub(super) fn unknown(&mut self, field: UnknownField, word: &str) {
        self.anomalies.unknown(field);
        self.words.insert(UnknownWord {
            field,
            word: clean_line(word, MAX_LOGGED_WORD).into_owned(),
        });
    }

    pub(super) fn skipped(&mut self, field: SkippedField, times: usize) {
        for _ in 0..times {
            self.anomalies.skipped(field);
        }
    }

    /// The meaning of a word, in lower case and without blanks, hyphens and
    /// underscores. A missing or unknown one returns `default`, and an unknown
    /// one is counted.
    pub(super) fn word<T>(
        &mut self,
        field: UnknownField,
        text: &LenientText<'_>,
        default: T,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        if *text == LenientText::Invalid {
            self.unknown(field, "(not a word)");
        }
        let Some(word) = text.get() else {
            return default;
        };
        normalise(word, &mut self.normalised);
        parse(&self.normalised).unwrap_or_else(|| {
            self.unknown(field, word);
            default
        })
    }

    pub(super) fn points(&mut self, field: SkippedField, number: LenientNumber) -> Option<Points> {
        self.number(field, number, Points::new)
    }

    /// A number that `parse` accepts. Others are counted.
    pub(super) fn number<T>(
        &mut self,
        field: SkippedField,
        number: LenientNumber,
        parse: impl Fn(f64) -> Option<T>,
    ) -> Option<T> {
        let parsed = match number {
            LenientNumber::Missing => return None,
            LenientNumber::Number(value) => parse(value),
            LenientNumber::Invalid => None,
        };
        self.skipped(field, usize::from(parsed.is_none()));
        parsed
    }

    pub(super) fn time(&mut self, text: &LenientText<'_>) -> Option<Timestamp> {
        self.date(text).time()
    }

    pub(super) fn date(&mut self, text: &LenientText<'_>) -> Date {
        let date = match text {
            LenientText::Invalid => Date::Invalid,
            _ => text.get().map_or(Date::Never, date::parse),
        };
        self.skipped(SkippedField::Date, usize::from(date == Date::Invalid));
        date
    }

    pub(super) fn id(&mut self, text: &LenientText<'_>) -> Option<Arc<str>> {
        let id = text.get();
        let id = id.filter(|id| id.len() <= MAX_ID && is_printable(id));
        self.skipped(SkippedField::Id, usize::from(id.is_none()));
        id.map(Arc::from)
    }

    pub(super) fn category(&mut self, text: &LenientText<'_>) -> Category {
        self.word(UnknownField::Category, text, Category::Unknown, |word| {
            word.parse().ok()
        })
    }
}
