//! How much of a tenant's catalogue an answer shows.

use secure_score_model::{Catalogue, SkippedField};

/// How much of a tenant's catalogue an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Every control.
    Full,
    /// The controls that could be read. A missing one may be among the others.
    Readable,
    /// Graph marked it as incomplete.
    Partial,
}

impl Coverage {
    /// That of a catalogue, which Graph sent complete or not.
    pub fn of(catalogue: &Catalogue, complete: bool) -> Self {
        let skipped = |field| catalogue.anomalies.count_skipped(field);
        match complete {
            false => Self::Partial,
            true if catalogue.entries.is_empty() => Self::Partial,
            true if skipped(SkippedField::Element) + skipped(SkippedField::Id) > 0 => {
                Self::Readable
            }
            true => Self::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secure_score_model::CatalogueEntry;
    use std::sync::Arc;

    #[test]
    fn an_empty_partial_or_unreadable_catalogue_is_not_full() {
        let mut catalogue = Catalogue::default();
        assert_eq!(Coverage::of(&catalogue, true), Coverage::Partial);
        catalogue.entries = vec![Arc::new(CatalogueEntry::new("A"))];
        assert_eq!(Coverage::of(&catalogue, true), Coverage::Full);
        assert_eq!(Coverage::of(&catalogue, false), Coverage::Partial);
        catalogue.anomalies.skipped(SkippedField::Date);
        assert_eq!(Coverage::of(&catalogue, true), Coverage::Full);
        catalogue.anomalies.skipped(SkippedField::Element);
        assert_eq!(Coverage::of(&catalogue, true), Coverage::Readable);
    }
}
