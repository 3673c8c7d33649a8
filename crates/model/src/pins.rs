//! Which category each control was first seen in.

use super::{Catalogue, Category};
use std::collections::HashMap;
use std::sync::Arc;

/// Which category a control is filed under, whatever Graph says today.
///
/// Microsoft moves controls between categories. A series whose `category`
/// label changed would break every graph and restart every alert, so the
/// first word of a catalogue is kept. The configuration can overrule it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CategoryPins {
    pins: HashMap<Arc<str>, Category>,
}

impl CategoryPins {
    /// Remembers the category of each control not seen before, and tells which
    /// known ones Graph files elsewhere now.
    ///
    /// A category we do not know is not worth keeping: the next catalogue may
    /// say a better one.
    pub fn learn(&mut self, catalogue: &Catalogue) -> Vec<Recategorised> {
        let mut moved = Vec::new();
        for entry in &catalogue.entries {
            if entry.category == Category::Unknown {
                continue;
            }
            let pinned = *self
                .pins
                .entry(Arc::clone(&entry.id))
                .or_insert(entry.category);
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
        self.pins.iter().map(|(id, category)| (&**id, *category))
    }

    pub(super) fn category(&self, id: &str) -> Option<Category> {
        self.pins.get(id).copied()
    }
}

impl FromIterator<(Arc<str>, Category)> for CategoryPins {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Category)>>(pins: I) -> Self {
        Self {
            pins: pins.into_iter().collect(),
        }
    }
}

/// A control that Graph files under another category than we do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recategorised {
    /// Its id.
    pub control: Arc<str>,
    /// The category we keep it under.
    pub kept: Category,
    /// The category Graph names now.
    pub seen: Category,
}
