//! JSON values that may have an unexpected type.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

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
        Ok(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Null => Self::Missing,
            Scalar::Text(text) => Self::Text(text),
            Scalar::Bool(value) => Self::Text(Cow::Borrowed(if value { "true" } else { "false" })),
            Scalar::Signed(number) => Self::Text(number.to_string().into()),
            Scalar::Unsigned(number) => Self::Text(number.to_string().into()),
            Scalar::Float(number) => Self::Text(number.to_string().into()),
            Scalar::Container => Self::Invalid,
        })
    }
}

impl<'de> Deserialize<'de> for LenientNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Null => Self::Missing,
            Scalar::Text(text) if text.trim().is_empty() => Self::Missing,
            Scalar::Text(text) => text.trim().parse().map_or(Self::Invalid, Self::Number),
            Scalar::Signed(number) => Self::Number(number as f64),
            Scalar::Unsigned(number) => Self::Number(number as f64),
            Scalar::Float(number) => Self::Number(number),
            Scalar::Bool(_) | Scalar::Container => Self::Invalid,
        })
    }
}

/// Any JSON value, without the contents of objects and lists.
enum Scalar<'a> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(Cow<'a, str>),
    Container,
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Signed(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Unsigned(value))
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

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Container)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Container)
    }
}
