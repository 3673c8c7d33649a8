//! What gets series, by category and name.

use crate::config_values::pattern::{Pattern, any_matches};

/// The controls, or the recommendations, that get series; by default all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection<C> {
    /// Empty means all.
    pub(super) categories: Vec<C>,
    /// Empty means all.
    pub(super) include: Vec<Pattern>,
    pub(super) exclude: Vec<Pattern>,
}

impl<C> Default for Selection<C> {
    fn default() -> Self {
        Self {
            categories: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
        }
    }
}

impl<C: PartialEq> Selection<C> {
    /// Whether the one of these names and this category gets series.
    pub(super) fn selects(&self, names: &[&str], category: &C) -> bool {
        let is_in = |list: &[Pattern]| names.iter().any(|name| any_matches(list, name));
        (self.categories.is_empty() || self.categories.contains(category))
            && (self.include.is_empty() || is_in(&self.include))
            && !is_in(&self.exclude)
    }
}
