//! # decision_file: writes decisions into a file of `decision_files`
//!
//! A new decision is added at the end. One that is there already gets new dates and
//! details in its own lines. Comments, anchors and the order stay.

mod entry;

pub use entry::NewDecision;

use crate::config::{ListedDecision, ListedValue, listed_decisions};
use crate::yaml_list::scalar::plain_or_quoted;
use crate::yaml_list::{EditError, ListDocument, ListText, body};

/// A file of decisions as it is on the disk.
#[derive(Debug, Clone)]
pub struct DecisionFile {
    text: ListText,
    decisions: Vec<ListedDecision>,
}

/// Why a decision cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// The file cannot be edited.
    #[error(transparent)]
    File(#[from] EditError),
    /// A detail cannot be changed in its lines.
    #[error(
        "entry {number} is this decision, and its `{key}` cannot be changed without changing more"
    )]
    Detail {
        /// Which entry of the file, from 1.
        number: usize,
        /// The key.
        key: &'static str,
    },
}

impl ListDocument for DecisionFile {
    const ENTRY: &'static str = "- {control: …, reference: …, expires: …}";

    fn read(contents: Vec<u8>) -> Result<Self, EditError> {
        let text = ListText::read(contents)?;
        let decisions = listed_decisions(body(text.as_str()))?;
        Ok(Self { text, decisions })
    }
}

impl DecisionFile {
    /// The text of the file.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The text with the decision: the same text, if it is there already.
    ///
    /// # Errors
    /// Where the result is not exactly the decisions of before with this one, read in
    /// the same way as the exporter reads the file.
    pub fn with(&self, new: &NewDecision) -> Result<String, DecisionError> {
        let mut decisions = self.decisions.iter();
        match decisions.position(|it| new.is_same_as(it)) {
            Some(index) => self.changed(index, new),
            None => self.extended(new),
        }
    }

    fn extended(&self, new: &NewDecision) -> Result<String, DecisionError> {
        let entry = new.entry();
        let text = self.text.with_entries([entry.as_str()]);
        let after = listed_decisions(body(&text));
        let added = listed_decisions(&entry);
        let is_right = after.ok().zip(added.ok()).is_some_and(|(after, added)| {
            after == [self.decisions.as_slice(), added.as_slice()].concat()
        });
        match is_right {
            true => Ok(text),
            false => Err(EditError::NoBlockList.into()),
        }
    }

    /// The text with other details of one of its decisions.
    fn changed(&self, index: usize, new: &NewDecision) -> Result<String, DecisionError> {
        let mut file = self.clone();
        for (key, value) in new.details() {
            let error = DecisionError::Detail {
                number: index + 1,
                key,
            };
            file = file.with_detail(index, key, value).ok_or(error)?;
        }
        Ok(file.text().to_owned())
    }

    /// The file with one value replaced, if nothing else changes with it, as it would
    /// where an anchor or an alias stands.
    fn with_detail(&self, index: usize, key: &str, value: &str) -> Option<Self> {
        let listed = self.decisions.get(index)?.value(key)?;
        if listed.text == value {
            return Some(self.clone());
        }
        let text = replaced(self.text(), listed, value)?;
        let after = Self::read(text.into_bytes()).ok()?;
        let mut expected = self.decisions.clone();
        let values = &mut expected.get_mut(index)?.values;
        let (_, changed) = values.iter_mut().find(|(name, _)| *name == key)?;
        value.clone_into(&mut changed.text);
        (after.decisions == expected).then_some(after)
    }
}

/// The text with another scalar at the place of this one.
fn replaced(text: &str, listed: &ListedValue, value: &str) -> Option<String> {
    let (line, column) = listed.place?;
    let skipped = text.len() - body(text).len();
    let mut lines = body(text).split_inclusive('\n');
    let before: usize = lines
        .by_ref()
        .take(line.checked_sub(1)?)
        .map(str::len)
        .sum();
    let line = lines.next()?;
    let (in_line, _) = line.char_indices().nth(column.checked_sub(1)?)?;
    let start = skipped + before + in_line;
    let rest = line.get(in_line..)?;
    let end = start + scalar_length(rest)?;
    let (head, tail) = (text.get(..start)?, text.get(end..)?);
    Some([head, &plain_or_quoted_day(value), tail].concat())
}

/// A day needs no quotes, since the exporter reads every scalar as text.
fn plain_or_quoted_day(value: &str) -> String {
    match value.chars().all(|c| c.is_ascii_digit() || c == '-') {
        true => value.to_owned(),
        false => plain_or_quoted(value),
    }
}

/// How long the scalar is that a text begins with, in one line.
fn scalar_length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if matches!(first, '"' | '\'') {
        let end = text.get(1..)?.find(first)? + 2;
        let is_escaped = text.get(..end)?.contains('\\') || text.get(end..)?.starts_with(first);
        return (!is_escaped).then_some(end);
    }
    let end = text.find([',', '}', ']', '\r', '\n']).unwrap_or(text.len());
    let scalar = text.get(..end)?;
    let scalar = scalar.split(" #").next()?;
    Some(scalar.trim_end().len())
}

#[cfg(test)]
mod tests;
