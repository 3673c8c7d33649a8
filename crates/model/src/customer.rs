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
    /// The relationship that lasts longest; `None` for a member of the partner's
    /// own organization, and where Graph lists no active one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship: Option<Relationship>,
}

/// What lets a partner's users administer a customer.
///
/// An application with its own consent keeps working after the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relationship {
    /// The latest end of the customer's active relationships, without those that
    /// Lighthouse manages.
    pub ends: Timestamp,
    /// Whether that one extends itself at its end.
    pub extends: bool,
}

impl Relationship {
    /// The one that lasts longer. Of two with the same end, one that extends
    /// itself.
    #[must_use]
    pub fn or_longer(self, other: Self) -> Self {
        let order = |it: &Self| (it.ends, it.extends);
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
        /// application.
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
        let (early, late) = (relationship(1, true), relationship(2, false));
        assert_eq!(early.or_longer(late), late);
        assert_eq!(late.or_longer(early), late);
        assert_eq!(
            late.or_longer(relationship(2, true)),
            relationship(2, true),
            "one of two with the same end extends itself"
        );
        assert_eq!(relationship(2, true).or_longer(late), relationship(2, true));
    }

    #[test]
    fn a_customer_that_left_is_still_watched() {
        let watched = CustomerState::ALL.into_iter().filter(|it| it.is_watched());
        let words: Vec<_> = watched.map(CustomerState::as_str).collect();
        assert_eq!(words, ["watched", "not_consented", "left"]);
    }
}
