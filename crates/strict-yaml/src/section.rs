use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::{Diagnostics, Text, suggest};

/// The YAML key of a Rust field: the field's name without a leading `r#`.
pub const fn yaml_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// Declares a mapping of the file as a struct with optional fields.
///
/// Serde's `deny_unknown_fields` stops at the first unknown key. The struct
/// declared here collects them with their spans in `unknown`, for
/// [`unknown_keys`]; `KEYS` lists the known ones. Keys without a value, as where
/// all lines below one are comments, are in `without_value`.
#[macro_export]
macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default, Clone)]
        pub(crate) struct $name {
            $(pub(crate) $field: Option<$kind>,)*
            pub(crate) unknown: Vec<$crate::Text>,
            #[allow(dead_code, reason = "for most keys, no value is the same as no key")]
            pub(crate) without_value: Vec<$crate::Text>,
        }

        impl $name {
            pub(crate) const KEYS: &'static [&'static str] =
                &[$($crate::yaml_name(stringify!($field))),*];
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> Result<Self, D::Error>
            where
                D: $crate::serde::Deserializer<'de>,
            {
                struct Keys;

                impl<'de> $crate::serde::de::Visitor<'de> for Keys {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a mapping")
                    }

                    fn visit_map<A>(self, mut map: A) -> Result<$name, A::Error>
                    where
                        A: $crate::serde::de::MapAccess<'de>,
                    {
                        let mut section = $name::default();
                        while let Some(key) = map.next_key::<$crate::Text>()? {
                            match key.value.as_str() {
                                $(s if s == $crate::yaml_name(stringify!($field)) => {
                                    section.$field = map.next_value()?;
                                    if section.$field.is_none() {
                                        section.without_value.push(key);
                                    }
                                })*
                                _ => {
                                    map.next_value::<$crate::serde::de::IgnoredAny>()?;
                                    section.unknown.push(key);
                                }
                            }
                        }
                        Ok(section)
                    }
                }

                deserializer.deserialize_map(Keys)
            }
        }
    };
}

/// Reports each key that the section does not have.
pub fn unknown_keys(
    section: &str,
    unknown: &[Text],
    known: &[&str],
    diagnostics: &mut Diagnostics,
) {
    for key in unknown {
        let message = suggest::unknown("key", &key.value, known);
        diagnostics.error(key.span, section, message);
    }
}

/// A mapping with keys chosen by the user, in the order of the file.
#[derive(Debug, Clone)]
pub struct Entries<T>(pub Vec<(Text, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Pairs(PhantomData))
    }
}
