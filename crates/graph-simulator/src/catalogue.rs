//! The controls of generated tenants.

/// Ids, points and services occur in real tenants; the titles are our own.
const TABLE: &str = include_str!("catalogue.tsv");

/// What a control counts, which decides the fields of its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScoreKind {
    /// On or off.
    Toggle,
    /// Covered users, of all users.
    Users,
    /// Covered devices, of all devices.
    Devices,
    /// A count without a total.
    Count,
    /// Nothing.
    Plain,
}

/// One control.
#[derive(Debug)]
pub(crate) struct CatalogueEntry {
    pub(crate) id: &'static str,
    pub(crate) category: &'static str,
    pub(crate) service: &'static str,
    pub(crate) points: u32,
    pub(crate) tier: &'static str,
    pub(crate) user_impact: Option<&'static str>,
    pub(crate) cost: &'static str,
    pub(crate) score_kind: ScoreKind,
    pub(crate) title: &'static str,
}

/// All controls, in the order of the table.
#[derive(Debug)]
pub(crate) struct Catalogue(Vec<CatalogueEntry>);

impl Catalogue {
    pub(crate) fn load() -> Self {
        Self(rows().filter_map(CatalogueEntry::parse).collect())
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, &CatalogueEntry)> {
        self.0.iter().enumerate()
    }

    /// The index of a control; its case does not matter.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.0
            .iter()
            .position(|entry| entry.id.eq_ignore_ascii_case(id))
    }
}

fn rows() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.starts_with('#'))
}

impl CatalogueEntry {
    fn parse(row: &'static str) -> Option<Self> {
        let mut cells = row.split('\t');
        Some(Self {
            id: cells.next()?,
            category: cells.next()?,
            service: cells.next()?,
            points: cells.next()?.parse().ok()?,
            tier: cells.next()?,
            user_impact: cells.next().map(|word| (word != "null").then_some(word))?,
            cost: cells.next()?,
            score_kind: ScoreKind::parse(cells.next()?)?,
            title: cells.next()?,
        })
    }
}

impl ScoreKind {
    fn parse(letter: &str) -> Option<Self> {
        Some(match letter {
            "s" => Self::Toggle,
            "u" => Self::Users,
            "d" => Self::Devices,
            "c" => Self::Count,
            "n" => Self::Plain,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_of_the_table_is_a_control() {
        let entries = Catalogue::load().0;
        assert_eq!(entries.len(), rows().count());
        assert!((232..=260).contains(&entries.len()));
    }

    #[test]
    fn ids_are_unique() {
        let entries = Catalogue::load().0;
        let ids: BTreeSet<_> = entries.iter().map(|e| e.id.to_lowercase()).collect();
        assert_eq!(ids.len(), entries.len());
    }

    #[test]
    fn titles_repeat_and_spelling_varies_as_in_real_catalogues() {
        let entries = Catalogue::load().0;
        let titles: BTreeSet<_> = entries.iter().map(|e| e.title).collect();
        assert!(titles.len() < entries.len());
        let impacts: BTreeSet<_> = entries.iter().filter_map(|e| e.user_impact).collect();
        assert!(impacts.contains("moderate") && impacts.contains("Moderate"));
        assert!(entries.iter().any(|e| e.user_impact.is_none()));
    }
}
