//! New entries for a file of `tenant_files`.

use crate::config::{ListedTenant, listed_tenants};
use std::fmt::Write as _;
use strict_yaml::Span;

/// The byte order mark, which editors of Windows write.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Scalars that YAML reads as no text without quotes, in one of its versions.
const WORDS: [&str; 10] = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "~",
];

/// A file of tenants as it is on the disk.
#[derive(Debug, Clone)]
pub struct TenantFile {
    text: String,
    tenants: Vec<ListedTenant>,
}

/// A tenant to add.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTenant {
    /// Its alias, the value of `name`.
    pub alias: String,
    /// Its GUID.
    pub tenant_id: String,
    /// The value of `display_name`; empty to omit the key.
    pub display_name: String,
    /// Further keys with their values.
    pub keys: Vec<(&'static str, String)>,
    /// A comment behind the entry; empty for none.
    pub comment: String,
}

/// Why a file cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file is no list of tenants.
    #[error("{}{message}", place(.span))]
    Unreadable {
        /// Where.
        span: Span,
        /// What is wrong, without a value of the file.
        message: String,
    },
    /// Entries behind the last line would not belong to the list.
    #[error("entries cannot be added at its end, since it is no list of lines that begin with `-`")]
    NoBlockList,
}

fn place(span: &Span) -> String {
    match span {
        Span::Line { line, column } => format!("line {line}, column {column}: "),
        _ => String::new(),
    }
}

impl EditError {
    /// What to do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => {
                "correct it (`--config.check` tests the whole configuration), or let --write name another file"
            }
            Self::NoBlockList => {
                "write each tenant as `- {name: …, tenant_id: …}` on a line of its own, without `[`, `]` and `...` around the list, and end the last line with a line break; or let --write name another file"
            }
        }
    }
}

impl TenantFile {
    /// Reads the contents of a file; those of a file that does not exist are empty.
    ///
    /// # Errors
    /// Where the contents are no list of tenants in UTF-8.
    pub fn read(contents: Vec<u8>) -> Result<Self, EditError> {
        let text = String::from_utf8(contents).map_err(|_| EditError::Unreadable {
            span: Span::Nowhere,
            message: "the file is not UTF-8; save it as such".to_owned(),
        })?;
        let tenants = tenants(&text)?;
        Ok(Self { text, tenants })
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text without a byte order mark.
    pub fn entries(&self) -> &str {
        self.text.trim_start_matches(BYTE_ORDER_MARK)
    }

    /// Its tenants, in their order.
    pub fn tenants(&self) -> &[ListedTenant] {
        &self.tenants
    }

    /// The text with the tenants added at its end. The text before stays as it is, byte
    /// for byte.
    ///
    /// # Errors
    /// Where the result is not exactly the tenants of before and the new ones, read in
    /// the same way as the exporter reads the file.
    pub fn with(&self, new: &[NewTenant]) -> Result<String, EditError> {
        let mut text = self.text.clone();
        if new.is_empty() {
            return Ok(text);
        }
        let line_break = match text.contains("\r\n") {
            true => "\r\n",
            false => "\n",
        };
        let is_bare = text.trim_start_matches(BYTE_ORDER_MARK).is_empty();
        if !is_bare && !text.ends_with('\n') {
            text.push_str(line_break);
        }
        let indent = self.indent();
        for tenant in new {
            let _ = write!(text, "{indent}{}{line_break}", tenant.entry());
        }
        match tenants(&text) {
            Ok(all) if self.is_extended_by(new, &all) => Ok(text),
            _ => Err(EditError::NoBlockList),
        }
    }

    /// The blanks before the dash of the first entry.
    fn indent(&self) -> &str {
        let lines = self.text.trim_start_matches(BYTE_ORDER_MARK).lines();
        let is_entry = |line: &&str| {
            let line = line.trim_start_matches(' ');
            line == "-" || line.starts_with("- ")
        };
        let first = lines.into_iter().find(is_entry).unwrap_or_default();
        let indent = first.len() - first.trim_start_matches(' ').len();
        first.get(..indent).unwrap_or_default()
    }

    fn is_extended_by(&self, new: &[NewTenant], all: &[ListedTenant]) -> bool {
        let (before, added) = all.split_at(self.tenants.len().min(all.len()));
        let is_new = |(tenant, listed): (&NewTenant, &ListedTenant)| {
            tenant.alias == listed.alias
                && tenant.tenant_id == listed.tenant_id
                && tenant.display_name == listed.display_name
        };
        before == self.tenants && added.len() == new.len() && new.iter().zip(added).all(is_new)
    }
}

fn tenants(text: &str) -> Result<Vec<ListedTenant>, EditError> {
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    listed_tenants(text).map_err(|error| EditError::Unreadable {
        span: error.span,
        message: error.message,
    })
}

impl NewTenant {
    /// The entry in one line, without the line break.
    pub fn entry(&self) -> String {
        let mut entry = format!(
            "- {{name: {}, tenant_id: {}",
            plain_or_quoted(&self.alias),
            plain_or_quoted(&self.tenant_id)
        );
        if !self.display_name.is_empty() {
            let _ = write!(entry, ", display_name: {}", quoted(&self.display_name));
        }
        for (key, value) in &self.keys {
            let _ = write!(entry, ", {key}: {}", plain_or_quoted(value));
        }
        entry.push('}');
        if !self.comment.is_empty() {
            let _ = write!(entry, " # {}", self.comment.replace(is_special, ""));
        }
        entry
    }
}

/// The text without quotes where every version of YAML reads it as text.
fn plain_or_quoted(text: &str) -> String {
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_number = || text.starts_with(|c: char| !c.is_ascii_alphabetic()) && text.len() < 36;
    match text.is_empty() || is_word || is_number() || !text.chars().all(is_plain) {
        true => quoted(text),
        false => text.to_owned(),
    }
}

/// The text in double quotes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            _ if is_special(c) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether YAML allows the character only as an escape, or reads it as a line break.
fn is_special(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | BYTE_ORDER_MARK | '\u{fffe}' | '\u{ffff}'
        )
}

#[cfg(test)]
mod tests;
