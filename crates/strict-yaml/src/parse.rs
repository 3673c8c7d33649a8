use serde::de::DeserializeOwned;
use serde_saphyr::options::MergeKeyPolicy;
use serde_saphyr::{Error, Options};

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
            let found = parse_error(&error);
            let named = name_tab(&found, text).or_else(|| name_key(&error, text, options));
            Err(named.unwrap_or(found))
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

/// The error about a value of the wrong kind, with its key; `None` for any other error.
fn name_key(error: &Error, text: &str, options: Options) -> Option<ParseError> {
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
    let read = || serde_saphyr::from_str_with_options::<Node>(text, options).ok();
    let (path, span) = match error {
        // Reported by serde, for which the parser knows the key only.
        Error::SerdeInvalidType { location, .. } => read()?.value_of_key(*location)?,
        Error::Unexpected { location, .. } | Error::NullIntoString { location, .. } => {
            read()?.value(*location, alias)?
        }
        _ => return None,
    };
    Some(ParseError {
        span,
        path,
        message: describe(error),
    })
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

fn parse_error(error: &Error) -> ParseError {
    let error = error.without_snippet();
    if let Error::AliasError { error, .. } = error {
        return parse_error(error);
    }
    let span = error.location().map_or(Span::Nowhere, Span::from);
    ParseError::new(span, describe(error))
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
