//! How much of a tenant's catalogue an answer shows.

use secure_score_model::{Catalogue, SkippedField};

/// How much of a tenant's catalogue an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Every control, except for elements that could not be read.
    Complete {
        /// The number of these elements.
        unread: u64,
    },
    /// Graph marked it as incomplete.
    Partial,
}

impl Coverage {
    /// That of a catalogue, which Graph sent complete or not.
    pub fn of(catalogue: &Catalogue, complete: bool) -> Self {
        let skipped = |field| catalogue.anomalies.count_skipped(field);
        match complete && !catalogue.entries.is_empty() {
            true => Self::Complete {
                unread: skipped(SkippedField::Element) + skipped(SkippedField::Id),
            },
            false => Self::Partial,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::CatalogueEntry;
    use std::sync::Arc;

    #[test]
    fn an_empty_or_partial_catalogue_is_partial_and_unread_elements_are_counted() {
        let mut catalogue = Catalogue::default();
        assert_eq!(Coverage::of(&catalogue, true), Coverage::Partial);
        catalogue.entries = vec![Arc::new(CatalogueEntry::new("A"))];
        assert_eq!(Coverage::of(&catalogue, false), Coverage::Partial);
        for (skipped, unread) in [
            (SkippedField::Date, 0),
            (SkippedField::Element, 1),
            (SkippedField::Id, 2),
        ] {
            catalogue.anomalies.skipped(skipped);
            assert_eq!(
                Coverage::of(&catalogue, true),
                Coverage::Complete { unread }
            );
        }
    }
}
