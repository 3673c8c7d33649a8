//! The YAML file as written, before anybody asks what it means.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::written::{Text, Written};

/// The key as written in the file, where Rust needs `r#` before a reserved word.
pub(crate) const fn spelt(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// Declares a section: its keys, each optional, and the keys nobody knows.
///
/// Serde's own `deny_unknown_fields` stops at the first unknown key. Here they
/// are kept with their places, so that all are reported in one run together
/// with everything else.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default, Clone)]
        pub(crate) struct $name {
            $(pub(crate) $field: Option<$kind>,)*
            pub(crate) unknown: Vec<Text>,
        }

        impl $name {
            pub(crate) const KEYS: &'static [&'static str] = &[$(spelt(stringify!($field))),*];
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Keys;

                impl<'de> Visitor<'de> for Keys {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a mapping")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut section = $name::default();
                        while let Some(key) = map.next_key::<Text>()? {
                            match key.value.as_str() {
                                $(s if s == spelt(stringify!($field)) => section.$field = map.next_value()?,)*
                                _ => {
                                    map.next_value::<IgnoredAny>()?;
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

pub(crate) use section;

section! {
    /// The whole file.
    File {
        refresh: FileRefresh,
        credentials: Entries<Written<FileCredential>>,
        defaults: FileDefaults,
        tenants: Vec<Written<FileTenant>>,
        tenant_files: Vec<Text>,
        controls: FileControls,
        risk_accepted: FileRiskAccepted,
        labels: FileLabels,
        privacy: FilePrivacy,
        events: FileEvents,
        graph: FileGraph,
        simulator: Written<FileSimulator>,
    }
}

section! {
    FileRefresh {
        mode: Text,
        profiles: Text,
        scores: Text,
        max_staleness: Text,
        timeout: Text,
        concurrency: Text,
    }
}

section! {
    /// An inline `client_secret` is recognised only to be refused, so its value
    /// is not even kept.
    FileCredential {
        r#type: Text,
        client_id: Text,
        client_secret: Written<IgnoredAny>,
        client_secret_file: Text,
        client_secret_env: Text,
        certificate_file: Text,
        key_file: Text,
        password_file: Text,
        password_env: Text,
        token_file: Text,
        managed_identity: Text,
        expires: Text,
    }
}

section! {
    FileDefaults {
        credential: Written<FileCredentialUse>,
        cloud: Text,
        target: Text,
    }
}

section! {
    FileTenant {
        name: Text,
        tenant_id: Text,
        display_name: Text,
        cloud: Text,
        credential: Written<FileCredentialUse>,
        target: Text,
        labels: Entries<Text>,
    }
}

section! {
    FileControls {
        categories: Vec<Text>,
        include: Vec<Text>,
        exclude: Vec<Text>,
        category_overrides: Entries<Text>,
    }
}

section! {
    FileRiskAccepted {
        lookback: Text,
        watch: Vec<Text>,
        exceptions: Vec<Written<FileException>>,
    }
}

section! {
    FileException {
        control: Text,
        tenants: Written<OneOrMany>,
        reference: Text,
        approver: Text,
        reason: Text,
        approved_on: Text,
        accepted_by: Text,
        expires: Text,
    }
}

section! { FileLabels { accepted_by: Text, comment: Text, salt_file: Text } }
section! { FilePrivacy { events: Text } }
section! { FileEvents { webhook: Written<FileWebhook> } }
section! { FileWebhook { url: Text, url_file: Text, authorization_file: Text, timeout: Text } }
section! { FileGraph { ca_file: Text } }
section! { FileSimulator { url: Text, ca_file: Text } }

/// A mapping whose keys the user chooses, in the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Entries<T>(pub(crate) Vec<(Text, T)>);

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

/// One word, or a list of them.
#[derive(Debug, Clone)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<Text>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(OneOrMany::One(name.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(names)).map(OneOrMany::Many)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A tenant's credential: the name of one, or one written in place.
#[derive(Debug, Clone)]
pub(super) enum FileCredentialUse {
    Named(String),
    Inline(Box<FileCredential>),
}

impl<'de> Deserialize<'de> for FileCredentialUse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = FileCredentialUse;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a credential or a mapping")
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(FileCredentialUse::Named(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                FileCredential::deserialize(MapAccessDeserializer::new(map))
                    .map(|credential| FileCredentialUse::Inline(Box::new(credential)))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
