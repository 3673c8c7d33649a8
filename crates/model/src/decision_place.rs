//! Where a decision is written.

use std::fmt;
use std::sync::Arc;

/// Where a decision is written: a list and the index in it. Ordered as the lists are
/// read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionPlace {
    /// The list.
    pub list: DecisionSource,
    /// The index, from 0.
    pub index: usize,
}

/// A list of decisions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionSource {
    /// `risk_accepted.exceptions` of the configuration.
    Exceptions,
    /// `decisions` of the configuration.
    Decisions,
    /// A file of `decision_files`, by its name for people.
    File(Arc<str>),
}

impl DecisionSource {
    /// The place of an entry.
    pub const fn at(self, index: usize) -> DecisionPlace {
        DecisionPlace { list: self, index }
    }
}

impl fmt::Display for DecisionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exceptions => "risk_accepted.exceptions",
            Self::Decisions => "decisions",
            Self::File(name) => name,
        })
    }
}

impl fmt::Display for DecisionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.list, self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ordered_as_the_lists_are_read() {
        let file = |name: &str| DecisionSource::File(name.into());
        let places = [
            DecisionSource::Exceptions.at(9),
            DecisionSource::Exceptions.at(10),
            DecisionSource::Decisions.at(0),
            file("decisions.d/a.yml").at(2),
            file("decisions.d/b.yml").at(1),
        ];
        assert!(places.is_sorted());
        assert_eq!(
            places.map(|it| it.to_string()),
            [
                "risk_accepted.exceptions[9]",
                "risk_accepted.exceptions[10]",
                "decisions[0]",
                "decisions.d/a.yml[2]",
                "decisions.d/b.yml[1]",
            ]
        );
    }
}
