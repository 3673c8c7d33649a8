//! OData's paging: skip tokens and next links.

use uuid::Uuid;

use crate::query::Query;
use crate::rng::mix;

/// The member of a page that links to the next one.
pub(crate) const NEXT_LINK: &str = "@odata.nextLink";

/// Where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageCursor {
    /// The page's number, from 1.
    pub(crate) page: u32,
    /// The index of its first element.
    pub(crate) start: u32,
}

impl PageCursor {
    /// The first page.
    pub(crate) fn first(start: u32) -> Self {
        Self { page: 1, start }
    }

    /// The cursor as an opaque GUID.
    ///
    /// The GUID contains the cursor, so the simulator keeps no list of skip
    /// tokens and a client that pages without end costs no memory.
    pub(crate) fn to_skiptoken(self, key: u64) -> Uuid {
        let encoded = (u64::from(self.page) << 32 | u64::from(self.start)) ^ mix(key);
        Uuid::from_u128(u128::from(encoded) << 64 | u128::from(mix(encoded ^ key)))
    }

    /// The cursor in a GUID that was encoded with the same key.
    pub(crate) fn from_skiptoken(key: u64, text: &str) -> Option<Self> {
        let number = Uuid::try_parse(text).ok()?.as_u128();
        let encoded = (number >> 64) as u64;
        let is_genuine = mix(encoded ^ key) == number as u64;
        let decoded = encoded ^ mix(key);
        is_genuine.then_some(Self {
            page: (decoded >> 32) as u32,
            start: decoded as u32,
        })
    }
}

/// The links of a page.
pub(crate) struct PageLinks<'a> {
    pub(crate) base: &'a str,
    pub(crate) path: &'static str,
    /// The option that holds the skip token.
    pub(crate) skip_option: &'static str,
    pub(crate) query: &'a str,
    pub(crate) next: PageCursor,
    pub(crate) key: u64,
}

impl PageLinks<'_> {
    /// The URL of this page.
    pub(crate) fn this(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{}", self.base, self.path, self.query)
    }

    /// The URL of the next page.
    pub(crate) fn next(&self) -> String {
        format!("{}{}", self.base, self.next_path())
    }

    /// Path and query of the next page, which keeps this page's other options:
    /// the skip token takes precedence over `$skip`.
    pub(crate) fn next_path(&self) -> String {
        let options = self.query.split('&').filter(|option| !option.is_empty());
        let kept: String = options
            .filter(|option| Query::parse(option).value("$skiptoken").is_none())
            .flat_map(|option| [option, "&"])
            .collect();
        let skiptoken = self.next.to_skiptoken(self.key);
        format!("{}?{kept}{}={skiptoken}", self.path, self.skip_option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_token_is_valid_with_its_own_key_only() {
        let cursor = PageCursor {
            page: 2,
            start: 200,
        };
        let skiptoken = cursor.to_skiptoken(9).to_string();
        assert_eq!(PageCursor::from_skiptoken(9, &skiptoken), Some(cursor));
        assert_eq!(PageCursor::from_skiptoken(8, &skiptoken), None);
        assert_eq!(PageCursor::from_skiptoken(9, "nonsense"), None);
    }
}
