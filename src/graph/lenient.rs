//! JSON values that may have an unexpected type, and lists of them.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Number;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A string. Numbers and booleans become their text, because Graph sends
/// `"true"` and `true`, `"5"` and `5`.
#[derive(Debug, Default, PartialEq)]
pub(super) enum LenientText<'a> {
    /// Missing or null.
    #[default]
    Missing,
    Text(Cow<'a, str>),
    /// An object or a list.
    Invalid,
}

impl LenientText<'_> {
    /// The text without blanks around it, unless it is empty.
    pub(super) fn get(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Self::Missing | Self::Invalid => None,
        }
    }
}

/// A number, possibly as a string.
#[derive(Debug, Default, PartialEq, Clone, Copy)]
pub(super) enum LenientNumber {
    /// Missing, null or an empty string.
    #[default]
    Missing,
    Number(f64),
    /// Not a number.
    Invalid,
}

/// A value that is parsed later. Missing and null are different.
#[derive(Debug, Default)]
pub(super) enum LenientJson<'a> {
    /// The key is missing.
    #[default]
    Missing,
    /// Null or any other value.
    Present(&'a RawValue),
}

impl<'de: 'a, 'a> Deserialize<'de> for LenientJson<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::Present)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for LenientText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match json.as_bytes() {
            [b'n', ..] => Self::Missing,
            [b'[' | b'{', ..] => Self::Invalid,
            [b'"', ..] => Self::Text(unquoted(json)?),
            [b't' | b'f', ..] => Self::Text(Cow::Borrowed(json)),
            _ => {
                let number: Number = parsed(json)?;
                let float = number.as_f64().filter(|_| number.is_f64());
                let text = float.map_or_else(|| number.to_string(), |float| float.to_string());
                Self::Text(text.into())
            }
        })
    }
}

impl<'de> Deserialize<'de> for LenientNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match json.as_bytes() {
            [b'n', ..] => Self::Missing,
            [b'[' | b'{' | b't' | b'f', ..] => Self::Invalid,
            [b'"', ..] => match unquoted(json)?.trim() {
                "" => Self::Missing,
                text => text.parse().map_or(Self::Invalid, Self::Number),
            },
            _ => Self::Number(parsed(json)?),
        })
    }
}

/// The text of a JSON string.
fn unquoted<E: Error>(json: &str) -> Result<Cow<'_, str>, E> {
    let quoted = json.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    match quoted.filter(|text| !text.contains('\\')) {
        Some(plain) => Ok(Cow::Borrowed(plain)),
        None => parsed(json).map(Cow::Owned),
    }
}

fn parsed<'de, T: Deserialize<'de>, E: Error>(json: &'de str) -> Result<T, E> {
    serde_json::from_str(json).map_err(E::custom)
}

/// A list whose unreadable elements are skipped.
pub(super) struct LenientList<T> {
    pub(super) elements: Vec<T>,
    /// How many elements could not be read.
    pub(super) unread: usize,
}

/// The maximum length of a list. Real catalogues have some 450 controls. A
/// decoded element needs up to two hundred times its bytes.
pub(super) const MAX_ELEMENTS: usize = 5_000;

/// Why a list cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ListError {
    #[error("its value is not a list")]
    NotAList,
    #[error("it lists more than {MAX_ELEMENTS} elements")]
    TooLong,
}

/// Parses a list of at most `max` objects.
pub(super) fn list<'a, T: Deserialize<'a>>(
    list: &'a RawValue,
    max: usize,
) -> Result<LenientList<T>, ListError> {
    let raw: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|_| ListError::NotAList)?;
    if raw.len() > max {
        return Err(ListError::TooLong);
    }
    // By default serde also parses a list as the fields in order, so that
    // `["x"]` would become a control named x.
    let objects = raw.iter().map(|json| json.get());
    let objects = objects.filter(|json| json.starts_with('{'));
    let elements = objects.filter_map(|json| serde_json::from_str(json).ok());
    let elements: Vec<T> = elements.collect();
    let unread = raw.len() - elements.len();
    Ok(LenientList { elements, unread })
}

/// Parses a list inside an element. Null is an empty list; `None` means that
/// the value is missing or not a list.
pub(super) fn inner_list<'a, T: Deserialize<'a>>(
    json: &LenientJson<'a>,
    max: usize,
) -> Option<LenientList<T>> {
    match json {
        LenientJson::Missing => None,
        LenientJson::Present(null) if null.get() == "null" => Some(LenientList {
            elements: Vec::new(),
            unread: 0,
        }),
        LenientJson::Present(json) => list(json, max).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::wire::Profile;

    #[test]
    fn an_unreadable_element_is_skipped() {
        let raw = RawValue::from_string(r#"[{"id":"A"},7,["C"],{"id":"B"}]"#.to_owned()).unwrap();
        let list: LenientList<Profile<'_>> = list(&raw, MAX_ELEMENTS).unwrap();
        assert_eq!(list.elements.len(), 2);
        assert_eq!(list.unread, 2);
    }

    #[test]
    fn a_list_that_is_too_long_is_refused() {
        for element in ["{}", "7"] {
            let refused = |count: usize| {
                let text = format!("[{}]", vec![element; count].join(","));
                let raw = RawValue::from_string(text).unwrap();
                list::<Profile<'_>>(&raw, 3).err()
            };
            assert_eq!(refused(3), None, "{element}");
            assert_eq!(refused(4), Some(ListError::TooLong), "{element}");
        }
    }

    #[test]
    fn numbers_as_texts_keep_their_usual_form() {
        for (json, text) in [
            ("7", "7"),
            ("-7", "-7"),
            ("18446744073709551615", "18446744073709551615"),
            ("5.0", "5"),
            ("1e2", "100"),
        ] {
            let read: LenientText<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(read.get(), Some(text));
        }
        for invalid in ["1e999", r#""\ud800""#] {
            assert!(serde_json::from_str::<LenientText<'_>>(invalid).is_err());
            assert!(serde_json::from_str::<LenientNumber>(invalid).is_err());
        }
    }
}
