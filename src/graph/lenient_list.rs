//! Lists that stay readable if some of their elements are not.

use super::lenient::LenientJson;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

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

/// Parses a list of at most `max` elements. If one of them is unreadable, it
/// parses them one by one, which takes twice as long.
pub(super) fn parse<'a, T: Deserialize<'a>>(
    list: &'a RawValue,
    max: usize,
) -> Result<LenientList<T>, ListError> {
    let mut reader = serde_json::Deserializer::from_str(list.get());
    let objects = Objects {
        max,
        of: PhantomData,
    };
    if let Ok(elements) = reader.deserialize_seq(objects) {
        return Ok(LenientList {
            elements,
            unread: 0,
        });
    }
    let raw: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|_| ListError::NotAList)?;
    if raw.len() > max {
        return Err(ListError::TooLong);
    }
    let elements: Vec<T> = raw
        .iter()
        .filter_map(|element| serde_json::from_str(element.get()).ok())
        .map(|Object(element)| element)
        .collect();
    let unread = raw.len() - elements.len();
    Ok(LenientList { elements, unread })
}

/// A list of at most `max` objects.
struct Objects<T> {
    max: usize,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Objects<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {} objects", self.max)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Object(element)) = list.next_element()? {
            if read.len() == self.max {
                return Err(A::Error::invalid_length(self.max + 1, &self));
            }
            read.push(element);
        }
        Ok(read)
    }
}

/// An element that is an object. By default serde also parses a list as the
/// fields in order, so that `["x"]` would become a control named x.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// Parses a list inside an element. Null is an empty list; `None` means that
/// the value is missing or not a list.
pub(super) fn parse_inner<'a, T: Deserialize<'a>>(
    list: &LenientJson<'a>,
    max: usize,
) -> Option<LenientList<T>> {
    match list {
        LenientJson::Missing => None,
        LenientJson::Present(null) if null.get() == "null" => Some(LenientList {
            elements: Vec::new(),
            unread: 0,
        }),
        LenientJson::Present(list) => parse(list, max).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::wire::Profile;

    #[test]
    fn an_unreadable_element_is_skipped() {
        let raw = RawValue::from_string(r#"[{"id":"A"},7,["C"],{"id":"B"}]"#.to_owned()).unwrap();
        let list: LenientList<Profile<'_>> = parse(&raw, MAX_ELEMENTS).unwrap();
        assert_eq!(list.elements.len(), 2);
        assert_eq!(list.unread, 2);
    }

    #[test]
    fn a_list_that_is_too_long_is_refused() {
        for (element, max) in [("{}", 3), ("7", 3)] {
            let list = |count: usize| {
                let text = format!("[{}]", vec![element; count].join(","));
                RawValue::from_string(text).unwrap()
            };
            let (few, many) = (list(max), list(max + 1));
            assert!(parse::<Profile<'_>>(&few, max).is_ok(), "{element}");
            let refused = parse::<Profile<'_>>(&many, max).err();
            assert_eq!(refused, Some(ListError::TooLong), "{element}");
        }
    }
}
