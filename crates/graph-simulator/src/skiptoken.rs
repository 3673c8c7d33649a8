//! The opaque place marker of a list.

use uuid::Uuid;

use super::dice::scramble;

/// Where the next page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The page's number, from 1.
    pub(super) page: u32,
    /// The first element on it.
    pub(super) start: u32,
}

impl Cursor {
    pub(super) const FIRST: Self = Self { page: 1, start: 0 };

    /// A GUID that says nothing to anybody without the key.
    ///
    /// The place is inside it, so no list of markers is kept: a client that
    /// pages for ever costs no memory here.
    pub(super) fn to_guid(self, key: u64) -> Uuid {
        let place = (u64::from(self.page) << 32 | u64::from(self.start)) ^ scramble(key);
        Uuid::from_u128(u128::from(place) << 64 | u128::from(scramble(place ^ key)))
    }

    /// The place in a GUID made with the same key.
    pub(super) fn from_guid(key: u64, text: &str) -> Option<Self> {
        let number = Uuid::try_parse(text).ok()?.as_u128();
        let place = (number >> 64) as u64;
        let genuine = scramble(place ^ key) == number as u64;
        let plain = place ^ scramble(key);
        genuine.then_some(Self {
            page: (plain >> 32) as u32,
            start: plain as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_leads_back_to_its_place_with_the_same_key_only() {
        let cursor = Cursor {
            page: 2,
            start: 200,
        };
        let guid = cursor.to_guid(9).to_string();
        assert_eq!(Cursor::from_guid(9, &guid), Some(cursor));
        assert_eq!(Cursor::from_guid(8, &guid), None);
        assert_eq!(Cursor::from_guid(9, "nonsense"), None);
    }
}
