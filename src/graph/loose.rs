//! Values whose type cannot be relied upon.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A string; numbers and booleans are taken as they are written, since Graph
/// sends `"true"` and `true`, `"5"` and `5`.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Text<'a> {
    /// Missing, null, or empty.
    #[default]
    Nothing,
    /// Something.
    Some(Cow<'a, str>),
    /// An object or a list where a word was expected.
    Odd,
}

impl Text<'_> {
    /// The text without blanks around it.
    pub(super) fn get(&self) -> Option<&str> {
        match self {
            Self::Some(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Self::Nothing | Self::Odd => None,
        }
    }
}

/// A number, possibly written as a string.
#[derive(Debug, Default, PartialEq, Clone, Copy)]
pub(super) enum Number {
    /// Missing or null.
    #[default]
    Nothing,
    /// A number, sane or not.
    Some(f64),
    /// Something that is no number.
    Odd,
}

/// Something to be read later; missing and null are different.
#[derive(Debug, Default)]
pub(super) enum Raw<'a> {
    /// The key is not there.
    #[default]
    Missing,
    /// Null or anything else.
    Present(&'a RawValue),
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::Present)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Borrowed(if value {
            "true"
        } else {
            "false"
        })))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Owned(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Owned(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Owned(value.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        skip_seq(seq)?;
        Ok(Text::Odd)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        skip_map(map)?;
        Ok(Text::Odd)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Number, E> {
        Ok(Number::Some(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
        Ok(Number::Some(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
        Ok(Number::Some(value as f64))
    }

    fn visit_str<E>(self, text: &str) -> Result<Number, E> {
        let text = text.trim();
        Ok(match text.parse() {
            _ if text.is_empty() => Number::Nothing,
            Ok(value) => Number::Some(value),
            Err(_) => Number::Odd,
        })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
        Ok(Number::Odd)
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Number, A::Error> {
        skip_seq(seq)?;
        Ok(Number::Odd)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Number, A::Error> {
        skip_map(map)?;
        Ok(Number::Odd)
    }
}

fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}
