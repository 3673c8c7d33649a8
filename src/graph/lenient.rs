//! JSON values that may have an unexpected type, and lists of them.

use super::plain_list::{MAX_ELEMENTS, Object, PlainList};
use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde::de::{Deserializer, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};
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
        let number = |number: &dyn fmt::Display| Self::Text(number.to_string().into());
        Ok(match Scalar::deserialize(deserializer)? {
            Scalar::Null => Self::Missing,
            Scalar::Other => Self::Invalid,
            Scalar::Text(text) => Self::Text(text),
            Scalar::Bool(true) => Self::Text("true".into()),
            Scalar::Bool(false) => Self::Text("false".into()),
            Scalar::Unsigned(value) => number(&value),
            Scalar::Signed(value) => number(&value),
            Scalar::Float(value) => number(&value),
        })
    }
}

impl<'de> Deserialize<'de> for LenientNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Scalar::deserialize(deserializer)? {
            Scalar::Null => Self::Missing,
            Scalar::Bool(_) | Scalar::Other => Self::Invalid,
            Scalar::Text(text) => match text.trim() {
                "" => Self::Missing,
                text => text.parse().map_or(Self::Invalid, Self::Number),
            },
            Scalar::Unsigned(value) => Self::Number(value as f64),
            Scalar::Signed(value) => Self::Number(value as f64),
            Scalar::Float(value) => Self::Number(value),
        })
    }
}

/// A JSON value, without the contents of lists and objects.
enum Scalar<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'a, str>),
    /// An object or a list.
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Signed(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// The name under which a list inside an element is deserialized.
pub(super) const INNER_LIST: &str = "InnerList";

/// A field that serde_json may refuse: half a surrogate pair, a number without a
/// finite value, or a list in a list in a list without end. An inner list stays unread.
struct RefusableField<'a>(&'a RawValue);

impl<'de> IntoDeserializer<'de, serde_json::Error> for RefusableField<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for RefusableField<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let json = self.0.get();
        match json.as_bytes() {
            [b'"', ..] => match unquoted(json) {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            [b'[' | b'{', ..] => {
                visitor.visit_map(MapDeserializer::new(std::iter::empty::<(&str, &str)>()))
            }
            _ if json.parse().is_ok_and(f64::is_infinite) => visitor.visit_borrowed_str(json),
            _ => self.0.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match name {
            INNER_LIST => visitor.visit_borrowed_str(self.0.get()),
            _ => self.0.deserialize_newtype_struct(name, visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
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

/// An object that is an element of a list.
pub(super) trait Element<'a>: Deserialize<'a> {
    /// The fields that cannot be read where an object has different copies of
    /// them. Of other fields the last copy counts.
    const UNAMBIGUOUS: &'static [&'static str] = &[];
}

/// The values of an object, of each key the last one.
struct Fields<'a> {
    last: BTreeMap<Cow<'a, str>, &'a RawValue>,
    /// The keys with different values.
    ambiguous: Vec<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
                let mut last = BTreeMap::new();
                let mut ambiguous = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    let key = unquoted(key.get());
                    let before = last.insert(key.clone(), value);
                    if before.is_some_and(|before| before.get() != value.get()) {
                        ambiguous.push(key);
                    }
                }
                Ok(Fields { last, ambiguous })
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// Parses an object. Only one with a key that occurs twice, or with anything else
/// that serde_json refuses, is read by its fields, which is slower.
fn object<'a, T: Element<'a>>(json: &'a RawValue) -> Option<T> {
    let plain = serde_json::from_str(json.get()).ok().map(|Object(it)| it);
    plain.or_else(|| object_by_fields(json))
}

fn object_by_fields<'a, T: Element<'a>>(json: &'a RawValue) -> Option<T> {
    let Fields { last, ambiguous } = serde_json::from_str(json.get()).ok()?;
    let is_readable =
        |key: &Cow<'_, str>| !T::UNAMBIGUOUS.contains(&&**key) || !ambiguous.contains(key);
    let fields = last
        .into_iter()
        .filter(|(key, _)| is_readable(key))
        .map(|(key, value)| (key, RefusableField(value)));
    T::deserialize(MapDeserializer::new(fields)).ok()
}

/// A list whose unreadable elements are skipped.
#[derive(Debug)]
pub(super) struct LenientList<T> {
    pub(super) elements: Vec<T>,
    /// How many elements could not be read.
    pub(super) unread: usize,
}

impl<T> Default for LenientList<T> {
    fn default() -> Self {
        PlainList(Vec::new()).into()
    }
}

impl<T> From<PlainList<T>> for LenientList<T> {
    fn from(PlainList(elements): PlainList<T>) -> Self {
        Self {
            elements,
            unread: 0,
        }
    }
}

/// Why a list cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ListError {
    #[error("its value is not a list")]
    NotAList,
    #[error("it lists more than {MAX_ELEMENTS} elements")]
    TooLong,
}

/// Parses a list of at most `max` objects by their fields: of the lists inside them one
/// is read at a time.
pub(super) fn list<'a, T: Element<'a>>(
    list: &'a RawValue,
    max: usize,
) -> Result<LenientList<T>, ListError> {
    let raw = raw_list(list.get())?;
    match raw.len() > max {
        true => Err(ListError::TooLong),
        false => Ok(readable(&raw, object_by_fields)),
    }
}

/// The elements of a list, not parsed.
pub(super) fn raw_list(list: &str) -> Result<Vec<&RawValue>, ListError> {
    serde_json::from_str(list).map_err(|_| ListError::NotAList)
}

/// Parses objects, and skips those that are unreadable.
pub(super) fn objects<'a, T: Element<'a>>(raw: &[&'a RawValue]) -> LenientList<T> {
    readable(raw, object)
}

fn readable<'a, T>(
    raw: &[&'a RawValue],
    read: impl Fn(&'a RawValue) -> Option<T>,
) -> LenientList<T> {
    let elements: Vec<T> = raw.iter().filter_map(|json| read(json)).collect();
    let unread = raw.len() - elements.len();
    LenientList { elements, unread }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::wire::{self, Profile};

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
        assert_eq!(id("1e999"), "1e999");
    }

    /// The id of an object with this one.
    fn id(json: &str) -> String {
        let raw = RawValue::from_string(format!(r#"[{{"title":[[]],"id":{json}}}]"#)).unwrap();
        let list: LenientList<Profile<'_>> = list(&raw, MAX_ELEMENTS).unwrap();
        list.elements[0].id.get().unwrap().to_owned()
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        for (json, text) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""a\ud83dA\ud83d\ude00\n\"\\\/ö""#, "a\u{fffd}A😀\n\"\\/ö"),
            (r#""\ude00\ud83d\u0041""#, "\u{fffd}\u{fffd}A"),
            (r#""\ud83d\ude00""#, "😀"),
        ] {
            assert_eq!(id(json), text);
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

    #[test]
    fn different_copies_of_a_state_are_no_state() {
        let read = |json: &str| {
            let raw = RawValue::from_string(format!("[{json}]")).unwrap();
            let list: LenientList<wire::StateUpdate<'_>> = list(&raw, MAX_ELEMENTS).unwrap();
            list.elements[0].state.get().map(str::to_owned)
        };
        let ignored = Some("Ignored".to_owned());
        assert_eq!(read(r#"{"state":"Ignored","state":"Ignored"}"#), ignored);
        for states in [["Ignored", "Default"], ["Default", "Ignored"]] {
            let [one, other] = states;
            let json = format!(r#"{{"state":"{one}","comment":"x","state":"{other}"}}"#);
            assert_eq!(read(&json), None);
        }
        let thrice = r#"{"state":"Ignored","state":"Default","state":"Default"}"#;
        assert_eq!(read(thrice), None);
    }
}
