//! From text to a file as written, and from the parser's complaints to ours.

use serde::de::DeserializeOwned;
use serde_saphyr::Error;
use serde_saphyr::options::MergeKeyPolicy;

use super::word;
use super::written::Mark;

/// A text that is not YAML, or not of the shape of a configuration.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) mark: Mark,
    pub(crate) message: String,
}

/// Reads the file's text.
///
/// The parser would like to show the lines around an error. They are switched
/// off, since the line beside a typing error may hold a secret; for the same
/// reason its own words are not passed on where they quote a value.
pub(crate) fn parse<T: DeserializeOwned + Default>(text: &str) -> Result<T, Malformed> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        crop_radius: 0,
        strict_booleans: true,
        merge_keys: MergeKeyPolicy::Merge,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match serde_saphyr::from_str_with_options::<Option<T>>(text, options) {
        Ok(file) => Ok(file.unwrap_or_default()),
        Err(error) => Err(with_tabs(malformed(&error), text)),
    }
}

/// Names the invisible cause, where a line is indented with a tab. The parser
/// stumbles over it there, or one line before.
fn with_tabs(malformed: Malformed, text: &str) -> Malformed {
    let Mark::Line { line, .. } = malformed.mark else {
        return malformed;
    };
    let near = text.lines().zip(1_u64..).skip_while(|(_, n)| *n < line);
    let tabbed = near
        .take(2)
        .find_map(|(text, line)| Some((text.find('\t')?, text, line)))
        .filter(|(tab, text, _)| text.bytes().take(*tab).all(|byte| byte == b' '));
    match tabbed {
        None => malformed,
        Some((tab, _, line)) => Malformed {
            mark: Mark::Line {
                line,
                column: tab as u64 + 1,
            },
            message: "this line is indented with a tab; use spaces".to_owned(),
        },
    }
}

fn malformed(error: &Error) -> Malformed {
    let error = error.without_snippet();
    if let Error::AliasError { error, .. } = error {
        return malformed(error);
    }
    Malformed {
        mark: error.location().map_or(Mark::Nowhere, Mark::from),
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
        Error::Unexpected { expected, .. } => format!("expected {}", node(expected)),
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
    match key.filter(|key| word::is_plain(key)) {
        Some(key) => format!("the key `{key}` is given twice; keep one"),
        None => "a key is given twice; keep one".to_owned(),
    }
}

/// The kind of value that was found, without the value: ``string "x"`` → `string`.
fn kind(unexpected: &str) -> &str {
    match unexpected.split(['"', '`', '\'']).next().map(str::trim) {
        Some("sequence") => "a list",
        Some("map") => "a mapping",
        _ => "a single value",
    }
}

fn node(expected: &str) -> &'static str {
    if expected.contains("sequence") {
        "a list"
    } else if expected.contains("mapping") {
        "a mapping"
    } else {
        "a single value"
    }
}
