//! Lists inside an element.

use super::lenient::{Element, INNER_LIST, LenientList, objects, raw_list};
use super::plain_list::{MAX_ELEMENTS, PlainList};
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

/// A list inside an element, read with the element where each of its elements can
/// be. Missing and null are different.
#[derive(Debug, Default)]
pub(super) enum InnerList<'a, T> {
    /// The key is missing.
    #[default]
    Missing,
    Null,
    /// At most [`MAX_ELEMENTS`].
    Read(Vec<T>),
    /// Any value of an element that was not read in one pass.
    Unread(&'a str),
}

impl<'a, T: Element<'a>> InnerList<'a, T> {
    /// Whether the key is missing.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// Whether it is null.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Its elements; `None` means that the value is missing, not a list or too long.
    pub(super) fn elements(self) -> Option<LenientList<T>> {
        match self {
            Self::Unread(json) => {
                let raw = raw_elements(json)?;
                (raw.len() <= MAX_ELEMENTS).then(|| objects(&raw))
            }
            list => list.last_elements(MAX_ELEMENTS),
        }
    }

    /// Like [`elements`](Self::elements), of a list of any length. Of a long one the
    /// last `max` elements are read, which is more than [`MAX_ELEMENTS`].
    pub(super) fn last_elements(self, max: usize) -> Option<LenientList<T>> {
        match self {
            Self::Missing => None,
            Self::Null => Some(LenientList::default()),
            Self::Read(elements) => Some(PlainList(elements).into()),
            Self::Unread(json) => {
                let raw = raw_elements(json)?;
                let skipped = raw.len().saturating_sub(max);
                let mut list = objects(raw.get(skipped..)?);
                list.unread += skipped;
                Some(list)
            }
        }
    }
}

fn raw_elements(json: &str) -> Option<Vec<&RawValue>> {
    raw_list(json).ok()
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for InnerList<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(INNER_LIST, InnerListVisitor(PhantomData))
    }
}

struct InnerListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for InnerListVisitor<T> {
    type Value = InnerList<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, list: D) -> Result<Self::Value, D::Error> {
        let list = Option::<PlainList<T>>::deserialize(list)?;
        Ok(list.map_or(InnerList::Null, |it| InnerList::Read(it.0)))
    }

    fn visit_borrowed_str<E>(self, json: &'de str) -> Result<Self::Value, E> {
        Ok(match json {
            "null" => InnerList::Null,
            json => InnerList::Unread(json),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::pages::{self, MAX_ONE_PASS};
    use super::super::subject::Subject;
    use super::super::wire::{Profile, StateUpdate};
    use super::*;

    /// The list of a page's only profile.
    fn updates(page: &str) -> InnerList<'_, StateUpdate<'_>> {
        let page = pages::parse::<Profile<'_>>(Subject::Catalogue, page);
        let mut profiles = page.ok().unwrap().value.elements;
        profiles.remove(0).control_state_updates
    }

    fn page(fields: &str) -> String {
        format!(r#"{{"value":[{{{fields}}}]}}"#)
    }

    #[test]
    fn a_list_is_read_with_its_element_where_that_can_be_read_in_one_pass() {
        for (list, read) in [
            (r#"[{"state":"Ignored"}]"#, true),
            ("[]", true),
            (r#"[{"state":"Ignored"},7]"#, false),
            (r#"[["Ignored"]]"#, false),
            (r#"[{"state":"Ignored","state":"Default"}]"#, false),
            (r#"[{"state":"\ud800"}]"#, false),
            ("{}", false),
            ("7", false),
            (r#""Ignored""#, false),
        ] {
            let page = page(&format!(r#""controlStateUpdates":{list}"#));
            let updates = updates(&page);
            assert_eq!(matches!(updates, InnerList::Read(_)), read, "{list}");
            let is_unread = matches!(updates, InnerList::Unread(it) if it == list);
            assert_eq!(is_unread, !read, "{list}");
        }
    }

    #[test]
    fn the_lists_of_a_long_page_are_read_one_at_a_time() {
        let (list, long) = (r#"[{"state":"Ignored"}]"#, "x".repeat(MAX_ONE_PASS));
        let page = page(&format!(r#""title":"{long}","controlStateUpdates":{list}"#));
        assert!(matches!(updates(&page), InnerList::Unread(it) if it == list));
        let read = updates(&page).elements().unwrap();
        assert_eq!(read.elements[0].state.get(), Some("Ignored"));
    }

    #[test]
    fn null_is_an_empty_list_and_a_missing_one_is_none() {
        // The same of an element that is read by its fields.
        for more in ["", r#","tier":"\ud800""#] {
            let null = page(&format!(r#""controlStateUpdates":null{more}"#));
            assert!(updates(&null).is_null());
            let list = updates(&null).elements().unwrap();
            assert!(list.elements.is_empty() && list.unread == 0);
            let missing = page(&format!(r#""id":"A"{more}"#));
            assert!(updates(&missing).is_missing());
            assert!(updates(&missing).elements().is_none());
        }
    }

    #[test]
    fn the_end_of_a_long_list_is_read() {
        let list = r#"[{"state":"A"},7,{"state":"B"},{"state":"C"},8]"#;
        let page = page(&format!(r#""controlStateUpdates":{list}"#));
        let end = updates(&page).last_elements(3).unwrap();
        let states: Vec<_> = end.elements.iter().map(|it| it.state.get()).collect();
        assert_eq!(states, [Some("B"), Some("C")]);
        assert_eq!(end.unread, 3);
    }
}
