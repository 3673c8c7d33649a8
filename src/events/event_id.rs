//! The id of an event.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// 128 bits of a hash make a collision of two events practically impossible.
const BYTES: usize = 16;

/// The id of an event, or of a change in a history.
///
/// It depends on the event alone, so that a restart, a retry and a second
/// replica compute the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct EventId([u8; BYTES]);

impl EventId {
    /// The id of a list of parts. Each part is hashed with its length, so that
    /// no two lists give the same input.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut framed = Vec::new();
        for part in parts {
            framed.extend_from_slice(&(part.len() as u64).to_le_bytes());
            framed.extend_from_slice(part.as_bytes());
        }
        let mut id = [0; BYTES];
        for (to, from) in id.iter_mut().zip(digest(&SHA256, &framed).as_ref()) {
            *to = *from;
        }
        Self(id)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The text is not an event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 32 hexadecimal digits")]
pub struct NotAnEventId;

impl FromStr for EventId {
    type Err = NotAnEventId;

    fn from_str(text: &str) -> Result<Self, NotAnEventId> {
        let well_formed = text.len() == 2 * BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| well_formed);
        number.map(|n| Self(n.to_be_bytes())).ok_or(NotAnEventId)
    }
}

impl TryFrom<String> for EventId {
    type Error = NotAnEventId;

    fn try_from(text: String) -> Result<Self, NotAnEventId> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_parsed_from_its_text() {
        let id = EventId::of(&["a", "b"]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for invalid in ["", "12", "+0000000000000000000000000000000", "zz"] {
            assert_eq!(invalid.parse::<EventId>(), Err(NotAnEventId), "{invalid}");
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
