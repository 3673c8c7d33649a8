//! What many tenants say alike, in memory once.

use super::{Catalogue, CatalogueEntry, History, Report};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So much is kept before anybody looks for what nobody uses any more.
const FIRST_SWEEP: usize = 4_096;

/// So many descriptions of one control are compared with. Graph has one for
/// each kind of tenant; who sends a new one each time must not slow us down.
const MOST_DESCRIPTIONS: usize = 8;

/// The descriptions of controls and the texts that tenants have in common.
///
/// Microsoft describes a control to every tenant in the same words, half a
/// kilobyte of them; a thousand tenants would keep a thousand copies. What no
/// tenant uses any more goes, once as much again has come.
#[derive(Debug, Default)]
pub struct Interner {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Arc<str>, Vec<Arc<CatalogueEntry>>>,
    texts: HashSet<Arc<str>>,
    /// How many things there may be before the next sweep.
    enough: usize,
}

impl Interner {
    /// Makes a catalogue share what others have too. It says the same after.
    pub fn share_catalogue(&self, catalogue: &mut Catalogue) {
        let mut kept = self.kept();
        for entry in &mut catalogue.entries {
            kept.share_entry(entry);
        }
        kept.sweep();
    }

    /// The same for a report.
    pub fn share_report(&self, report: &mut Report) {
        let mut kept = self.kept();
        for score in &mut report.scores {
            let score = Arc::make_mut(score);
            kept.share(&mut score.id);
            if let Some(text) = &mut score.implementation_status {
                kept.share(text);
            }
        }
        kept.sweep();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn share_entry(&mut self, entry: &mut Arc<CatalogueEntry>) {
        let known = self.entries.get(&entry.id);
        if let Some(same) = known.into_iter().flatten().find(|it| it == &entry) {
            *entry = Arc::clone(same);
            return;
        }
        let own = Arc::make_mut(entry);
        for text in [&mut own.id, &mut own.title, &mut own.product] {
            self.share(text);
        }
        if let Some(url) = &mut own.action_url {
            self.share(url);
        }
        // What somebody declared about a control is that tenant's own.
        if entry.history == History::default() {
            let known = self.entries.entry(Arc::clone(&entry.id)).or_default();
            if known.len() < MOST_DESCRIPTIONS {
                known.push(Arc::clone(entry));
            }
        }
    }

    fn share(&mut self, text: &mut Arc<str>) {
        match self.texts.get(text) {
            Some(same) => *text = Arc::clone(same),
            None => {
                self.texts.insert(Arc::clone(text));
            }
        }
    }

    fn sweep(&mut self) {
        if self.texts.len() <= self.enough.max(FIRST_SWEEP) {
            return;
        }
        for entries in self.entries.values_mut() {
            entries.retain(|entry| Arc::strong_count(entry) > 1);
        }
        self.entries.retain(|_, entries| !entries.is_empty());
        self.texts.retain(|text| Arc::strong_count(text) > 1);
        self.texts.shrink_to(self.texts.len() * 2);
        self.enough = self.texts.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Category, ControlScore, ControlState, Points, StateUpdate};

    fn entry(id: &str, title: &str) -> CatalogueEntry {
        CatalogueEntry {
            title: title.into(),
            product: "AzureAD".into(),
            action_url: Some("https://x.example/".into()),
            ..CatalogueEntry::new(id)
        }
    }

    fn shared(commons: &Interner, entry: CatalogueEntry) -> Arc<CatalogueEntry> {
        let mut catalogue = Catalogue {
            entries: vec![Arc::new(entry)],
            ..Catalogue::default()
        };
        let before = catalogue.clone();
        commons.share_catalogue(&mut catalogue);
        assert_eq!(catalogue, before);
        catalogue.entries.remove(0)
    }

    #[test]
    fn what_two_tenants_are_told_alike_is_kept_once() {
        let commons = Interner::default();
        let first = shared(&commons, entry("A", "Title"));
        let second = shared(&commons, entry("A", "Title"));
        assert!(Arc::ptr_eq(&first, &second));
        let other = shared(&commons, entry("A", "Another"));
        assert!(!Arc::ptr_eq(&first, &other) && Arc::ptr_eq(&first.id, &other.id));
    }

    #[test]
    fn what_was_declared_stays_the_tenants_and_its_texts_are_shared() {
        let commons = Interner::default();
        let first = shared(&commons, entry("A", "Title"));
        let history = History::from_updates(vec![StateUpdate {
            by: Some("dana@x.example".into()),
            ..StateUpdate::new(ControlState::RiskAccepted)
        }]);
        let declared = CatalogueEntry {
            history,
            ..entry("A", "Title")
        };
        let own = shared(&commons, declared);
        assert!(Arc::ptr_eq(&first.title, &own.title));
        assert_eq!(Arc::strong_count(&own), 1, "nobody else keeps it");
    }

    #[test]
    fn what_nobody_uses_any_more_goes() {
        let commons = Interner::default();
        let kept = shared(&commons, entry("kept", "Title"));
        for number in 0..20 * FIRST_SWEEP {
            let gone = format!("gone {number}");
            shared(&commons, entry(&gone, &gone));
        }
        let held = commons.kept().texts.len();
        assert!(held <= 2 * FIRST_SWEEP, "{held} texts are held");
        assert!(commons.kept().entries.len() <= 2 * FIRST_SWEEP);
        assert!(Arc::ptr_eq(
            &kept,
            &shared(&commons, entry("kept", "Title"))
        ));
    }

    #[test]
    fn a_report_names_controls_as_the_catalogue_does() {
        let commons = Interner::default();
        let entry = shared(&commons, entry("A", "Title"));
        let score = ControlScore::new("A", Category::Identity, Points::ZERO);
        let mut report = Report::new("t");
        report.scores.push(Arc::new(score));
        commons.share_report(&mut report);
        assert!(Arc::ptr_eq(&report.scores[0].id, &entry.id));
    }
}
