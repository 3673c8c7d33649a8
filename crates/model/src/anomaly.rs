//! Values in an answer of Graph that could not be used.

use crate::Api;
use crate::label_values::label_values;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

label_values! {
    /// A field whose word was outside the known set; its value became *unknown*.
    pub enum UnknownField {
        /// A control's state.
        State = "state",
        /// A control's category.
        Category = "category",
        /// A control's tier.
        Tier = "tier",
        /// A control's impact on users.
        UserImpact = "user_impact",
        /// A control's cost.
        ImplementationCost = "implementation_cost",
        /// A control's kind of action.
        ActionType = "action_type",
        /// The basis of a comparison.
        Basis = "basis",
        /// A recommendation's status.
        Status = "status",
        /// A recommendation's type.
        Type = "type",
        /// A recommendation's priority.
        Priority = "priority",
    }
}

label_values! {
    /// The field because of which something was skipped.
    pub enum SkippedField {
        /// A whole list element that could not be decoded.
        Element = "element",
        /// An update in a control's history that cannot be read, or the whole
        /// history; its state became *unknown*.
        StateUpdate = "state_update",
        /// An element without an id, or with one too long for a label.
        Id = "id",
        /// A second element with the same id.
        Duplicate = "duplicate",
        /// A number of points outside the valid range, such as −1.
        Score = "score",
        /// A maximum outside the valid range.
        MaxScore = "max_score",
        /// A date that cannot be parsed.
        Date = "date",
        /// A number of a comparison outside the valid range.
        Comparison = "comparison",
        /// A count of users outside the valid range.
        Users = "users",
        /// A resource of a recommendation that cannot be read, or all of them.
        Resource = "resource",
    }
}

impl UnknownField {
    /// The members that can occur in a list.
    pub const fn of(api: Api) -> &'static [Self] {
        match api {
            Api::Profiles => &[
                Self::State,
                Self::Category,
                Self::Tier,
                Self::UserImpact,
                Self::ImplementationCost,
                Self::ActionType,
            ],
            Api::Scores => &[Self::Category, Self::Basis],
            Api::Recommendations => &[Self::Status, Self::Category, Self::Type, Self::Priority],
            Api::IdentityScores => &[],
        }
    }
}

impl SkippedField {
    /// The members that can occur in a list.
    pub const fn of(api: Api) -> &'static [Self] {
        match api {
            Api::Profiles => &[
                Self::Element,
                Self::StateUpdate,
                Self::Id,
                Self::Duplicate,
                Self::MaxScore,
                Self::Date,
            ],
            Api::Scores => &[
                Self::Element,
                Self::Id,
                Self::Duplicate,
                Self::Score,
                Self::MaxScore,
                Self::Date,
                Self::Comparison,
                Self::Users,
            ],
            Api::Recommendations => &[
                Self::Element,
                Self::Id,
                Self::Duplicate,
                Self::Score,
                Self::MaxScore,
                Self::Date,
                Self::Resource,
            ],
            Api::IdentityScores => &[Self::Element, Self::Score, Self::MaxScore, Self::Date],
        }
    }
}

/// How many values of one answer were unknown or skipped, by field.
///
/// They are counted instead of logged one by one: an invalid element must
/// neither cost the tenant its other controls nor pass unnoticed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Anomalies {
    unknown: BTreeMap<UnknownField, u64>,
    skipped: BTreeMap<SkippedField, u64>,
}

impl Anomalies {
    /// Counts a word outside the known set.
    pub fn unknown(&mut self, field: UnknownField) {
        *self.unknown.entry(field).or_default() += 1;
    }

    /// Counts something skipped.
    pub fn skipped(&mut self, field: SkippedField) {
        *self.skipped.entry(field).or_default() += 1;
    }

    /// How many values of a field were unknown.
    pub fn count_unknown(&self, field: UnknownField) -> u64 {
        self.unknown.get(&field).copied().unwrap_or(0)
    }

    /// How many things were skipped because of a field.
    pub fn count_skipped(&self, field: SkippedField) -> u64 {
        self.skipped.get(&field).copied().unwrap_or(0)
    }

    /// The fields because of which something was skipped, with the counts.
    pub fn all_skipped(&self) -> impl Iterator<Item = (SkippedField, u64)> {
        self.skipped.iter().map(|(field, count)| (*field, *count))
    }

    /// Whether every value could be used.
    pub fn is_empty(&self) -> bool {
        self.unknown.is_empty() && self.skipped.is_empty()
    }
}

impl fmt::Display for Anomalies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = self.unknown.iter();
        let unknown = unknown.map(|(field, count)| format!("{count} of unknown meaning ({field})"));
        let skipped = self.skipped.iter();
        let skipped = skipped.map(|(field, count)| format!("{count} left out ({field})"));
        f.write_str(&unknown.chain(skipped).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anomalies_are_counted_by_field() {
        let mut anomalies = Anomalies::default();
        assert!(anomalies.is_empty());
        anomalies.unknown(UnknownField::Tier);
        assert!(!anomalies.is_empty());
        anomalies.unknown(UnknownField::Tier);
        anomalies.skipped(SkippedField::Id);
        assert_eq!(anomalies.count_unknown(UnknownField::Tier), 2);
        assert_eq!(anomalies.count_unknown(UnknownField::State), 0);
        assert_eq!(anomalies.count_skipped(SkippedField::Id), 1);
        assert_eq!(anomalies.count_skipped(SkippedField::Date), 0);
        let all: Vec<_> = anomalies.all_skipped().collect();
        assert_eq!(all, [(SkippedField::Id, 1)]);
        let text = "2 of unknown meaning (tier), 1 left out (id)";
        assert_eq!(anomalies.to_string(), text);
        let mut skipped = Anomalies::default();
        skipped.skipped(SkippedField::Date);
        assert!(!skipped.is_empty());
    }
}
