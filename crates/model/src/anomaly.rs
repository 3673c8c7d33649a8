//! What in an answer of Graph could not be used as it stood.

use std::collections::BTreeMap;

/// A field whose word was outside the set we know; the value became *unknown*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnknownField {
    /// A control's state.
    State,
    /// A control's category.
    Category,
    /// A control's tier.
    Tier,
    /// A control's impact on users.
    UserImpact,
    /// A control's cost.
    ImplementationCost,
    /// A control's kind of action.
    ActionType,
    /// The basis of a comparison.
    Basis,
}

/// A thing that was left out because it could not be read or believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkippedField {
    /// A whole list element that could not be decoded.
    Element,
    /// An element without an id, or with one too long for a label.
    Id,
    /// A second element with the id of an earlier one.
    Duplicate,
    /// A number of points that cannot be meant, such as −1.
    Score,
    /// A maximum that cannot be meant.
    MaxScore,
    /// A date that cannot be read.
    Date,
    /// A comparison's number that cannot be meant.
    Comparison,
    /// A count of users that cannot be meant.
    Users,
}

/// How a closed set of words names its members and which API they belong to.
pub trait Field: Copy + Ord + 'static {
    /// The members that can occur in the catalogue (`profiles`).
    const PROFILES: &'static [Self];
    /// The members that can occur in a report (`scores`).
    const SCORES: &'static [Self];
    /// The word used in the `field` label.
    fn as_str(self) -> &'static str;
}

impl Field for UnknownField {
    const PROFILES: &'static [Self] = &[
        Self::State,
        Self::Category,
        Self::Tier,
        Self::UserImpact,
        Self::ImplementationCost,
        Self::ActionType,
    ];
    const SCORES: &'static [Self] = &[Self::Category, Self::Basis];

    fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Category => "category",
            Self::Tier => "tier",
            Self::UserImpact => "user_impact",
            Self::ImplementationCost => "implementation_cost",
            Self::ActionType => "action_type",
            Self::Basis => "basis",
        }
    }
}

impl Field for SkippedField {
    const PROFILES: &'static [Self] = &[
        Self::Element,
        Self::Id,
        Self::Duplicate,
        Self::MaxScore,
        Self::Date,
    ];
    const SCORES: &'static [Self] = &[
        Self::Element,
        Self::Id,
        Self::Duplicate,
        Self::Score,
        Self::MaxScore,
        Self::Date,
        Self::Comparison,
        Self::Users,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Element => "element",
            Self::Id => "id",
            Self::Duplicate => "duplicate",
            Self::Score => "score",
            Self::MaxScore => "max_score",
            Self::Date => "date",
            Self::Comparison => "comparison",
            Self::Users => "users",
        }
    }
}

/// The tally of one answer.
///
/// Counted instead of logged line by line: one odd element is no reason to
/// lose the other 350 controls, and no reason for silence either.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Anomalies {
    unknown: BTreeMap<UnknownField, u64>,
    skipped: BTreeMap<SkippedField, u64>,
}

impl Anomalies {
    /// Notes a word outside the set we know.
    pub fn unknown(&mut self, field: UnknownField) {
        *self.unknown.entry(field).or_default() += 1;
    }

    /// Notes something left out.
    pub fn skipped(&mut self, field: SkippedField) {
        *self.skipped.entry(field).or_default() += 1;
    }

    /// How many values of a field were unknown.
    pub fn count_unknown(&self, field: UnknownField) -> u64 {
        self.unknown.get(&field).copied().unwrap_or(0)
    }

    /// How many things were left out for a field's sake.
    pub fn count_skipped(&self, field: SkippedField) -> u64 {
        self.skipped.get(&field).copied().unwrap_or(0)
    }

    /// Whether everything could be used.
    pub fn is_empty(&self) -> bool {
        self.unknown.is_empty() && self.skipped.is_empty()
    }
}

impl std::fmt::Display for Anomalies {
    /// `2 of unknown meaning (tier), 1 left out (id)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut separator = "";
        for (count, what, field) in self.listed() {
            write!(f, "{separator}{count} {what} ({field})")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl Anomalies {
    fn listed(&self) -> impl Iterator<Item = (u64, &'static str, &'static str)> {
        let unknown = self.all_unknown();
        let skipped = self.all_skipped();
        unknown
            .map(|(field, count)| (count, "of unknown meaning", field.as_str()))
            .chain(skipped.map(|(field, count)| (count, "left out", field.as_str())))
    }

    /// The fields that held unknown words, and how many.
    pub fn all_unknown(&self) -> impl Iterator<Item = (UnknownField, u64)> {
        self.unknown.iter().map(|(field, count)| (*field, *count))
    }

    /// The fields of which something was left out, and how many.
    pub fn all_skipped(&self) -> impl Iterator<Item = (SkippedField, u64)> {
        self.skipped.iter().map(|(field, count)| (*field, *count))
    }

    /// Counts several unknown words at once.
    pub fn add_unknown(&mut self, field: UnknownField, count: u64) {
        *self.unknown.entry(field).or_default() += count;
    }

    /// Counts several things left out at once.
    pub fn add_skipped(&mut self, field: SkippedField, count: u64) {
        *self.skipped.entry(field).or_default() += count;
    }
}
