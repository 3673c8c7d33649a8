//! # decision_file: writes decisions into a file of `decision_files`
//!
//! A new decision is added at the end. One that is there already gets new dates and
//! details in its own lines. Comments, anchors and the order stay.

mod entry;

pub use entry::{Comparison, NewDecision};

use crate::config::{ListedDecision, ListedValue, listed_decisions};
use crate::yaml_list::{EditError, ListDocument, ListText, body};
use entry::scalar;

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
        "the entry at line {line} is this decision, and its `{key}` cannot be changed without changing more"
    )]
    Detail {
        /// The line of the entry, from 1.
        line: usize,
        /// The key.
        key: &'static str,
    },
    /// Several entries are the same decision.
    #[error("the entries at lines {} are this decision, so that it is not clear which to change", line_list(.lines))]
    Several {
        /// The line of each.
        lines: Vec<usize>,
    },
    /// An entry is the same decision for other declarations.
    #[error(
        "the entry at line {line} is this decision but for {}, which only one of the two has",
        key_list(.keys)
    )]
    OtherDeclarations {
        /// The line of the entry.
        line: usize,
        /// The keys of which only one of the two has a value.
        keys: Vec<&'static str>,
    },
}

fn line_list(lines: &[usize]) -> String {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines.join(", ")
}

fn key_list(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    keys.join(" and ")
}

/// A file of decisions with a decision in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The whole text; that of before, if the decision was there already.
    pub text: String,
    /// The index of the decision in the list.
    pub index: usize,
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

    /// The file with the decision: the same text, if it is there already.
    ///
    /// # Errors
    /// Where the result is not exactly the decisions of before with this one, read in
    /// the same way as the exporter reads the file; and where it is not clear which
    /// entry to change.
    pub fn with(&self, new: &NewDecision) -> Result<Edited, DecisionError> {
        let all = self.decisions.iter().enumerate();
        let compared = all.map(|(index, it)| (index, new.compare(it)));
        let compared: Vec<_> = compared.collect();
        let same = compared.iter().filter(|(_, it)| *it == Comparison::Same);
        let same: Vec<usize> = same.map(|(index, _)| *index).collect();
        let text = match same.as_slice() {
            [] => {
                let differing = compared.into_iter().find_map(|(index, it)| match it {
                    Comparison::DiffersBy(keys) => Some((index, keys)),
                    _ => None,
                });
                if let Some((index, keys)) = differing {
                    let line = self.line(index);
                    return Err(DecisionError::OtherDeclarations { line, keys });
                }
                self.extended(new)?
            }
            [index] => self.changed(*index, new)?,
            several => {
                let is_equal = |index: &&usize| self.has_details(**index, new);
                let Some(index) = several.iter().find(is_equal) else {
                    let lines = several.iter().map(|index| self.line(*index)).collect();
                    return Err(DecisionError::Several { lines });
                };
                return Ok(Edited {
                    text: self.text().to_owned(),
                    index: *index,
                });
            }
        };
        let index = same.first().copied().unwrap_or(self.decisions.len());
        Ok(Edited { text, index })
    }

    /// The line of an entry's first value, from 1.
    fn line(&self, index: usize) -> usize {
        let values = self.decisions.get(index).map(|it| it.values.as_slice());
        let places = values.unwrap_or_default().iter().map(|(_, it)| it.place);
        places.flatten().map(|(line, _)| line).min().unwrap_or(1)
    }

    /// Whether an entry has all details of the decision.
    fn has_details(&self, index: usize, new: &NewDecision) -> bool {
        self.decisions.get(index).is_some_and(|listed| {
            let mut details = new.details();
            details.all(|(key, value)| listed.value(key).is_some_and(|it| it.text == value.trim()))
        })
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
                line: self.line(index),
                key,
            };
            file = file.with_detail(index, key, value.trim()).ok_or(error)?;
        }
        Ok(file.text().to_owned())
    }

    /// The file with one value replaced or added, if nothing else changes with it, as
    /// it would where an anchor or an alias stands.
    fn with_detail(&self, index: usize, key: &'static str, value: &str) -> Option<Self> {
        let listed = self.decisions.get(index)?;
        let text = match listed.value(key) {
            Some(it) if it.text == value => return Some(self.clone()),
            Some(it) => replaced(self.text(), it, &scalar(key, value))?,
            None => {
                let pair = format!("{key}: {}", scalar(key, value));
                inserted(self.text(), listed.value("expires")?, &pair)?
            }
        };
        let after = Self::read(text.into_bytes()).ok()?;
        let (mut expected, mut found) = (self.decisions.clone(), after.decisions.clone());
        let entry = expected.get_mut(index)?;
        entry.values.retain(|(name, _)| *name != key);
        let (text, place) = (value.to_owned(), None);
        entry.values.push((key, ListedValue { text, place }));
        for all in [&mut expected, &mut found] {
            let values = &mut all.get_mut(index)?.values;
            values.sort_by_key(|(name, _)| *name);
        }
        (found == expected).then_some(after)
    }
}

/// The place of a value in the text of a file.
struct ValuePlace<'a> {
    /// Where its line begins.
    line_start: usize,
    line: &'a str,
    /// Where it begins in its line.
    in_line: usize,
}

impl<'a> ValuePlace<'a> {
    fn of(text: &'a str, listed: &ListedValue) -> Option<Self> {
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
        Some(Self {
            line_start: skipped + before,
            line,
            in_line,
        })
    }
}

/// The text with another scalar at the place of this one.
fn replaced(text: &str, listed: &ListedValue, scalar: &str) -> Option<String> {
    let place = ValuePlace::of(text, listed)?;
    let start = place.line_start + place.in_line;
    let end = start + scalar_length(place.line.get(place.in_line..)?)?;
    let (head, tail) = (text.get(..start)?, text.get(end..)?);
    Some([head, scalar, tail].concat())
}

/// The text with a key and its value in a line of their own before that of this value,
/// unless that shares its line with other keys.
fn inserted(text: &str, listed: &ListedValue, pair: &str) -> Option<String> {
    let place = ValuePlace::of(text, listed)?;
    let before = place.line.get(..place.in_line)?;
    let key = before.trim_start_matches(' ');
    let indent = before.get(..before.len() - key.len())?;
    let (_, anchor) = key.split_once(':')?;
    if key.starts_with(['-', '{', ',', '?']) || anchor.contains([':', ',', '{']) {
        return None;
    }
    let line_break = match place.line.ends_with("\r\n") {
        true => "\r\n",
        false => "\n",
    };
    let (head, tail) = (text.get(..place.line_start)?, text.get(place.line_start..)?);
    Some([head, indent, pair, line_break, tail].concat())
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
