//! One copy in memory of what many tenants have in common.

use crate::{Catalogue, CatalogueEntry, CategoryPins, ControlScore, History, Report};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Texts that may be held before the first eviction.
const MIN_EVICTION_SIZE: usize = 4_096;

/// Entries of one control with which a new one is compared, and descriptions of it
/// that are kept. Graph has one for each kind of tenant; a tenant whose own always
/// differ must not slow the exporter down or fill its memory.
const MAX_VARIANTS: usize = 8;

/// The entries of controls and the texts that tenants have in common.
///
/// Microsoft sends every tenant the same entry and description of a control, a
/// kilobyte of text; without sharing, a thousand tenants keep a thousand
/// copies. The interner evicts what no tenant uses when it has doubled.
#[derive(Debug, Default)]
pub struct Interner {
    pool: Mutex<Pool>,
}

#[derive(Debug, Default)]
struct Pool {
    entries: HashMap<Arc<str>, Vec<Arc<CatalogueEntry>>>,
    texts: HashSet<Arc<str>>,
    /// The descriptions in reports, by control.
    descriptions: HashMap<Arc<str>, Vec<Arc<str>>>,
    /// The number of texts above which the next eviction runs.
    evict_above: usize,
}

impl Interner {
    /// Replaces entries and texts of a catalogue by equal ones of other tenants.
    pub fn intern_catalogue(&self, catalogue: &mut Catalogue) {
        let mut pool = self.pool.lock();
        for entry in &mut catalogue.entries {
            pool.intern_entry(entry);
        }
        pool.evict();
    }

    /// Replaces the texts of a report by equal ones of other tenants. It loses the
    /// description of a control of which other tenants have many already.
    pub fn intern_report(&self, report: &mut Report) {
        let mut pool = self.pool.lock();
        for score in &mut report.scores {
            let score = Arc::make_mut(score);
            pool.intern_text(&mut score.id);
            if let Some(text) = &mut score.implementation_status {
                pool.intern_text(text);
            }
            pool.intern_description(score);
        }
        pool.evict();
    }

    /// Replaces the ids of pins by equal ones of other tenants.
    pub fn intern_pins(&self, pins: &mut CategoryPins) {
        self.intern_map(&mut pins.0, |_| None);
    }

    /// Replaces the keys of a map, and a text of each value, by equal ones of other
    /// tenants.
    pub fn intern_map<T>(
        &self,
        map: &mut BTreeMap<Arc<str>, T>,
        text: impl Fn(&mut T) -> Option<&mut Arc<str>>,
    ) {
        let mut pool = self.pool.lock();
        let values = std::mem::take(map).into_iter();
        let interned = values.map(|(mut key, mut value)| {
            pool.intern_text(&mut key);
            if let Some(text) = text(&mut value) {
                pool.intern_text(text);
            }
            (key, value)
        });
        *map = interned.collect();
        pool.evict();
    }
}

impl Pool {
    fn intern_entry(&mut self, entry: &mut Arc<CatalogueEntry>) {
        let known = self.entries.get(&entry.id);
        if let Some(same) = known.into_iter().flatten().find(|it| it == &entry) {
            *entry = Arc::clone(same);
            return;
        }
        let own = Arc::make_mut(entry);
        for text in [&mut own.id, &mut own.title, &mut own.product] {
            self.intern_text(text);
        }
        if let Some(url) = &mut own.action_url {
            self.intern_text(url);
        }
        // An entry with a history differs from tenant to tenant.
        if entry.history == History::default() {
            let known = self.entries.entry(Arc::clone(&entry.id)).or_default();
            if known.len() < MAX_VARIANTS {
                known.push(Arc::clone(entry));
            }
        }
    }

    fn intern_description(&mut self, score: &mut ControlScore) {
        let Some(text) = &mut score.description else {
            return;
        };
        let known = self.descriptions.entry(Arc::clone(&score.id)).or_default();
        if let Some(same) = known.iter().find(|it| *it == text) {
            *text = Arc::clone(same);
            return;
        }
        known.retain(|it| Arc::strong_count(it) > 1);
        match known.len() < MAX_VARIANTS {
            true => known.push(Arc::clone(text)),
            false => score.description = None,
        }
    }

    fn intern_text(&mut self, text: &mut Arc<str>) {
        match self.texts.get(text) {
            Some(same) => *text = Arc::clone(same),
            None => {
                self.texts.insert(Arc::clone(text));
            }
        }
    }

    fn evict(&mut self) {
        if self.texts.len() <= self.evict_above.max(MIN_EVICTION_SIZE) {
            return;
        }
        evict_unused(&mut self.entries);
        evict_unused(&mut self.descriptions);
        self.texts.retain(|text| Arc::strong_count(text) > 1);
        self.texts.shrink_to_fit();
        self.evict_above = self.texts.len() * 2;
    }
}

fn evict_unused<T: ?Sized>(known: &mut HashMap<Arc<str>, Vec<Arc<T>>>) {
    known.retain(|_, variants| {
        variants.retain(|it| Arc::strong_count(it) > 1);
        !variants.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Category, ControlState, Points, StateUpdate};

    fn entry(id: &str, title: &str) -> CatalogueEntry {
        CatalogueEntry {
            title: title.into(),
            product: "AzureAD".into(),
            action_url: Some("https://x.example/".into()),
            ..CatalogueEntry::new(id)
        }
    }

    fn interned(interner: &Interner, entry: CatalogueEntry) -> Arc<CatalogueEntry> {
        let mut catalogue = Catalogue {
            entries: vec![Arc::new(entry)],
            ..Catalogue::default()
        };
        let before = catalogue.clone();
        interner.intern_catalogue(&mut catalogue);
        assert_eq!(catalogue, before);
        catalogue.entries.remove(0)
    }

    #[test]
    fn equal_entries_of_two_tenants_are_kept_once() {
        let interner = Interner::default();
        let first = interned(&interner, entry("A", "Title"));
        let second = interned(&interner, entry("A", "Title"));
        assert!(Arc::ptr_eq(&first, &second));
        let other = interned(&interner, entry("A", "Another"));
        assert!(!Arc::ptr_eq(&first, &other) && Arc::ptr_eq(&first.id, &other.id));
    }

    #[test]
    fn an_entry_with_a_history_shares_its_texts_only() {
        let interner = Interner::default();
        let first = interned(&interner, entry("A", "Title"));
        let declared = CatalogueEntry {
            history: vec![StateUpdate::new(ControlState::RiskAccepted)].into(),
            ..entry("A", "Title")
        };
        let own = interned(&interner, declared);
        assert!(Arc::ptr_eq(&first.title, &own.title));
        let urls = [&first, &own].map(|it| it.action_url.clone().unwrap());
        assert!(Arc::ptr_eq(&urls[0], &urls[1]));
        assert_eq!(Arc::strong_count(&own), 1, "the interner does not keep it");
    }

    #[test]
    fn a_control_has_few_descriptions_with_which_others_are_compared() {
        let interner = Interner::default();
        let entries: Vec<_> = (0..=MAX_VARIANTS)
            .map(|number| interned(&interner, entry("A", &format!("Title {number}"))))
            .collect();
        let is_kept = |number: usize| Arc::strong_count(&entries[number]) > 1;
        assert!(is_kept(MAX_VARIANTS - 1) && !is_kept(MAX_VARIANTS));
    }

    #[test]
    fn entries_that_no_tenant_uses_are_evicted() {
        let interner = Interner::default();
        let kept = interned(&interner, entry("kept", "Title"));
        for number in 0..20 * MIN_EVICTION_SIZE {
            let gone = format!("gone {number}");
            interned(&interner, entry(&gone, &gone));
        }
        let pool = interner.pool.lock();
        let size = (pool.texts.len(), pool.entries.len());
        assert!(size.0 <= MIN_EVICTION_SIZE + 1, "{size:?}");
        assert!(size.1 <= MIN_EVICTION_SIZE + 1, "{size:?}");
        assert!(pool.texts.capacity() <= 4 * MIN_EVICTION_SIZE);
        drop(pool);
        let again = interned(&interner, entry("kept", "Title"));
        assert!(Arc::ptr_eq(&kept, &again));
    }

    #[test]
    fn the_next_eviction_runs_when_the_texts_have_doubled() {
        let interner = Interner::default();
        let mut used = Vec::new();
        let mut fill = |count| {
            // A statement of its own: the loop would hold the lock.
            let known = interner.pool.lock().texts.len();
            for _ in known..count {
                let id = format!("used {}", used.len());
                used.push(interned(&interner, entry(&id, "Title")));
            }
        };
        let is_kept = |unused: &str| interner.pool.lock().texts.contains(unused);
        interned(&interner, entry("unused", "Title"));
        fill(MIN_EVICTION_SIZE);
        assert!(is_kept("unused"));
        fill(MIN_EVICTION_SIZE + 1);
        assert!(!is_kept("unused"));
        interned(&interner, entry("unused", "Title"));
        fill(2 * MIN_EVICTION_SIZE);
        assert!(is_kept("unused"));
        fill(2 * MIN_EVICTION_SIZE + 1);
        assert!(!is_kept("unused"));
    }

    #[test]
    fn a_report_shares_its_texts_with_the_catalogue_and_other_reports() {
        let interner = Interner::default();
        let entry = interned(&interner, entry("A", "Title"));
        let report = || {
            let mut report = Report::new("t");
            report.scores = vec![Arc::new(ControlScore {
                implementation_status: Some("1 of 3".into()),
                ..ControlScore::new("A", Category::Identity, Points::ZERO)
            })];
            interner.intern_report(&mut report);
            report.scores.remove(0)
        };
        let (first, second) = (report(), report());
        assert!(Arc::ptr_eq(&first.id, &entry.id));
        let status = [first, second].map(|it| it.implementation_status.clone().unwrap());
        assert!(Arc::ptr_eq(&status[0], &status[1]));
    }

    #[test]
    fn keys_of_maps_and_single_texts_are_shared_too() {
        let interner = Interner::default();
        let map = || BTreeMap::from([(Arc::<str>::from("A"), Arc::<str>::from("A"))]);
        let mut maps = [map(), map()];
        for map in &mut maps {
            interner.intern_map(map, |text| Some(text));
        }
        assert_eq!(maps, [map(), map()]);
        let texts: Vec<_> = maps.iter().flatten().flat_map(|(a, b)| [a, b]).collect();
        assert!(texts.iter().all(|it| Arc::ptr_eq(it, texts[0])));
        let mut pins: CategoryPins = [("A".into(), Category::Apps)].into_iter().collect();
        let before = pins.clone();
        interner.intern_pins(&mut pins);
        assert_eq!(pins, before);
        assert!(pins.iter().all(|(id, _)| std::ptr::eq(id, &**texts[0])));
    }

    fn described(interner: &Interner, text: &str) -> Option<Arc<str>> {
        let mut report = Report::new("t");
        report.scores = vec![Arc::new(ControlScore {
            description: Some(text.into()),
            ..ControlScore::new("A", Category::Identity, Points::ZERO)
        })];
        interner.intern_report(&mut report);
        report.scores.remove(0).description.clone()
    }

    #[test]
    fn equal_descriptions_of_a_control_are_kept_once_and_few_different_ones() {
        let interner = Interner::default();
        let kept: Vec<_> = (0..MAX_VARIANTS)
            .map(|number| described(&interner, &format!("Text {number}")).unwrap())
            .collect();
        let again = described(&interner, "Text 0").unwrap();
        assert!(Arc::ptr_eq(&kept[0], &again));
        assert_eq!(described(&interner, "One more"), None);
        drop((kept, again));
        let newer = described(&interner, "One more");
        assert_eq!(newer.as_deref(), Some("One more"), "the others are unused");
    }
}
