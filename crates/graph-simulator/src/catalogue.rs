//! The controls every invented tenant draws from.

use std::sync::LazyLock;

/// The table: ids, points and services as they are met in real tenants,
/// titles in our own words.
static TABLE: &str = include_str!("catalogue.tsv");

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| lines().filter_map(Entry::parse).collect());

/// What a control counts, which decides the fields of its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gauge {
    /// On or off.
    Switch,
    /// Users covered, of all users.
    Users,
    /// Devices covered, of all devices.
    Devices,
    /// A count without a total.
    Count,
    /// Neither.
    Plain,
}

/// One control of the catalogue, shared by all tenants.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: &'static str,
    pub(super) category: &'static str,
    pub(super) service: &'static str,
    pub(super) points: u32,
    pub(super) tier: &'static str,
    pub(super) user_impact: Option<&'static str>,
    pub(super) cost: &'static str,
    pub(super) gauge: Gauge,
    pub(super) title: &'static str,
}

/// Every control, in the order of the table.
pub(super) fn entries() -> &'static [Entry] {
    &ENTRIES
}

/// Where a control stands in the table; case does not matter.
pub(super) fn position(id: &str) -> Option<usize> {
    entries()
        .iter()
        .position(|entry| entry.id.eq_ignore_ascii_case(id))
}

fn lines() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.starts_with('#'))
}

impl Entry {
    fn parse(line: &'static str) -> Option<Self> {
        let mut cells = line.split('\t');
        Some(Self {
            id: cells.next()?,
            category: cells.next()?,
            service: cells.next()?,
            points: cells.next()?.parse().ok()?,
            tier: cells.next()?,
            user_impact: cells.next().map(|word| (word != "null").then_some(word))?,
            cost: cells.next()?,
            gauge: Gauge::parse(cells.next()?)?,
            title: cells.next()?,
        })
    }
}

impl Gauge {
    fn parse(letter: &str) -> Option<Self> {
        Some(match letter {
            "s" => Self::Switch,
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
    fn every_line_of_the_table_is_a_control() {
        assert_eq!(entries().len(), lines().count());
        assert!((232..=260).contains(&entries().len()));
    }

    #[test]
    fn no_id_occurs_twice() {
        let ids: BTreeSet<_> = entries().iter().map(|e| e.id.to_lowercase()).collect();
        assert_eq!(ids.len(), entries().len());
    }

    #[test]
    fn titles_repeat_and_spelling_varies_as_in_real_catalogues() {
        let titles: BTreeSet<_> = entries().iter().map(|e| e.title).collect();
        assert!(titles.len() < entries().len());
        let impacts: BTreeSet<_> = entries().iter().filter_map(|e| e.user_impact).collect();
        assert!(impacts.contains("moderate") && impacts.contains("Moderate"));
        assert!(entries().iter().any(|e| e.user_impact.is_none()));
    }
}
