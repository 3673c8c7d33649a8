//! A list of which one odd element costs only itself.

use super::loose::Raw;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

/// The elements of a list that could be read, and how many could not.
pub(super) struct Elements<T> {
    pub(super) read: Vec<T>,
    pub(super) unread: usize,
}

/// Reads a list; `None` when it is none.
///
/// All at once first; element by element, at twice the cost, only when one of
/// them is odd.
pub(super) fn elements<'a, T: Deserialize<'a>>(list: &'a RawValue) -> Option<Elements<T>> {
    if let Ok(objects) = serde_json::from_str::<Vec<Object<T>>>(list.get()) {
        let read = objects.into_iter().map(|Object(element)| element).collect();
        return Some(Elements { read, unread: 0 });
    }
    let raw: Vec<&RawValue> = serde_json::from_str(list.get()).ok()?;
    let read: Vec<T> = raw
        .iter()
        .filter_map(|element| serde_json::from_str(element.get()).ok())
        .map(|Object(element)| element)
        .collect();
    let unread = raw.len() - read.len();
    Some(Elements { read, unread })
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
pub(super) fn inner_elements<'a, T: Deserialize<'a>>(list: &Raw<'a>) -> Option<Elements<T>> {
    match list {
        Raw::Missing => None,
        Raw::Present(null) if null.get() == "null" => Some(Elements {
            read: Vec::new(),
            unread: 0,
        }),
        Raw::Present(list) => elements(list),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::wire::Profile;

    #[test]
    fn an_odd_element_does_not_cost_its_page() {
        let raw = RawValue::from_string(r#"[{"id":"A"},7,["C"],{"id":"B"}]"#.to_owned()).unwrap();
        let list: Elements<Profile<'_>> = elements(&raw).unwrap();
        assert_eq!(list.read.len(), 2);
        assert_eq!(list.unread, 2);
    }
}
