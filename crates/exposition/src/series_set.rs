//! Which series of a tenant are exported.

/// The series that are exported of each tenant, the smallest set first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum SeriesSet {
    /// What alerts and the dashboard of accepted risks need. Of each control, one
    /// series says whether its risk is accepted; the rest is of controls with a
    /// declared state.
    Acceptances,
    /// What dashboards show: also the scores of each control. Of a control that is
    /// neither scored nor declared, one series says whether its risk is accepted.
    Controls,
    /// Every family.
    #[default]
    Full,
}

impl SeriesSet {
    /// All of them, the smallest first.
    pub const ALL: [Self; 3] = [Self::Acceptances, Self::Controls, Self::Full];

    /// Its name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acceptances => "acceptances",
            Self::Controls => "controls",
            Self::Full => "full",
        }
    }

    /// What this set has of a family.
    pub(super) const fn part_of(self, membership: Membership) -> Part {
        match (membership, self) {
            (Membership::Every, _)
            | (_, Self::Full)
            | (Membership::Nonzero | Membership::Controls, Self::Controls) => Part::Whole,
            (Membership::Declared, Self::Controls) => Part::ScoredOrDeclared,
            (Membership::Declared, Self::Acceptances) => Part::Declared,
            (Membership::Nonzero, Self::Acceptances) => Part::Nonzero,
            (Membership::Controls | Membership::Full, _) => Part::Nothing,
        }
    }
}

/// In which sets a family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// In every set.
    Every,
    /// In every set; in `acceptances` only of controls and recommendations with a
    /// declared state, in `controls` also of scored controls and of every
    /// recommendation.
    Declared,
    /// In every set; in `acceptances` without zeros.
    Nonzero,
    /// In `controls` and `full`.
    Controls,
    /// In `full` only.
    Full,
}

impl Membership {
    /// The smallest set that has every series of the family.
    pub const fn smallest_whole(self) -> SeriesSet {
        match self {
            Self::Every => SeriesSet::Acceptances,
            Self::Nonzero | Self::Controls => SeriesSet::Controls,
            Self::Declared | Self::Full => SeriesSet::Full,
        }
    }

    /// The sets, as the reference page writes them.
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::Every => "every",
            Self::Declared => "every, `controls` if scored or declared, `acceptances` if declared",
            Self::Nonzero => "every, `acceptances` if not 0",
            Self::Controls => "`controls`, `full`",
            Self::Full => "`full`",
        }
    }
}

/// What a set has of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// No series.
    Nothing,
    /// Series of controls and recommendations with a declared state.
    Declared,
    /// Series of controls that are scored or have a declared state, and of every
    /// recommendation.
    ScoredOrDeclared,
    /// Series that are not 0.
    Nonzero,
    /// Every series.
    Whole,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_set_has_at_least_as_much_of_each_family() {
        use Membership::{Controls, Declared, Every, Full, Nonzero};
        for membership in [Every, Declared, Nonzero, Controls, Full] {
            let parts = SeriesSet::ALL.map(|set| set.part_of(membership));
            let smallest = membership.smallest_whole();
            for (set, part) in SeriesSet::ALL.into_iter().zip(parts) {
                assert_eq!(part == Part::Whole, set >= smallest, "{membership:?}");
            }
        }
    }
}
