//! A tenant in a partner's list.

use crate::Timestamp;
use crate::label_values::label_values;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A tenant in the list of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Its GUID, in lower case.
    #[serde(rename = "id")]
    pub tenant_id: Arc<str>,
    /// Its name on one line; empty where Graph sends none.
    #[serde(rename = "name")]
    pub display_name: Arc<str>,
    /// The relationship that lasts longest, or else the one that ended last; `None`
    /// for a member of the partner's own organization, and where Graph lists none
    /// with an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship: Option<Relationship>,
}

/// What lets a partner's users administer a customer.
///
/// An application with its own consent keeps working after the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relationship {
    /// When it ends. One that was terminated early ended then.
    pub ends: Timestamp,
    /// Whether it is active and extends itself at its end.
    pub extends: bool,
}

impl Relationship {
    /// The one that lasts longer: one that extends itself outlasts each that does
    /// not; of two that do or do not, the later end counts.
    #[must_use]
    pub fn or_longer(self, other: Self) -> Self {
        let order = |it: &Self| (it.extends, it.ends);
        match order(&other) > order(&self) {
            true => other,
            false => self,
        }
    }
}

label_values! {
    /// Whether the exporter watches a customer, and if not, why.
    pub enum CustomerState {
        /// It is configured, or watched because of `new_customers: watch`.
        Watched = "watched",
        /// It is in the list and not watched.
        Unwatched = "unwatched",
        /// The partner's patterns exclude it.
        Excluded = "excluded",
        /// It is watched, was never read, and has not consented to the
        /// application. Only the shard that refreshes a customer sees this.
        NotConsented = "not_consented",
        /// It is watched, and a complete list no longer has it.
        Left = "left",
    }
}

impl CustomerState {
    /// Whether a customer in this state has a tenant of the exporter.
    pub const fn is_watched(self) -> bool {
        matches!(self, Self::Watched | Self::NotConsented | Self::Left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relationship_that_lasts_longest_counts() {
        let relationship = |ends, extends| Relationship {
            ends: Timestamp::from_seconds(ends),
            extends,
        };
        let longest = |a: Relationship, b: Relationship| {
            assert_eq!(a.or_longer(b), b.or_longer(a));
            a.or_longer(b)
        };
        let (early, late) = (relationship(1, true), relationship(2, false));
        assert_eq!(longest(early, late), early, "it extends itself");
        assert_eq!(longest(early, relationship(2, true)), relationship(2, true));
        assert_eq!(longest(late, relationship(1, false)), late);
    }

    #[test]
    fn a_customer_that_left_is_still_watched() {
        let watched = CustomerState::ALL.into_iter().filter(|it| it.is_watched());
        let words: Vec<_> = watched.map(CustomerState::as_str).collect();
        assert_eq!(words, ["watched", "not_consented", "left"]);
    }
}
