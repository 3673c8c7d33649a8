use serde::de::DeserializeOwned;
use serde_saphyr::Error;
use serde_saphyr::options::MergeKeyPolicy;

use crate::Span;
use crate::suggest::is_plain;

/// Why a text is not YAML, or not of the expected shape.
#[derive(Debug)]
pub struct ParseError {
    /// Where.
    pub span: Span,
    /// What is wrong, without a value of the file.
    pub message: String,
}

/// Parses the contents of a file; an empty one is the default value.
///
/// The parser's snippets are switched off and its messages replaced where they
/// quote a value, since lines near a typing error may hold a secret.
pub fn parse<T: DeserializeOwned + Default>(file: impl AsRef<[u8]>) -> Result<T, ParseError> {
    let text = std::str::from_utf8(file.as_ref()).map_err(|_| ParseError {
        span: Span::Nowhere,
        message: "the file is not UTF-8; save it as such".to_owned(),
    })?;
    let options = serde_saphyr::options! {
        with_snippet: false,
        crop_radius: 0,
        strict_booleans: true,
        merge_keys: MergeKeyPolicy::Merge,
    };
    match serde_saphyr::from_str_with_options::<Option<T>>(text, options) {
        Ok(file) => Ok(file.unwrap_or_default()),
        Err(error) => Err(name_tabs(parse_error(&error), text)),
    }
}

/// Replaces the message if the cause is a tab in the indentation. The parser
/// reports it on the same line or one line earlier.
fn name_tabs(error: ParseError, text: &str) -> ParseError {
    let Span::Line { line, .. } = error.span else {
        return error;
    };
    let near = text.lines().zip(1_u64..).skip_while(|(_, n)| *n < line);
    let tabbed = near
        .take(2)
        .find_map(|(text, line)| Some((text.find('\t')?, text, line)))
        .filter(|(tab, text, _)| text.bytes().take(*tab).all(|byte| byte == b' '));
    match tabbed {
        None => error,
        Some((tab, _, line)) => ParseError {
            span: Span::Line {
                line,
                column: tab as u64 + 1,
            },
            message: "this line is indented with a tab; use spaces".to_owned(),
        },
    }
}

fn parse_error(error: &Error) -> ParseError {
    let error = error.without_snippet();
    if let Error::AliasError { error, .. } = error {
        return parse_error(error);
    }
    ParseError {
        span: error.location().map_or(Span::Nowhere, Span::from),
        message: describe(error),
    }
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
