//! JSON values that may have an unexpected type, and lists of them.

use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// A string. Numbers and booleans become their text, because Graph sends
/// `"true"` and `true`, `"5"` and `5`. Half a surrogate pair becomes U+FFFD.
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
            [b'"', ..] => Self::Text(unquoted(json)),
            [b't' | b'f', ..] => Self::Text(Cow::Borrowed(json)),
            _ => Self::Text(number_text(json)),
        })
    }
}

impl<'de> Deserialize<'de> for LenientNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match json.as_bytes() {
            [b'n', ..] => Self::Missing,
            [b'[' | b'{' | b't' | b'f', ..] => Self::Invalid,
            [b'"', ..] => match unquoted(json).trim() {
                "" => Self::Missing,
                text => text.parse().map_or(Self::Invalid, Self::Number),
            },
            _ => json.parse().map_or(Self::Invalid, Self::Number),
        })
    }
}

/// The text of a JSON string.
fn unquoted(json: &str) -> Cow<'_, str> {
    let quoted = json.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let text = quoted.unwrap_or(json);
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let unescaped = serde_json::from_str(json);
    Cow::Owned(unescaped.unwrap_or_else(|_| unescaped_lossily(text)))
}

/// The text of a JSON string with half a surrogate pair, which is valid JSON
/// and no valid Unicode.
fn unescaped_lossily(text: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut buffer = [0; 2];
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let escaped = if char == '\\' { chars.next() } else { None };
        let char = match escaped {
            None => char,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
                continue;
            }
            Some(other) => other,
        };
        units.extend_from_slice(char.encode_utf16(&mut buffer));
    }
    String::from_utf16_lossy(&units)
}

/// A number in its usual form: `5` for `5.0`. One without a finite value stays
/// as it is.
fn number_text(json: &str) -> Cow<'_, str> {
    let float = json.parse().ok().filter(|it: &f64| it.is_finite());
    match float.filter(|_| json.contains(['.', 'e', 'E'])) {
        Some(float) => Cow::Owned(float.to_string()),
        None => Cow::Borrowed(json),
    }
}

/// The values of an object, which may have a key twice: the last one counts.
struct Fields<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
                let mut fields = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    fields.insert(unquoted(key.get()), value);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// Parses an object. Only one with a key that occurs twice, or is no Unicode,
/// takes the second, slower way.
fn object<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    // By default serde also parses a list as the fields in order, so that
    // `["x"]` would become a control named x.
    let json = Some(json.get()).filter(|json| json.starts_with('{'))?;
    serde_json::from_str(json).ok().or_else(|| {
        let Fields(fields) = serde_json::from_str(json).ok()?;
        T::deserialize(MapDeserializer::new(fields.into_iter())).ok()
    })
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
    let elements: Vec<T> = raw.iter().filter_map(|json| object(json)).collect();
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
        let read: LenientText<'_> = serde_json::from_str("1e999").unwrap();
        assert_eq!(read.get(), Some("1e999"));
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        for (json, text) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""a\ud83dA\ud83d\ude00\n\"\\\/ö""#, "a\u{fffd}A😀\n\"\\/ö"),
            (r#""\ude00\ud83d\u0041""#, "\u{fffd}\u{fffd}A"),
            (r#""\ud83d\ude00""#, "😀"),
        ] {
            let read: LenientText<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(read.get(), Some(text));
        }
    }

    #[test]
    fn no_key_makes_an_object_unreadable() {
        let raw = r#"[{"id":"A","id":"B","title":"x"},{"\ud800":1,"\u0069d":"C","x":[1e999]}]"#;
        let raw = RawValue::from_string(raw.to_owned()).unwrap();
        let list: LenientList<Profile<'_>> = list(&raw, MAX_ELEMENTS).unwrap();
        let ids: Vec<_> = list.elements.iter().map(|it| it.id.get()).collect();
        assert_eq!(ids, [Some("B"), Some("C")]);
        assert_eq!(list.unread, 0);
    }
}
