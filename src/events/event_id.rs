//! The id of an event.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// The id of an event, or of a change in a history.
///
/// It depends on the event alone, so that a restart, a retry and a second
/// replica compute the same id. 128 bits of a hash make a collision of two
/// events practically impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct EventId(u128);

impl EventId {
    /// The id of a list of parts. Each part is hashed with its length, so that
    /// no two lists give the same input.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut framed = Vec::new();
        for part in parts {
            framed.extend_from_slice(&(part.len() as u64).to_le_bytes());
            framed.extend_from_slice(part.as_bytes());
        }
        let hash = digest(&SHA256, &framed);
        let bytes = hash.as_ref().first_chunk().copied().unwrap_or_default();
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TryFrom<String> for EventId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let well_formed = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u128::from_str_radix(&text, 16).ok();
        let number = number.filter(|_| well_formed);
        number.map(Self).ok_or("not 32 hexadecimal digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_parsed_from_its_text() {
        let id = EventId::of(&["a", "b"]);
        assert_eq!(EventId::try_from(id.to_string()), Ok(id));
        for invalid in ["", "12", "+0000000000000000000000000000000", "zz"] {
            assert!(EventId::try_from(invalid.to_owned()).is_err(), "{invalid}");
        }
    }

    #[test]
    fn the_border_between_two_parts_matters() {
        assert_ne!(EventId::of(&["ab", "c"]), EventId::of(&["a", "bc"]));
        assert_ne!(EventId::of(&["a"]), EventId::of(&["a", ""]));
    }

    /// Receivers store ids, so they must not change between versions.
    #[test]
    fn an_id_is_the_same_in_every_version() {
        let id = EventId::of(&["state_changed", "contoso", "AdminMFAV2"]);
        assert_eq!(id.to_string(), "94a0ace1d305cb362671bdb28a7e7394");
    }
}
