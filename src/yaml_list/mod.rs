//! # yaml_list: adds entries to a file that is a list in YAML
//!
//! Everything that is in the file stays, byte for byte: comments, anchors and the
//! order. [`ListText`] only writes; who edits reads the result again and compares.

pub mod diff;
pub(crate) mod scalar;

use scalar::BYTE_ORDER_MARK;
use strict_yaml::{ParseError, Span};

/// A file with a list, as a command edits it.
pub trait ListDocument: Sized {
    /// How an entry looks, for messages.
    const ENTRY: &'static str;

    /// Reads the contents of a file; those of a file that does not exist are empty.
    ///
    /// # Errors
    /// Where the contents are no such list in UTF-8.
    fn read(contents: Vec<u8>) -> Result<Self, EditError>;
}

/// Why a file cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file is no such list.
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

impl From<ParseError> for EditError {
    fn from(error: ParseError) -> Self {
        let message = match &*error.path {
            "" => error.message,
            path => format!("{path}: {}", error.message),
        };
        Self::Unreadable {
            span: error.span,
            message,
        }
    }
}

impl EditError {
    /// What to do, with how an entry looks and the flag that names the file.
    pub fn hint(&self, entry: &str, flag: &str) -> String {
        match self {
            Self::Unreadable { .. } => format!(
                "correct it (`--config.check` tests the whole configuration), or let {flag} name another file"
            ),
            Self::NoBlockList => format!(
                "write each entry as `{entry}` on a line of its own, without `[`, `]` and `...` around the list, and end the last line with a line break; or let {flag} name another file"
            ),
        }
    }
}

/// The text of a file with a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListText(String);

impl ListText {
    /// The text of these contents.
    ///
    /// # Errors
    /// Where they are not UTF-8.
    pub fn read(contents: Vec<u8>) -> Result<Self, EditError> {
        let text = String::from_utf8(contents).map_err(|_| EditError::Unreadable {
            span: Span::Nowhere,
            message: "the file is not UTF-8; save it as such".to_owned(),
        })?;
        Ok(Self(text))
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text with entries at its end, each in one or more lines without the last
    /// line break.
    pub fn with_entries<'a>(&self, entries: impl IntoIterator<Item = &'a str>) -> String {
        let mut text = self.0.clone();
        let line_break = match text.contains("\r\n") {
            true => "\r\n",
            false => "\n",
        };
        let is_bare = body(&text).is_empty();
        if !is_bare && !text.ends_with('\n') {
            text.push_str(line_break);
        }
        let indent = self.indent();
        for line in entries.into_iter().flat_map(str::lines) {
            text.extend([indent, line, line_break]);
        }
        text
    }

    /// The blanks before the dash of the first entry.
    fn indent(&self) -> &str {
        let is_entry = |line: &&str| {
            let line = line.trim_start_matches(' ');
            line == "-" || line.starts_with("- ")
        };
        let first = body(&self.0).lines().find(is_entry).unwrap_or_default();
        let indent = first.len() - first.trim_start_matches(' ').len();
        first.get(..indent).unwrap_or_default()
    }
}

/// The text without a byte order mark.
pub fn body(text: &str) -> &str {
    text.trim_start_matches(BYTE_ORDER_MARK)
}
