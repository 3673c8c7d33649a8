//! By what an event is known again.

use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;
use std::str::FromStr;

/// Bytes of an identity: with 128 bits of a hash, two different events that
/// share one will not be met.
const BYTES: usize = 16;

/// What stays the same of an event, however often and by whom it is found.
///
/// It depends on the event alone, so that a restart, a retry and a second
/// replica all arrive at the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity([u8; BYTES]);

impl Identity {
    /// Of parts in their order. Each goes in with its length, so that no two
    /// lists of parts look alike.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut framed = Vec::new();
        for part in parts {
            framed.extend_from_slice(&(part.len() as u64).to_le_bytes());
            framed.extend_from_slice(part.as_bytes());
        }
        let mut short = [0; BYTES];
        for (to, from) in short.iter_mut().zip(digest(&SHA256, &framed).as_ref()) {
            *to = *from;
        }
        Self(short)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 32 hexadecimal digits")]
pub struct NotAnIdentity;

impl FromStr for Identity {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let well_formed = text.len() == 2 * BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| well_formed);
        number.map(|n| Self(n.to_be_bytes())).ok_or(NotAnIdentity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_reads_back_as_itself() {
        let identity = Identity::of(&["a", "b"]);
        assert_eq!(identity.to_string().parse(), Ok(identity));
        for garbage in ["", "12", "+0000000000000000000000000000000", "zz"] {
            assert_eq!(garbage.parse::<Identity>(), Err(NotAnIdentity), "{garbage}");
        }
    }

    #[test]
    fn where_one_part_ends_and_the_next_begins_matters() {
        assert_ne!(Identity::of(&["ab", "c"]), Identity::of(&["a", "bc"]));
        assert_ne!(Identity::of(&["a"]), Identity::of(&["a", ""]));
    }

    /// Receivers remember it, so it may not change between versions.
    #[test]
    fn an_identity_is_the_same_in_every_version() {
        let identity = Identity::of(&["state_changed", "contoso", "AdminMFAV2"]);
        assert_eq!(identity.to_string(), "94a0ace1d305cb362671bdb28a7e7394");
    }
}
