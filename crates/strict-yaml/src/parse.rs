use serde::de::DeserializeOwned;
use serde_saphyr::options::MergeKeyPolicy;
use serde_saphyr::{Error, Location, Options};

use crate::Span;
use crate::node::Node;
use crate::suggest::is_plain;

/// Why a text is not YAML, or not of the expected shape.
#[derive(Debug)]
pub struct ParseError {
    /// Where.
    pub span: Span,
    /// The path of the key whose value has the wrong kind; otherwise empty.
    pub path: String,
    /// What is wrong, without a value of the file.
    pub message: String,
}

/// Parses the contents of a file; an empty one is the default value.
///
/// The parser's snippets are switched off and its messages replaced where they
/// quote a value, since lines near a typing error may hold a secret.
pub fn parse<T: DeserializeOwned + Default>(file: impl AsRef<[u8]>) -> Result<T, ParseError> {
    let text = std::str::from_utf8(file.as_ref()).map_err(|_| {
        let message = "the file is not UTF-8; save it as such";
        ParseError::new(Span::Nowhere, message)
    })?;
    let options = serde_saphyr::options! {
        with_snippet: false,
        crop_radius: 0,
        strict_booleans: true,
        merge_keys: MergeKeyPolicy::Merge,
    };
    match serde_saphyr::from_str_with_options::<Option<T>>(text, options.clone()) {
        Ok(file) => Ok(file.unwrap_or_default()),
        Err(error) => {
            let (error, alias) = innermost(&error);
            let span = error.location().map_or(Span::Nowhere, Span::from);
            let found = ParseError::new(span, describe(error));
            if let Some(tab) = name_tab(&found, text) {
                return Err(tab);
            }
            Err(match value_of_wrong_kind(error, alias, text, options) {
                Some((path, span)) => ParseError {
                    path,
                    span,
                    ..found
                },
                None => found,
            })
        }
    }
}

impl ParseError {
    /// An error that is not of one key.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            path: String::new(),
            message: message.into(),
        }
    }
}

/// The error without the aliases that lead to it, and the place of the last of them.
fn innermost(error: &Error) -> (&Error, Option<Location>) {
    let mut error = error.without_snippet();
    let mut alias = None;
    while let Error::AliasError {
        error: inner,
        locations,
        ..
    } = error
    {
        alias = Some(locations.reference_location);
        error = inner.without_snippet();
    }
    (error, alias)
}

/// The path and the place of the value that an error is about; `None` where it is not
/// about the kind of a value.
fn value_of_wrong_kind(
    error: &Error,
    alias: Option<Location>,
    text: &str,
    options: Options,
) -> Option<(String, Span)> {
    let read = || serde_saphyr::from_str_with_options::<Node>(text, options).ok();
    match error {
        // Reported by serde, for which the parser knows the key only.
        Error::SerdeInvalidType { location, .. } => read()?.value_of_key(*location),
        Error::Unexpected { location, .. } | Error::NullIntoString { location, .. } => {
            read()?.value(*location, alias)
        }
        _ => None,
    }
}

/// The error that replaces another if its cause is a tab in the indentation. The parser
/// reports it on the same line or one line earlier.
fn name_tab(error: &ParseError, text: &str) -> Option<ParseError> {
    let Span::Line { line, .. } = error.span else {
        return None;
    };
    let near = text.lines().zip(1_u64..).skip_while(|(_, n)| *n < line);
    let (tab, text, line) = near
        .take(2)
        .find_map(|(text, line)| Some((text.find('\t')?, text, line)))?;
    let span = Span::Line {
        line,
        column: tab as u64 + 1,
    };
    let is_indentation = text.bytes().take(tab).all(|byte| byte == b' ');
    is_indentation.then(|| ParseError::new(span, "this line is indented with a tab; use spaces"))
}

fn describe(error: &Error) -> String {
    match error {
        Error::DuplicateMappingKey { key, .. } => duplicate(key.as_deref()),
        Error::SerdeInvalidType {
            unexpected,
            expected,
            ..
        } => format!("expected {expected}, found {}", kind(unexpected)),
        Error::Unexpected { expected, .. } => format!("expected {}", kind(expected)),
        Error::MultipleDocuments { .. } => {
            "a second YAML document begins here; keep one per file".to_owned()
        }
        Error::UnknownAnchor { .. } => "this alias refers to no anchor".to_owned(),
        Error::NullIntoString { .. } => "a value is missing here".to_owned(),
        Error::InvalidUtf8Input => "the file is not UTF-8".to_owned(),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "the file expands to more than a configuration can need".to_owned()
        }
        _ => "this is not valid YAML; check indentation, colons and quotes around here".to_owned(),
    }
}

fn duplicate(key: Option<&str>) -> String {
    match key.filter(|key| is_plain(key)) {
        Some(key) => format!("the key `{key}` is given twice; keep one"),
        None => "a key is given twice; keep one".to_owned(),
    }
}

/// The kind of value, without the value: ``string "x"`` → `a single value`.
fn kind(described: &str) -> &'static str {
    let words = described.split(['"', '`', '\'']).next().unwrap_or_default();
    if words.contains("sequence") {
        "a list"
    } else if words.contains("map") {
        "a mapping"
    } else {
        "a single value"
    }
}
