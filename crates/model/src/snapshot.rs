//! The catalogue and the report of one tenant, joined.

use crate::points::rounded;
use crate::projection::CountedControl;
use crate::{
    Anomalies, Approval, Catalogue, CatalogueEntry, Category, CategoryPins, ControlRules,
    ControlScore, ControlState, Decision, DecisionState, History, IdentityScore, Judgement,
    MinimumReason, Pairing, Points, Projection, Recommendation, Report, ScoreHistory, Timestamp,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A control with its data from both lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Graph's id.
    pub id: Arc<str>,
    /// The area in which it counts, after pins and overrides.
    pub category: Category,
    /// Its catalogue entry; missing for a scored control that is not listed.
    pub entry: Option<Arc<CatalogueEntry>>,
    /// Its score; missing for a control that is not scored.
    pub score: Option<Arc<ControlScore>>,
    /// Whether the configuration selects its series. Sums include it either way.
    pub selected: bool,
    /// Whether it is on the watch list.
    pub watched: bool,
    /// The decisions that name it for this tenant, including expired ones.
    pub decisions: Vec<Arc<Decision>>,
}

impl Control {
    /// A selected control without an entry and a score.
    pub fn new(id: &str, category: Category) -> Self {
        Self {
            id: id.into(),
            category,
            entry: None,
            score: None,
            selected: true,
            watched: false,
            decisions: Vec::new(),
        }
    }

    /// A selected control as the catalogue lists it, without a score.
    pub fn listed(entry: CatalogueEntry) -> Self {
        let control = Self::new(&entry.id, entry.category);
        Self {
            entry: Some(Arc::new(entry)),
            ..control
        }
    }

    /// Its history, where it has a catalogue entry.
    pub fn history(&self) -> Option<&History> {
        self.entry.as_ref().map(|entry| &entry.history)
    }

    /// The state; none without a catalogue entry, since a missing entry does
    /// not mean *to address*.
    pub fn state(&self) -> Option<ControlState> {
        self.history().map(History::state)
    }

    /// Whether a state of it was ever declared, known or not.
    pub fn was_declared(&self) -> bool {
        self.history().is_some_and(|history| !history.is_empty())
    }

    /// The maximum of points: the catalogue's, else the one that the score and
    /// its percentage imply.
    pub fn max_score(&self) -> Option<Points> {
        let listed = self.entry.as_ref().and_then(|entry| entry.max_score);
        listed.or_else(|| self.score.as_ref()?.implied_max(None))
    }

    /// Points that the tenant can still gain; none where the control is not
    /// scored or its maximum is unknown.
    pub fn points_to_gain(&self) -> Option<Points> {
        let score = self.score.as_ref()?.score;
        let missing = rounded(self.max_score()?.get() - score.get());
        Some(Points::new(missing).unwrap_or(Points::ZERO))
    }

    /// What was declared about it, judged by the decisions that name it.
    pub fn judgement(&self) -> Judgement<'_> {
        let history = self.history().filter(|_| !self.decisions.is_empty());
        let declarations = history.map_or_else(Vec::new, History::declarations);
        let present = self.state().and_then(DecisionState::of_control);
        Judgement::new(declarations, present, &self.decisions)
    }

    /// The decisions that cover its newest acceptance, or would cover a first
    /// one, including expired ones.
    pub fn covering(&self) -> Vec<&Arc<Decision>> {
        self.judgement().covering_acceptance().collect()
    }

    /// The approval of its newest acceptance.
    pub fn approval(&self, now: Timestamp) -> Approval<'_> {
        self.judgement().acceptance_approval(now)
    }

    /// Whether it is declared as solved by other means, for which Microsoft gives
    /// all points without proof.
    pub fn is_claimed(&self) -> bool {
        let state = self.state().and_then(DecisionState::of_control);
        state.is_some_and(DecisionState::is_claim)
    }

    /// Whether a claim or an acceptance of it matters most: it is watched, or
    /// of the category Identity.
    pub fn is_sensitive(&self) -> bool {
        self.watched || self.category == Category::Identity
    }

    /// Whether its risk is accepted without a reason.
    fn lacks_reason(&self, minimum: MinimumReason) -> bool {
        let acceptance = self.history().and_then(History::current_acceptance);
        acceptance.is_some_and(|it| !minimum.is_met_by(it.comment.as_deref()))
    }
}

/// Points of the scored controls of one category.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CategoryTotal {
    /// The area.
    pub category: Category,
    /// Points reached.
    pub score: Points,
    /// Points possible; missing where the maximum of one control is unknown,
    /// since a sum without it would be too low.
    pub max_score: Option<Points>,
}

/// One tenant at one time: immutable, complete, ready to be rendered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TenantSnapshot {
    /// Every control of either list, ordered by id.
    pub controls: Vec<Control>,
    /// The daily report, where there is one.
    pub report: Option<Arc<Report>>,
    /// Values of the catalogue that could not be used, where there is one.
    pub catalogue_anomalies: Option<Anomalies>,
    /// Scores whose id equals that of another score.
    pub duplicate_scores: u64,
    /// Controls whose category in Graph differs from the exported one.
    pub recategorised: usize,
    /// Lines of the watch list that match no control of the catalogue.
    pub unmatched_watches: Vec<Arc<str>>,
    /// The decisions of the tenant.
    pub decisions: Vec<Arc<Decision>>,
    /// How long the reason of an acceptance is at least.
    pub minimum_reason: MinimumReason,
    /// When the last of the decisions that have ended did: the time for which they
    /// are judged.
    pub judged_at: Timestamp,
    /// The scores of the last days.
    pub score_history: Arc<ScoreHistory>,
    /// Entra's recommendations, ordered by name.
    pub recommendations: Vec<Recommendation>,
    /// Values of the list of recommendations that could not be used, where there
    /// is one.
    pub recommendation_anomalies: Option<Anomalies>,
    /// The Identity Secure Score, where there is one.
    pub identity_score: Option<Arc<IdentityScore>>,
}

impl TenantSnapshot {
    /// Joins the two lists, either of which may be missing.
    ///
    /// This is an outer join: a score without an entry keeps its points (the
    /// catalogue may lack a page), an entry without a score keeps its state
    /// (the tenant may not own the product). See [`Pairing`] for the ids.
    pub fn join(
        catalogue: Option<&Catalogue>,
        report: Option<Arc<Report>>,
        pins: &CategoryPins,
        rules: &impl ControlRules,
    ) -> Self {
        let entries = catalogue.map_or(&[][..], |catalogue| &catalogue.entries);
        let pairing = Pairing::new(entries, report.iter().flat_map(|report| &report.scores));
        let control = |id: &Arc<str>, category: Category, entry, score| {
            let configured = rules.category_override(id);
            let category = configured.or_else(|| pins.category(id)).unwrap_or(category);
            Control {
                id: Arc::clone(id),
                category,
                entry,
                score,
                selected: rules.selects(id, category),
                watched: rules.watches(id),
                decisions: rules.decisions_of(id),
            }
        };
        let mut controls = Vec::with_capacity(entries.len() + pairing.unlisted.len());
        for (entry, score) in entries.iter().zip(pairing.of_entries) {
            let listed = Some(Arc::clone(entry));
            controls.push(control(&entry.id, entry.category, listed, score));
        }
        let recategorised = controls.iter().filter(|it| is_recategorised(it, rules));
        let recategorised = recategorised.count();
        for score in pairing.unlisted {
            let (id, category) = (Arc::clone(&score.id), score.category);
            controls.push(control(&id, category, None, Some(score)));
        }
        controls.sort_by(|a, b| a.id.cmp(&b.id));
        Self {
            controls,
            report,
            catalogue_anomalies: catalogue.map(|it| it.anomalies.clone()),
            duplicate_scores: pairing.duplicates,
            recategorised,
            unmatched_watches: catalogue.map_or_else(Vec::new, |it| it.unmatched_watches(rules)),
            decisions: rules.decisions(),
            minimum_reason: rules.minimum_reason(),
            ..Self::default()
        }
    }

    /// The scored controls.
    pub fn scored(&self) -> impl Iterator<Item = (&Control, &ControlScore)> {
        self.controls
            .iter()
            .filter_map(|control| Some((control, control.score.as_deref()?)))
    }

    /// Sums over the scored controls of each category that has one.
    pub fn category_totals(&self) -> Vec<CategoryTotal> {
        let mut scored: BTreeMap<Category, Vec<(&Control, &ControlScore)>> = BTreeMap::new();
        for (control, score) in self.scored() {
            let of_category = scored.entry(control.category).or_default();
            of_category.push((control, score));
        }
        let totals = scored.into_iter().map(|(category, scored)| CategoryTotal {
            category,
            score: scored.iter().map(|(_, it)| it.score).sum(),
            max_score: scored.iter().map(|(it, _)| it.max_score()).sum(),
        });
        totals.collect()
    }

    /// The planned and the achievable score of a category.
    pub fn category_projection(&self, total: &CategoryTotal) -> Projection {
        let controls = self.controls.iter();
        let controls = controls.filter(|it| it.category == total.category);
        self.project(Some(total.score), total.max_score, controls)
    }

    /// The planned and the achievable score of the tenant.
    pub fn projection(&self) -> Projection {
        let report = self.report.as_deref();
        let score = report.and_then(|it| it.current_score);
        let max_score = report.and_then(|it| it.max_score);
        self.project(score, max_score, self.controls.iter())
    }

    /// Without a catalogue no state is known, and without scored controls no
    /// points.
    fn project<'a>(
        &self,
        score: Option<Points>,
        max_score: Option<Points>,
        controls: impl Iterator<Item = &'a Control> + Clone,
    ) -> Projection {
        if self.catalogue_anomalies.is_none() || self.scored().next().is_none() {
            return Projection::default();
        }
        // Where the report has unusable scores, a control without one may count.
        let is_complete = self.report.as_ref().is_some_and(|it| it.has_every_score());
        let counted = controls.filter(|it| it.score.is_some() || !is_complete);
        let counted = counted.filter(|it| CountedControl::matters_in(it.state()));
        let counted = counted.map(|it| CountedControl {
            state: it.state(),
            lacking: it.points_to_gain(),
        });
        Projection::new(score, max_score, counted)
    }

    /// The tenant's score less the sum of its controls' scores, points.
    pub fn unreconciled_score(&self) -> Option<f64> {
        let total = self.report.as_ref()?.current_score?;
        Some(difference(total, self.scored().map(|(_, it)| it.score)))
    }

    /// The tenant's maximum less the sum of the known maxima of its scored
    /// controls, points.
    pub fn unreconciled_max_score(&self) -> Option<f64> {
        let total = self.report.as_ref()?.max_score?;
        let known = self.scored().filter_map(|(it, _)| it.max_score());
        Some(difference(total, known))
    }

    /// How many watched or Identity controls are declared as solved by other means
    /// without a valid decision; none without a catalogue.
    pub fn unapproved_claims(&self) -> Option<usize> {
        self.catalogue_anomalies.as_ref()?;
        let claims = self.controls.iter();
        let claims = claims.filter(|it| it.is_sensitive() && it.is_claimed());
        let judgements = claims.map(Control::judgement);
        Some(self.count_unapproved(judgements))
    }

    /// How many of these present states no valid decision approves.
    pub(crate) fn count_unapproved<'a>(
        &self,
        judgements: impl Iterator<Item = Judgement<'a>>,
    ) -> usize {
        let unapproved = judgements.filter(|it| {
            let approval = it.present_approval(self.judged_at);
            approval.is_none_or(|it| !it.is_approved())
        });
        unapproved.count()
    }

    /// How many controls have an accepted risk without a reason; none without a
    /// catalogue.
    pub fn acceptances_without_reason(&self) -> Option<usize> {
        self.catalogue_anomalies.as_ref()?;
        let controls = self.controls.iter();
        let lacking = controls.filter(|it| it.lacks_reason(self.minimum_reason));
        Some(lacking.count())
    }

    /// How many controls are in an unknown state, which may be an acceptance.
    pub fn unknown_states(&self) -> usize {
        let states = self.controls.iter().filter_map(Control::state);
        states.filter(|it| *it == ControlState::Unknown).count()
    }

    /// Scored controls whose maximum is unknown.
    pub fn unknown_maxima(&self) -> impl Iterator<Item = &Control> {
        self.scored()
            .map(|(control, _)| control)
            .filter(|control| control.max_score().is_none())
    }
}

/// Whether a pin keeps a control out of the category that Graph sends.
fn is_recategorised(control: &Control, rules: &impl ControlRules) -> bool {
    control.entry.as_ref().is_some_and(|entry| {
        entry.category != control.category
            && entry.category != Category::Unknown
            && rules.category_override(&entry.id).is_none()
    })
}

fn difference(total: Points, parts: impl Iterator<Item = Points>) -> f64 {
    rounded(total.get() - parts.sum::<Points>().get())
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

    /// Selects by category, overrides one category, watches and excepts `A`.
    struct Rules;

    fn decision() -> Arc<Decision> {
        let expires = Timestamp::from_seconds(1_000);
        Arc::new(Decision::new("A", "SEC-1", expires))
    }

    impl ControlRules for Rules {
        fn category_override(&self, id: &str) -> Option<Category> {
            (id == "Overridden").then_some(Data)
        }

        fn selects(&self, _: &str, category: Category) -> bool {
            category != Device
        }

        fn watches(&self, id: &str) -> bool {
            id == "A"
        }

        fn unmatched_watches(&self, ids: &[&str]) -> Vec<Arc<str>> {
            let unmatched = !ids.contains(&"A");
            unmatched.then(|| "A".into()).into_iter().collect()
        }

        fn decisions(&self) -> Vec<Arc<Decision>> {
            vec![decision()]
        }

        fn decisions_of(&self, id: &str) -> Vec<Arc<Decision>> {
            (id == "A").then(decision).into_iter().collect()
        }
    }

    fn join(entries: Vec<Arc<CatalogueEntry>>, report: Arc<Report>) -> TenantSnapshot {
        let pins = CategoryPins::default();
        TenantSnapshot::join(Some(&catalogue(entries)), Some(report), &pins, &Rules)
    }

    fn scored(scores: Vec<Arc<ControlScore>>) -> Arc<Report> {
        report(0.0, 0.0, scores)
    }

    use Category::{Apps, Data, Device, Identity};

    #[test]
    fn an_unknown_maximum_leaves_its_category_without_one() {
        let entries = vec![entry("A", Identity, 8.0), entry("B", Apps, 3.0)];
        let scores = vec![
            score("A", Identity, 4.0, 50.0),
            score("B", Apps, 3.0, 100.0),
            score("Unlisted", Apps, 0.0, 0.0),
            score("Implied", Identity, 3.5, 70.0),
        ];
        let snapshot = join(entries, report(10.5, 20.0, scores));
        let totals = snapshot.category_totals();
        assert_eq!(totals[0].max_score.map(Points::get), Some(13.0));
        assert_eq!((totals[1].category, totals[1].max_score), (Apps, None));
        assert_eq!(totals[1].score.get(), 3.0);
        assert_eq!(snapshot.unreconciled_score(), Some(0.0));
        assert_eq!(snapshot.unreconciled_max_score(), Some(4.0));
        let unknown: Vec<_> = snapshot.unknown_maxima().map(|it| &*it.id).collect();
        assert_eq!(unknown, ["Unlisted"]);
        let ids: Vec<_> = snapshot.controls.iter().map(|it| &*it.id).collect();
        assert_eq!(ids, ["A", "B", "Implied", "Unlisted"]);
    }

    #[test]
    fn the_unreconciled_score_is_positive_where_the_tenant_has_more_than_its_controls() {
        for (total, unreconciled) in [(5.5, 1.5), (3.0, -1.0)] {
            let scores = vec![score("A", Identity, 4.0, 50.0)];
            let snapshot = join(Vec::new(), report(total, 7.5, scores));
            assert_eq!(snapshot.unreconciled_score(), Some(unreconciled));
            assert_eq!(snapshot.unreconciled_max_score(), Some(-0.5));
        }
    }

    #[test]
    fn implied_maxima_reconcile_with_the_total() {
        let scores = vec![
            score("A", Identity, 7.83, 97.88),
            score("B", Apps, 0.5, 33.33),
        ];
        let snapshot = join(Vec::new(), report(8.33, 9.5, scores));
        assert_eq!(snapshot.unreconciled_max_score(), Some(0.0));
    }

    #[test]
    fn points_to_gain_are_what_the_maximum_leaves() {
        let gain = |points, max| {
            let scores = scored(vec![score("A", Identity, points, 50.0)]);
            let snapshot = join(vec![entry("A", Identity, max)], scores);
            snapshot.controls[0].points_to_gain().map(Points::get)
        };
        assert_eq!(gain(3.0, 8.0), Some(5.0));
        assert_eq!(gain(9.0, 8.0), Some(0.0), "more points than the maximum");
        assert_eq!(gain(3.0, -1.0), Some(3.0), "the maximum is implied");
        let unscored = Control::listed((*entry("A", Identity, 8.0)).clone());
        assert_eq!(unscored.points_to_gain(), None);
    }

    #[test]
    fn a_control_is_watched_and_excepted_as_configured() {
        let entries = vec![entry("A", Identity, 8.0), entry("B", Identity, 8.0)];
        let snapshot = join(entries, scored(Vec::new()));
        let [a, b] = &snapshot.controls[..] else {
            panic!("{snapshot:#?}");
        };
        assert!(a.watched && !b.watched);
        assert_eq!(snapshot.decisions, [decision()]);
        assert_eq!(a.covering(), [&decision()]);
        assert!(a.approval(Timestamp::from_seconds(999)).is_approved());
        assert_eq!(b.approval(Timestamp::from_seconds(0)), Approval::Missing);
        assert!(snapshot.unmatched_watches.is_empty());
        let without = join(Vec::new(), scored(Vec::new()));
        assert_eq!(without.unmatched_watches, ["A".into()]);
    }

    #[test]
    fn a_decision_that_does_not_cover_the_acceptance_is_no_approval() {
        let mut control = Control::listed(CatalogueEntry {
            history: vec![crate::StateUpdate::new(ControlState::RiskAccepted)].into(),
            ..CatalogueEntry::new("A")
        });
        control.decisions = vec![Arc::new(Decision {
            accepted_by: Some("alex".into()),
            ..(*decision()).clone()
        })];
        assert_eq!(control.covering().len(), 0);
        let approval = control.approval(Timestamp::from_seconds(0));
        assert_eq!(approval, Approval::Missing);
    }

    #[test]
    fn sums_are_over_all_scored_controls_and_no_others() {
        let entries = vec![
            entry("A", Identity, 8.0),
            entry("NotOwned", Data, 9.0),
            entry("NotSelected", Device, 5.0),
        ];
        let scores = vec![
            score("A", Identity, 8.0, 100.0),
            score("NotSelected", Device, 2.0, 40.0),
        ];
        let snapshot = join(entries, scored(scores));
        let selected: Vec<_> = snapshot.controls.iter().map(|it| it.selected).collect();
        assert_eq!(selected, [true, true, false]);
        let totals = snapshot.category_totals().into_iter();
        let totals: Vec<_> = totals.map(|it| (it.category, it.score.get())).collect();
        assert_eq!(totals, [(Identity, 8.0), (Device, 2.0)]);
    }

    #[test]
    fn a_control_moved_by_microsoft_keeps_its_first_category() {
        let mut pins = CategoryPins::default();
        pins.learn(&catalogue(vec![entry("A", Identity, 8.0)]));
        // The configuration has a category for one control.
        for (id, category, shown, recategorised) in [
            ("A", Apps, Identity, 1),
            ("A", Identity, Identity, 0),
            ("A", Category::Unknown, Identity, 0),
            ("Overridden", Apps, Data, 0),
        ] {
            let catalogue = catalogue(vec![entry(id, category, 8.0)]);
            let snapshot = TenantSnapshot::join(Some(&catalogue), None, &pins, &Rules);
            assert_eq!(snapshot.controls[0].category, shown, "{id} {category}");
            assert_eq!(snapshot.recategorised, recategorised, "{id} {category}");
        }
    }

    #[test]
    fn either_list_may_be_missing() {
        let pins = CategoryPins::default();
        let report = report(1.0, 2.0, vec![score("A", Apps, 1.0, 50.0)]);
        let only_scores = TenantSnapshot::join(None, Some(report), &pins, &Rules);
        assert_eq!(only_scores.controls[0].state(), None);
        assert_eq!(only_scores.catalogue_anomalies, None);
        let listed = catalogue(vec![entry("A", Apps, 1.0)]);
        let only_catalogue = TenantSnapshot::join(Some(&listed), None, &pins, &Rules);
        let state = only_catalogue.controls[0].state();
        assert_eq!(state, Some(ControlState::ToAddress));
        assert_eq!(only_catalogue.unreconciled_score(), None);
    }
}
