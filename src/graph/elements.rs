//! A list of which one odd element costs only itself.

use super::loose::Raw;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

/// The elements of a list that could be read, and how many could not.
pub(super) struct Elements<T> {
    pub(super) read: Vec<T>,
    pub(super) unread: usize,
}

/// More elements than any list of Graph's has: real catalogues have some 450
/// controls. What comes of one takes two hundred times its bytes.
pub(super) const MOST: usize = 5_000;

/// Why a list was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoElements {
    #[error("its value is not a list")]
    NoList,
    #[error("it lists more than {MOST} elements")]
    TooMany,
}

/// Reads a list of at most so many elements.
///
/// All at once first; element by element, at twice the cost, only when one of
/// them is odd.
pub(super) fn elements<'a, T: Deserialize<'a>>(
    list: &'a RawValue,
    most: usize,
) -> Result<Elements<T>, NoElements> {
    let mut reader = serde_json::Deserializer::from_str(list.get());
    let objects = Objects {
        most,
        of: PhantomData,
    };
    if let Ok(read) = reader.deserialize_seq(objects) {
        return Ok(Elements { read, unread: 0 });
    }
    let raw: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|_| NoElements::NoList)?;
    if raw.len() > most {
        return Err(NoElements::TooMany);
    }
    let read: Vec<T> = raw
        .iter()
        .filter_map(|element| serde_json::from_str(element.get()).ok())
        .map(|Object(element)| element)
        .collect();
    let unread = raw.len() - read.len();
    Ok(Elements { read, unread })
}

/// A list of nothing but objects, and of not too many.
struct Objects<T> {
    most: usize,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Objects<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {} objects", self.most)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Object(element)) = list.next_element()? {
            if read.len() == self.most {
                return Err(A::Error::invalid_length(self.most + 1, &self));
            }
            read.push(element);
        }
        Ok(read)
    }
}

/// An element that is an object. Left to itself, serde also reads a list as
/// one, field by field in order, and `["x"]` would become a control named x.
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

/// The elements of a list inside an element: null means none, anything but a
/// list means that nothing can be told.
pub(super) fn inner_elements<'a, T: Deserialize<'a>>(
    list: &Raw<'a>,
    most: usize,
) -> Option<Elements<T>> {
    match list {
        Raw::Missing => None,
        Raw::Present(null) if null.get() == "null" => Some(Elements {
            read: Vec::new(),
            unread: 0,
        }),
        Raw::Present(list) => elements(list, most).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::wire::Profile;

    #[test]
    fn an_odd_element_does_not_cost_its_page() {
        let raw = RawValue::from_string(r#"[{"id":"A"},7,["C"],{"id":"B"}]"#.to_owned()).unwrap();
        let list: Elements<Profile<'_>> = elements(&raw, MOST).unwrap();
        assert_eq!(list.read.len(), 2);
        assert_eq!(list.unread, 2);
    }

    #[test]
    fn more_than_any_graph_lists_are_not_read() {
        for (element, most) in [("{}", 3), ("7", 3)] {
            let list = |count: usize| {
                let text = format!("[{}]", vec![element; count].join(","));
                RawValue::from_string(text).unwrap()
            };
            let (few, many) = (list(most), list(most + 1));
            assert!(elements::<Profile<'_>>(&few, most).is_ok(), "{element}");
            let refused = elements::<Profile<'_>>(&many, most).err();
            assert_eq!(refused, Some(NoElements::TooMany), "{element}");
        }
    }
}
