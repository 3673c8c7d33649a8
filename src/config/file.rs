//! The YAML file as written, before anybody asks what it means.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use strict_yaml::{Entries, Spanned, Text, section};

section! {
    /// The whole file.
    File {
        refresh: FileRefresh,
        credentials: Entries<Spanned<FileCredential>>,
        defaults: FileDefaults,
        tenants: Vec<Spanned<FileTenant>>,
        tenant_files: Vec<Text>,
        controls: FileControls,
        risk_accepted: FileRiskAccepted,
        labels: FileLabels,
        privacy: FilePrivacy,
        events: FileEvents,
        graph: FileGraph,
        simulator: Spanned<FileSimulator>,
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
        client_secret: Spanned<IgnoredAny>,
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
        credential: Spanned<FileCredentialUse>,
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
        credential: Spanned<FileCredentialUse>,
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
        exceptions: Vec<Spanned<FileException>>,
    }
}

section! {
    FileException {
        control: Text,
        tenants: Spanned<OneOrMany>,
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
section! { FileEvents { webhook: Spanned<FileWebhook> } }
section! { FileWebhook { url: Text, url_file: Text, authorization_file: Text, timeout: Text } }
section! { FileGraph { ca_file: Text } }
section! { FileSimulator { url: Text, ca_file: Text } }

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
