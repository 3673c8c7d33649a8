//! The scores of a report, paired with the entries of a catalogue.

use crate::{CatalogueEntry, ControlScore};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Which score belongs to which entry of a catalogue, by id.
///
/// An equal id comes first. Ids that differ in case are paired only where one
/// score and one entry are left with that spelling: Microsoft writes some ids in
/// two ways, but two controls must never share a score. A score that is left
/// where its spelling has one entry, which has its score, is a second copy.
#[derive(Debug, Default)]
pub struct Pairing {
    /// The score of each entry, in the order of the entries.
    pub of_entries: Vec<Option<Arc<ControlScore>>>,
    /// The scores of no entry, in the order of the report.
    pub unlisted: Vec<Arc<ControlScore>>,
    /// Scores that were left out because another has the same id.
    pub duplicates: u64,
}

impl Pairing {
    /// Pairs entries, each with an id of its own, with scores.
    pub fn new<'a>(
        entries: &[Arc<CatalogueEntry>],
        scores: impl IntoIterator<Item = &'a Arc<ControlScore>>,
    ) -> Self {
        let mut pairing = Self::default();
        let mut by_id: HashMap<&str, &Arc<ControlScore>> = HashMap::with_capacity(entries.len());
        let mut order = Vec::with_capacity(entries.len());
        for score in scores {
            match by_id.entry(&score.id) {
                Entry::Vacant(vacant) => {
                    vacant.insert(score);
                    order.push(score);
                }
                Entry::Occupied(_) => pairing.duplicates += 1,
            }
        }
        let exact = entries.iter().map(|it| by_id.remove(&*it.id).cloned());
        pairing.of_entries = exact.collect();
        if by_id.is_empty() {
            return pairing;
        }
        let scores = only_of_spelling(by_id.values().map(|score| (&*score.id, *score)));
        let slots = entries.iter().zip(&mut pairing.of_entries);
        let empty = slots.filter(|(_, slot)| slot.is_none());
        let slots = only_of_spelling(empty.map(|(entry, slot)| (&*entry.id, slot)));
        let mut listed = HashSet::new();
        for (spelling, slot) in slots {
            if let Some(score) = scores.get(&spelling) {
                listed.insert(&*score.id);
                *slot = Some(Arc::clone(score));
            }
        }
        let left = |it: &&Arc<ControlScore>| by_id.contains_key(&*it.id);
        let unlisted = order.into_iter().filter(left);
        let unlisted = unlisted.filter(|it| !listed.contains(&*it.id));
        let slots = || entries.iter().zip(&pairing.of_entries);
        let spellings = |paired: bool| -> HashSet<String> {
            let entries = slots().filter(|(_, slot)| slot.is_some() == paired);
            entries.map(|(it, _)| it.id.to_ascii_lowercase()).collect()
        };
        let (paired, open) = (spellings(true), spellings(false));
        let is_copy = |it: &&Arc<ControlScore>| {
            let spelling = it.id.to_ascii_lowercase();
            paired.contains(&spelling) && !open.contains(&spelling)
        };
        let (copies, unlisted): (Vec<_>, Vec<_>) = unlisted.partition(is_copy);
        pairing.duplicates += copies.len() as u64;
        pairing.unlisted = unlisted.into_iter().cloned().collect();
        pairing
    }
}

/// The items whose id no other item has in another case, by id in lower case.
fn only_of_spelling<'a, T>(items: impl Iterator<Item = (&'a str, T)>) -> HashMap<String, T> {
    let mut found: HashMap<String, Option<T>> = HashMap::new();
    for (id, item) in items {
        found
            .entry(id.to_ascii_lowercase())
            .and_modify(|only| *only = None)
            .or_insert(Some(item));
    }
    let only = found.into_iter();
    only.filter_map(|(id, item)| Some((id, item?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Category, Points};

    /// The points of each entry, the ids without one, and the duplicates.
    fn pair(entries: &[&str], scores: &[(&str, f64)]) -> (Vec<Option<f64>>, Vec<String>, u64) {
        let entries = entries.iter().map(|id| Arc::new(CatalogueEntry::new(id)));
        let entries: Vec<_> = entries.collect();
        let score = |(id, points): &(&str, f64)| {
            let points = Points::new(*points).unwrap();
            Arc::new(ControlScore::new(id, Category::Apps, points))
        };
        let scores: Vec<_> = scores.iter().map(score).collect();
        let pairing = Pairing::new(&entries, &scores);
        let points = pairing.of_entries.iter();
        let points = points.map(|it| it.as_ref().map(|score| score.score.get()));
        let unlisted = pairing.unlisted.iter().map(|it| it.id.to_string());
        (points.collect(), unlisted.collect(), pairing.duplicates)
    }

    #[test]
    fn an_equal_id_comes_before_one_in_another_case() {
        let (points, unlisted, _) = pair(&["mfa", "MFA"], &[("MFA", 1.0), ("mfa", 2.0)]);
        assert_eq!(points, [Some(2.0), Some(1.0)]);
        assert!(unlisted.is_empty());
        let (points, unlisted, copies) = pair(&["MFA"], &[("mfa", 1.0), ("MFA", 2.0)]);
        assert_eq!((points, copies), (vec![Some(2.0)], 1));
        assert!(unlisted.is_empty());
    }

    #[test]
    fn another_case_is_paired_only_where_it_is_unambiguous() {
        assert_eq!(pair(&["MFA"], &[("mfa", 1.0)]).0, [Some(1.0)]);
        // After the equal ids, one of each is left.
        let (points, unlisted, _) = pair(&["MFA", "Mfa"], &[("mfa", 1.0), ("MFA", 2.0)]);
        assert_eq!(points, [Some(2.0), Some(1.0)]);
        assert!(unlisted.is_empty());
        let (points, unlisted, duplicates) = pair(&["MFA"], &[("mfa", 1.0), ("Mfa", 2.0)]);
        assert_eq!((points, duplicates), (vec![None], 0));
        assert_eq!(unlisted, ["mfa", "Mfa"], "two scores for one entry");
        let (points, unlisted, _) = pair(&["MFA", "Mfa"], &[("mfa", 1.0)]);
        assert_eq!(points, [None, None], "one score for two entries");
        assert_eq!(unlisted, ["mfa"]);
    }

    #[test]
    fn the_first_of_two_scores_with_one_id_is_taken() {
        let (points, unlisted, duplicates) = pair(&["A"], &[("A", 1.0), ("A", 2.0)]);
        assert_eq!((points, duplicates), (vec![Some(1.0)], 1));
        assert!(unlisted.is_empty());
    }
}
