use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

use crate::Span;
use crate::suggest::is_plain;

/// A value of any kind, as far as the key of an error is found in it.
pub(crate) enum Node {
    Scalar,
    List(Vec<Spanned<Node>>),
    Mapping(Vec<(Spanned<String>, Spanned<Node>)>),
}

/// The value of a key or list, with its path in the file.
struct Child<'a> {
    path: String,
    key: Option<&'a Spanned<String>>,
    value: &'a Spanned<Node>,
}

impl Node {
    /// The path of the value at `at`, and its place. `alias` is the alias that stands for
    /// the value, if there is one.
    pub(crate) fn value(&self, at: Location, alias: Option<Location>) -> Option<(String, Span)> {
        self.first("", &|it| {
            is_same(it.value.defined, at)
                && alias.is_none_or(|alias| is_same(it.value.referenced, alias))
        })
    }

    /// The path of the key at `at`, and the place of its value.
    pub(crate) fn value_of_key(&self, at: Location) -> Option<(String, Span)> {
        self.first("", &|it| it.key.is_some_and(|key| is_same(key.defined, at)))
    }

    fn first(&self, path: &str, is_wanted: &dyn Fn(&Child<'_>) -> bool) -> Option<(String, Span)> {
        self.children(path).into_iter().find_map(|child| {
            if is_wanted(&child) {
                let span = child.value.referenced.into();
                return Some((child.path, span));
            }
            child.value.value.first(&child.path, is_wanted)
        })
    }

    fn children(&self, path: &str) -> Vec<Child<'_>> {
        match self {
            Self::Scalar => Vec::new(),
            Self::List(values) => values
                .iter()
                .enumerate()
                .map(|(index, value)| Child {
                    path: format!("{path}[{index}]"),
                    key: None,
                    value,
                })
                .collect(),
            Self::Mapping(entries) => entries
                .iter()
                .enumerate()
                .map(|(index, (key, value))| Child {
                    path: path_of(path, index, &key.value),
                    key: Some(key),
                    value,
                })
                .collect(),
        }
    }
}

fn is_same(one: Location, other: Location) -> bool {
    Span::from(one) == Span::from(other)
}

/// The path of a key; a key that may be a secret on the wrong line has its number.
fn path_of(path: &str, index: usize, key: &str) -> String {
    match path {
        _ if !is_plain(key) => format!("{path}[{index}]"),
        "" => key.to_owned(),
        _ => format!("{path}.{key}"),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyKind;

        impl<'de> Visitor<'de> for AnyKind {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_str<E>(self, _: &str) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Node::List(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Mapping(entries))
            }
        }

        deserializer.deserialize_any(AnyKind)
    }
}
