//! One tenant at one moment: catalogue and report, joined.

use super::points::rounded;
use super::{
    Anomalies, Approval, CatalogueEntry, Category, CategoryPins, ControlScore, ControlState,
    Exception, Points, PreviousScore, Report, Timestamp,
};
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

/// A tenant's catalogue of controls (Graph: `secureScoreControlProfiles`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue {
    /// Graph's `azureTenantId`, as it stands; missing when it has no controls.
    pub entra_tenant_id: Option<Arc<str>>,
    /// The controls, each id once.
    pub entries: Vec<Arc<CatalogueEntry>>,
    /// What in the answer we could not use.
    pub anomalies: Anomalies,
}

impl Catalogue {
    /// Lines of the watch list that fit none of its controls.
    pub fn unmatched_watches(&self, rules: &impl ControlRules) -> Vec<Arc<str>> {
        let ids: Vec<&str> = self.entries.iter().map(|entry| &*entry.id).collect();
        rules.unmatched_watches(&ids)
    }
}

/// A control with what both lists say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Graph's id.
    pub id: Arc<str>,
    /// The area it counts in, after pins and overrides.
    pub category: Category,
    /// What the catalogue says; missing for a scored control it does not list.
    pub entry: Option<Arc<CatalogueEntry>>,
    /// What the report says; missing for a control that is not scored.
    pub score: Option<Arc<ControlScore>>,
    /// Whether the configuration wants series of this control. Sums count it
    /// either way.
    pub selected: bool,
    /// Whether it is on the watch list.
    pub watched: bool,
    /// The exceptions that name it for this tenant, expired ones included.
    pub exceptions: Vec<Arc<Exception>>,
}

impl Control {
    /// A selected control that neither list describes.
    pub fn new(id: &str, category: Category) -> Self {
        Self {
            id: id.into(),
            category,
            entry: None,
            score: None,
            selected: true,
            watched: false,
            exceptions: Vec::new(),
        }
    }

    /// A selected control as the catalogue lists it, without a score.
    pub fn listed(entry: CatalogueEntry) -> Self {
        Self {
            id: Arc::clone(&entry.id),
            category: entry.category,
            entry: Some(Arc::new(entry)),
            ..Self::new("", Category::Unknown)
        }
    }

    /// The state, where there is a catalogue entry: unknown is not *to address*.
    pub fn state(&self) -> Option<ControlState> {
        self.entry.as_ref().map(|entry| entry.history.state())
    }

    /// The most points it can give: the catalogue's word, else what the score
    /// and its percentage imply.
    pub fn max_score(&self) -> Option<Points> {
        let listed = self.entry.as_ref().and_then(|entry| entry.max_score);
        listed.or_else(|| self.score.as_ref()?.implied_max())
    }

    /// Points it would still bring; nothing where the tenant is not scored on
    /// it or the maximum cannot be known.
    pub fn points_to_gain(&self) -> Option<Points> {
        let score = self.score.as_ref()?.score;
        let missing = rounded(self.max_score()?.get() - score.get());
        Some(Points::new(missing).unwrap_or(Points::ZERO))
    }

    /// The exceptions that cover its newest acceptance, or that would cover
    /// one where there was none yet; expired ones included.
    pub fn covering(&self) -> impl Iterator<Item = &Arc<Exception>> {
        let history = self.entry.as_ref().map(|entry| &entry.history);
        let exceptions = self.exceptions.iter();
        exceptions.filter(move |exception| history.is_none_or(|it| exception.covers(it)))
    }

    /// What the configuration says about its newest acceptance.
    pub fn approval(&self, now: Timestamp) -> Approval<'_> {
        Approval::of(self.covering().map(AsRef::as_ref), now)
    }
}

/// What the configuration says about controls.
pub trait ControlRules {
    /// The category a control is pinned to by hand.
    fn category_override(&self, id: &str) -> Option<Category>;
    /// Whether series of a control are wanted.
    fn selects(&self, id: &str, category: Category) -> bool;
    /// Whether a control is on the watch list.
    fn watches(&self, id: &str) -> bool;
    /// Lines of the watch list that fit none of these ids.
    fn unmatched_watches(&self, ids: &[&str]) -> Vec<Arc<str>>;
    /// The exceptions of the tenant, whatever they name.
    fn exceptions(&self) -> Vec<Arc<Exception>>;
    /// The exceptions of the tenant that name a control.
    fn exceptions_of(&self, id: &str) -> Vec<Arc<Exception>>;
}

/// Points of the scored controls of one category.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CategoryTotal {
    /// The area.
    pub category: Category,
    /// Points reached.
    pub score: Points,
    /// Points possible; missing when one control's maximum cannot be known,
    /// since a sum without it would be too low.
    pub max_score: Option<Points>,
}

/// One tenant at one moment: immutable, complete, ready to be rendered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TenantSnapshot {
    /// Every control of either list, ordered by id.
    pub controls: Vec<Control>,
    /// The daily report without its control scores, when there is one.
    pub report: Option<Arc<Report>>,
    /// What in the catalogue we could not use, when there is one.
    pub catalogue_anomalies: Option<Anomalies>,
    /// Second scores that met a control already scored in another spelling.
    pub duplicate_scores: u64,
    /// Controls that Graph files elsewhere than we do.
    pub recategorised: usize,
    /// Lines of the watch list that fit no control of the catalogue.
    pub unmatched_watches: Vec<Arc<str>>,
    /// The exceptions of the tenant, whatever they name.
    pub exceptions: Vec<Arc<Exception>>,
    /// Where the tenant stood in the last report of an earlier day, when one
    /// was seen.
    pub earlier: Option<PreviousScore>,
}

impl TenantSnapshot {
    /// Joins the two lists, either of which may be missing.
    ///
    /// An outer join: a score without a catalogue entry keeps its points (the
    /// catalogue may lack a page), an entry without a score its state (the
    /// tenant may not own the product). Ids are equal in every answer seen;
    /// a difference in case is forgiven.
    pub fn join(
        catalogue: Option<&Catalogue>,
        report: Option<Arc<Report>>,
        pins: &CategoryPins,
        rules: &impl ControlRules,
    ) -> Self {
        let mut scores = ScoreIndex::new(report.as_deref());
        let mut recategorised = 0;
        let file = |id: &str, listed: Category| {
            let by_hand = rules.category_override(id);
            by_hand.or_else(|| pins.category(id)).unwrap_or(listed)
        };
        let mut controls = Vec::new();
        for entry in catalogue.map_or(&[][..], |c| &c.entries) {
            let category = file(&entry.id, entry.category);
            let moved = category != entry.category && entry.category != Category::Unknown;
            let by_hand = rules.category_override(&entry.id).is_some();
            recategorised += usize::from(moved && !by_hand);
            controls.push(Control {
                id: Arc::clone(&entry.id),
                category,
                selected: rules.selects(&entry.id, category),
                watched: rules.watches(&entry.id),
                exceptions: rules.exceptions_of(&entry.id),
                entry: Some(Arc::clone(entry)),
                score: scores.take(&entry.id),
            });
        }
        for score in scores.rest() {
            let category = file(&score.id, score.category);
            controls.push(Control {
                id: Arc::clone(&score.id),
                category,
                selected: rules.selects(&score.id, category),
                watched: rules.watches(&score.id),
                exceptions: rules.exceptions_of(&score.id),
                entry: None,
                score: Some(score),
            });
        }
        controls.sort_by(|a, b| a.id.cmp(&b.id));
        Self {
            controls,
            report,
            catalogue_anomalies: catalogue.map(|c| c.anomalies.clone()),
            duplicate_scores: scores.duplicates,
            recategorised,
            unmatched_watches: catalogue.map_or_else(Vec::new, |c| c.unmatched_watches(rules)),
            exceptions: rules.exceptions(),
            earlier: None,
        }
    }

    /// The scored controls.
    pub fn scored(&self) -> impl Iterator<Item = (&Control, &ControlScore)> {
        self.controls
            .iter()
            .filter_map(|control| Some((control, control.score.as_deref()?)))
    }

    /// Sums per category over scored controls only, categories without one
    /// left out.
    pub fn category_totals(&self) -> Vec<CategoryTotal> {
        Category::ALL
            .into_iter()
            .filter_map(|category| self.category_total(category))
            .collect()
    }

    fn category_total(&self, category: Category) -> Option<CategoryTotal> {
        let scored = || self.scored().filter(|(c, _)| c.category == category);
        scored().next()?;
        Some(CategoryTotal {
            category,
            score: scored().map(|(_, score)| score.score).sum(),
            max_score: scored()
                .map(|(control, _)| control.max_score())
                .collect::<Option<Vec<_>>>()
                .map(|all| all.into_iter().sum()),
        })
    }

    /// Microsoft's score of the tenant less the sum of its controls, points.
    pub fn unreconciled_score(&self) -> Option<f64> {
        let total = self.report.as_ref()?.current_score?.get();
        let sum: Points = self.scored().map(|(_, score)| score.score).sum();
        Some(rounded(total - sum.get()))
    }

    /// Microsoft's maximum of the tenant less the sum of the maxima we know,
    /// points. Not zero while a scored control's maximum cannot be known.
    pub fn unreconciled_max_score(&self) -> Option<f64> {
        let total = self.report.as_ref()?.max_score?.get();
        let sum: Points = self.scored().filter_map(|(c, _)| c.max_score()).sum();
        Some(rounded(total - sum.get()))
    }

    /// Scored controls whose maximum cannot be known, by category.
    pub fn unknown_maxima(&self) -> impl Iterator<Item = &Control> {
        self.scored()
            .map(|(control, _)| control)
            .filter(|control| control.max_score().is_none())
    }
}

/// The report's scores, findable by id in any case, each given out once.
struct ScoreIndex {
    by_folded_id: HashMap<String, Arc<ControlScore>>,
    order: Vec<String>,
    duplicates: u64,
}

impl ScoreIndex {
    fn new(report: Option<&Report>) -> Self {
        let mut index = Self {
            by_folded_id: HashMap::new(),
            order: Vec::new(),
            duplicates: 0,
        };
        let mut seen = HashSet::new();
        for score in report.map_or(&[][..], |r| &r.scores) {
            let folded = score.id.to_ascii_lowercase();
            if seen.insert(folded.clone()) {
                index.order.push(folded.clone());
                index.by_folded_id.insert(folded, Arc::clone(score));
            } else {
                index.duplicates += 1;
            }
        }
        index
    }

    fn take(&mut self, id: &str) -> Option<Arc<ControlScore>> {
        self.by_folded_id.remove(&id.to_ascii_lowercase())
    }

    fn rest(&mut self) -> impl Iterator<Item = Arc<ControlScore>> {
        self.order
            .drain(..)
            .filter_map(|folded| self.by_folded_id.remove(&folded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, category: Category, max: f64) -> Arc<CatalogueEntry> {
        Arc::new(CatalogueEntry {
            category,
            max_score: Points::new(max),
            ..CatalogueEntry::new(id)
        })
    }

    fn score(id: &str, category: Category, score: f64, percentage: f64) -> Arc<ControlScore> {
        let points = Points::new(score).unwrap();
        Arc::new(ControlScore {
            percentage: Some(percentage),
            ..ControlScore::new(id, category, points)
        })
    }

    fn catalogue(entries: Vec<Arc<CatalogueEntry>>) -> Catalogue {
        Catalogue {
            entries,
            ..Catalogue::default()
        }
    }

    fn report(current: f64, max: f64, scores: Vec<Arc<ControlScore>>) -> Arc<Report> {
        Arc::new(Report {
            current_score: Points::new(current),
            max_score: Points::new(max),
            scores,
            ..Report::new("t")
        })
    }

    /// Selects by category, pins one control.
    struct Rules;

    impl ControlRules for Rules {
        fn category_override(&self, id: &str) -> Option<Category> {
            (id == "Pinned").then_some(Category::Data)
        }

        fn selects(&self, _: &str, category: Category) -> bool {
            category != Category::Device
        }

        fn watches(&self, id: &str) -> bool {
            id == "A"
        }

        fn unmatched_watches(&self, ids: &[&str]) -> Vec<Arc<str>> {
            let unmatched = !ids.contains(&"A");
            unmatched.then(|| "A".into()).into_iter().collect()
        }

        fn exceptions(&self) -> Vec<Arc<Exception>> {
            Vec::new()
        }

        fn exceptions_of(&self, _: &str) -> Vec<Arc<Exception>> {
            Vec::new()
        }
    }

    fn join(catalogue: &Catalogue, report: Arc<Report>, pins: &CategoryPins) -> TenantSnapshot {
        TenantSnapshot::join(Some(catalogue), Some(report), pins, &Rules)
    }

    use Category::{Apps, Data, Device, Identity};

    #[test]
    fn a_maximum_that_cannot_be_known_leaves_its_category_without_one() {
        let catalogue = catalogue(vec![entry("A", Identity, 8.0), entry("B", Apps, 3.0)]);
        let scores = vec![
            score("A", Identity, 4.0, 50.0),
            score("B", Apps, 3.0, 100.0),
            score("Unlisted", Apps, 0.0, 0.0),
            score("Implied", Identity, 3.5, 70.0),
        ];
        let snapshot = join(
            &catalogue,
            report(10.5, 20.0, scores),
            &CategoryPins::default(),
        );
        let totals = snapshot.category_totals();
        assert_eq!(totals[0].max_score.map(Points::get), Some(13.0));
        assert_eq!(totals[1].category, Apps);
        assert_eq!(totals[1].max_score, None);
        assert_eq!(totals[1].score.get(), 3.0);
        assert_eq!(snapshot.unreconciled_score(), Some(0.0));
        assert_eq!(snapshot.unreconciled_max_score(), Some(4.0));
    }

    #[test]
    fn the_catalogue_is_never_summed_beyond_the_scored_controls() {
        let catalogue = catalogue(vec![
            entry("A", Identity, 8.0),
            entry("NotOwned", Data, 9.0),
        ]);
        let snapshot = join(
            &catalogue,
            report(8.0, 8.0, vec![score("A", Identity, 8.0, 100.0)]),
            &CategoryPins::default(),
        );
        let categories: Vec<_> = snapshot
            .category_totals()
            .iter()
            .map(|t| t.category)
            .collect();
        assert_eq!(categories, [Identity]);
    }

    #[test]
    fn a_control_moved_by_microsoft_stays_where_it_was_first() {
        let mut pins = CategoryPins::default();
        assert!(
            pins.learn(&catalogue(vec![entry("A", Identity, 8.0)]))
                .is_empty()
        );
        let moved = catalogue(vec![entry("A", Apps, 8.0)]);
        assert_eq!(pins.learn(&moved).len(), 1);
        let snapshot = join(&moved, report(0.0, 0.0, Vec::new()), &pins);
        assert_eq!(snapshot.controls[0].category, Identity);
        assert_eq!(snapshot.recategorised, 1);
    }

    #[test]
    fn a_category_set_by_hand_beats_all_others() {
        let catalogue = catalogue(vec![entry("Pinned", Apps, 8.0)]);
        let snapshot = join(
            &catalogue,
            report(0.0, 0.0, Vec::new()),
            &CategoryPins::default(),
        );
        assert_eq!(snapshot.controls[0].category, Data);
        assert_eq!(snapshot.recategorised, 0);
    }

    #[test]
    fn sums_count_controls_that_are_not_selected() {
        let catalogue = catalogue(vec![entry("D", Device, 5.0)]);
        let snapshot = join(
            &catalogue,
            report(2.0, 5.0, vec![score("D", Device, 2.0, 40.0)]),
            &CategoryPins::default(),
        );
        assert!(!snapshot.controls[0].selected);
        assert_eq!(snapshot.category_totals()[0].score.get(), 2.0);
    }

    #[test]
    fn a_score_in_another_case_is_joined_and_a_second_one_counted() {
        let catalogue = catalogue(vec![entry("UserRiskPolicy", Identity, 7.0)]);
        let scores = vec![
            score("userriskpolicy", Identity, 7.0, 100.0),
            score("USERRISKPOLICY", Identity, 1.0, 10.0),
        ];
        let snapshot = join(
            &catalogue,
            report(7.0, 7.0, scores),
            &CategoryPins::default(),
        );
        assert_eq!(snapshot.controls.len(), 1);
        assert_eq!(snapshot.scored().next().unwrap().1.score.get(), 7.0);
        assert_eq!(snapshot.duplicate_scores, 1);
    }

    #[test]
    fn either_list_may_be_missing() {
        let only_scores = TenantSnapshot::join(
            None,
            Some(report(1.0, 2.0, vec![score("A", Apps, 1.0, 50.0)])),
            &CategoryPins::default(),
            &Rules,
        );
        assert_eq!(only_scores.controls[0].state(), None);
        let only_catalogue = TenantSnapshot::join(
            Some(&catalogue(vec![entry("A", Apps, 1.0)])),
            None,
            &CategoryPins::default(),
            &Rules,
        );
        assert_eq!(
            only_catalogue.controls[0].state(),
            Some(ControlState::ToAddress)
        );
        assert_eq!(only_catalogue.unreconciled_score(), None);
    }
}
