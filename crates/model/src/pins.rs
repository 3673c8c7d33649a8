//! The category in which each control was first seen.

use crate::{Catalogue, Category};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// The category under which each control is exported, whatever Graph sends later.
///
/// Microsoft moves controls between categories. A changed `category` label
/// would break every graph and restart every alert, so the first category is
/// kept. The configuration can override it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CategoryPins(HashMap<Arc<str>, Category>);

impl CategoryPins {
    /// Pins the category of each new control and returns the known controls
    /// whose category differs now.
    ///
    /// An unknown category is not pinned: the next catalogue may have a better
    /// one.
    pub fn learn(&mut self, catalogue: &Catalogue) -> Vec<Recategorised> {
        let mut moved = Vec::new();
        let entries = catalogue.entries.iter();
        for entry in entries.filter(|entry| entry.category != Category::Unknown) {
            let pin = self.0.entry(Arc::clone(&entry.id));
            let pinned = *pin.or_insert(entry.category);
            if pinned != entry.category {
                moved.push(Recategorised {
                    control: Arc::clone(&entry.id),
                    kept: pinned,
                    seen: entry.category,
                });
            }
        }
        moved
    }

    /// Each control with its category, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Category)> {
        self.0.iter().map(|(id, category)| (&**id, *category))
    }

    pub(crate) fn category(&self, id: &str) -> Option<Category> {
        self.0.get(id).copied()
    }
}

impl FromIterator<(Arc<str>, Category)> for CategoryPins {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Category)>>(pins: I) -> Self {
        Self(pins.into_iter().collect())
    }
}

/// A control whose category in Graph differs from its pin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recategorised {
    /// Its id.
    pub control: Arc<str>,
    /// The category that the exporter keeps.
    pub kept: Category,
    /// The category that Graph sends now.
    pub seen: Category,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CatalogueEntry;

    fn catalogue(category: Category) -> Catalogue {
        Catalogue {
            entries: vec![Arc::new(CatalogueEntry {
                category,
                ..CatalogueEntry::new("A")
            })],
            ..Catalogue::default()
        }
    }

    #[test]
    fn the_first_known_category_is_pinned() {
        let mut pins = CategoryPins::default();
        assert_eq!(pins.learn(&catalogue(Category::Unknown)), []);
        assert_eq!(pins.iter().count(), 0);
        assert_eq!(pins.learn(&catalogue(Category::Apps)), []);
        assert_eq!(pins.learn(&catalogue(Category::Unknown)), []);
        let moved = Recategorised {
            control: "A".into(),
            kept: Category::Apps,
            seen: Category::Data,
        };
        assert_eq!(pins.learn(&catalogue(Category::Data)), [moved]);
        let pinned: Vec<_> = pins.iter().collect();
        assert_eq!(pinned, [("A", Category::Apps)]);
        assert_eq!(pins, [("A".into(), Category::Apps)].into_iter().collect());
    }
}
