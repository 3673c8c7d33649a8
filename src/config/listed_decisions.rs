//! The decisions that a file of `decision_files` lists, for a command that edits it.

use super::alternatives::OneOrMany;
use super::file::FileDecision;
use strict_yaml::{ParseError, Span, Spanned, Text, parse};

/// An entry of a file of decisions, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDecision {
    /// The keys with a value in one word or line, in the order of the reference, and
    /// where that value is.
    pub values: Vec<(&'static str, ListedValue)>,
    /// The names under `tenants`; empty if absent.
    pub tenants: Vec<String>,
    /// The words under `states`; empty if absent.
    pub states: Vec<String>,
    /// How many keys no decision has.
    unknown: usize,
}

/// A value as written.
#[derive(Debug, Clone)]
pub struct ListedValue {
    /// Without blanks around it.
    pub text: String,
    /// Its line and column, from 1.
    pub place: Option<(usize, usize)>,
}

/// Values are compared as the exporter reads them, wherever they are.
impl PartialEq for ListedValue {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ListedValue {}

impl ListedDecision {
    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&ListedValue> {
        let found = self.values.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| value)
    }
}

/// The entries of the file with these contents, in their order. They are as written:
/// `--config.check` reports what is wrong with their values.
///
/// # Errors
/// Where the contents are no list of decisions.
pub fn listed_decisions(contents: &str) -> Result<Vec<ListedDecision>, ParseError> {
    let decisions: Vec<Spanned<FileDecision>> = parse(contents)?;
    Ok(decisions.into_iter().map(|it| listed(it.value)).collect())
}

fn listed(file: FileDecision) -> ListedDecision {
    let texts = [
        ("control", file.control),
        ("recommendation", file.recommendation),
        ("reference", file.reference),
        ("approver", file.approver),
        ("reason", file.reason),
        ("approved_on", file.approved_on),
        ("accepted_by", file.accepted_by),
        ("evidence", file.evidence),
        ("expires", file.expires),
    ];
    let values = texts.into_iter().filter_map(|(key, text)| {
        let Text { value, span } = text?;
        let place = match span {
            Span::Line { line, column } => {
                usize::try_from(line).ok().zip(usize::try_from(column).ok())
            }
            _ => None,
        };
        let text = value.trim().to_owned();
        Some((key, ListedValue { text, place }))
    });
    ListedDecision {
        values: values.collect(),
        tenants: words(file.tenants),
        states: words(file.states),
        unknown: file.unknown.len(),
    }
}

fn words(list: Option<Spanned<OneOrMany>>) -> Vec<String> {
    let words = match list.map(|it| it.value) {
        None => Vec::new(),
        Some(OneOrMany::One(word)) => vec![word],
        Some(OneOrMany::Many(words)) => words.into_iter().map(|it| it.value).collect(),
    };
    words.iter().map(|it| it.trim().to_owned()).collect()
}
