//! The scores that follow from decisions: with plans completed, and with accepted
//! risks kept.

use crate::points::rounded;
use crate::{ControlState, Points};

/// The planned and the achievable score of a tenant or of a category, points.
///
/// Microsoft's portal shows both beside the score (*Your secure score*,
/// *Include*): the *planned score* is the projected score when planned actions
/// are completed, the *achievable score* the one that licences and current risk
/// acceptance allow
/// ([source](https://learn.microsoft.com/defender-xdr/microsoft-secure-score-improvement-actions#check-your-current-score)).
/// Microsoft publishes no formula. Graph's maximum counts the tenant's products,
/// not their editions, so an edition that lacks a control lowers only the
/// portal's number.
///
/// - A control gives up, or would give, the points that it lacks: partial points
///   stay, since an administrator accepts *the risk, or the remaining risk*.
/// - A control that is not scored is in neither total and changes nothing. Where
///   the report has unusable scores, it may be scored.
/// - Third party and alternate mitigation give points, so the score has them.
/// - The difference between Microsoft's totals and the controls' sums stays in
///   both numbers. None is above the maximum or below the score, which is
///   reached already.
///
/// A number is missing where a control that lacks points, or may lack some, has
/// an unknown state, or is in its state with unknown points or maximum, and where
/// the score is above the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Projection {
    /// The score, and what planned controls lack.
    pub planned: Option<Points>,
    /// The maximum, less what controls with an accepted risk lack.
    pub achievable: Option<Points>,
}

/// A control that the totals count, or may count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountedControl {
    /// None outside the catalogue.
    pub(crate) state: Option<ControlState>,
    /// The maximum less the score, where both are known.
    pub(crate) lacking: Option<Points>,
}

impl CountedControl {
    /// Whether what a control in this state lacks, or may lack, changes a number.
    pub(crate) fn matters_in(state: Option<ControlState>) -> bool {
        match state {
            None | Some(ControlState::Unknown) => true,
            Some(state) => [ControlState::Planned, ControlState::RiskAccepted].contains(&state),
        }
    }
}

impl Projection {
    /// The projection of points reached and possible, by the controls that count
    /// in them.
    pub(crate) fn new(
        score: Option<Points>,
        max: Option<Points>,
        controls: impl Iterator<Item = CountedControl> + Clone,
    ) -> Self {
        if score.zip(max).is_some_and(|(score, max)| score > max) {
            return Self::default();
        }
        let planned = || {
            let gained = lacking_in(ControlState::Planned, controls.clone())?;
            let planned = score?.get() + gained.get();
            Points::new(rounded(max.map_or(planned, |max| planned.min(max.get()))))
        };
        let achievable = || {
            let given_up = lacking_in(ControlState::RiskAccepted, controls.clone())?;
            let left = max?.get() - given_up.get();
            Points::new(rounded(left.max(score.unwrap_or(Points::ZERO).get())))
        };
        Self {
            planned: planned(),
            achievable: achievable(),
        }
    }
}

/// Points that the controls in a state lack, where they are known.
fn lacking_in(
    state: ControlState,
    controls: impl Iterator<Item = CountedControl>,
) -> Option<Points> {
    let lacking = controls.filter(|it| it.lacking != Some(Points::ZERO));
    let of_state = lacking.filter_map(|it| match it.state {
        None | Some(ControlState::Unknown) => Some(None),
        Some(its) => (its == state).then_some(it.lacking),
    });
    of_state.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Anomalies, Catalogue, CatalogueEntry, Category, CategoryPins, ControlRules, ControlScore,
        Decision, Report, SkippedField, StateUpdate, TenantSnapshot,
    };
    use ControlState::{Planned, RiskAccepted, ThirdParty, ToAddress, Unknown};
    use proptest::prelude::*;
    use std::sync::Arc;

    /// A configuration without rules.
    struct NoRules;

    impl ControlRules for NoRules {
        fn category_override(&self, _: &str) -> Option<Category> {
            None
        }

        fn selects(&self, _: &str, _: Category) -> bool {
            true
        }

        fn watches(&self, _: &str) -> bool {
            false
        }

        fn unmatched_watches(&self, _: &[&str]) -> Vec<Arc<str>> {
            Vec::new()
        }

        fn decisions(&self) -> Vec<Arc<Decision>> {
            Vec::new()
        }

        fn decisions_of(&self, _: &str) -> Vec<Arc<Decision>> {
            Vec::new()
        }
    }

    /// A control as the two lists have it.
    #[derive(Debug, Clone)]
    struct Listed {
        category: Category,
        state: ControlState,
        /// None where the catalogue has no valid maximum.
        max: Option<f64>,
        /// None where the report does not score it.
        score: Option<f64>,
    }

    fn listed(state: ControlState, score: f64, max: f64) -> Listed {
        Listed {
            category: Category::Identity,
            state,
            max: Some(max),
            score: Some(score),
        }
    }

    fn catalogue(controls: &[Listed]) -> Catalogue {
        let entries = controls.iter().enumerate().map(|(number, it)| {
            Arc::new(CatalogueEntry {
                category: it.category,
                max_score: it.max.and_then(Points::new),
                history: vec![StateUpdate::new(it.state)].into(),
                ..CatalogueEntry::new(&number.to_string())
            })
        });
        Catalogue {
            entries: entries.collect(),
            ..Catalogue::default()
        }
    }

    fn report(score: f64, max: f64, controls: &[Listed]) -> Report {
        let scores = controls.iter().enumerate().filter_map(|(number, it)| {
            let score = Points::new(it.score?)?;
            let score = ControlScore::new(&number.to_string(), it.category, score);
            Some(Arc::new(score))
        });
        Report {
            current_score: Points::new(score),
            max_score: Points::new(max),
            scores: scores.collect(),
            ..Report::new("t")
        }
    }

    fn join(catalogue: Option<&Catalogue>, report: Report) -> TenantSnapshot {
        let report = Some(Arc::new(report));
        TenantSnapshot::join(catalogue, report, &CategoryPins::default(), &NoRules)
    }

    /// Planned and achievable points of a tenant whose totals are given.
    fn projected(score: f64, max: f64, controls: &[Listed]) -> (Option<f64>, Option<f64>) {
        let snapshot = join(Some(&catalogue(controls)), report(score, max, controls));
        numbers(snapshot.projection())
    }

    fn numbers(it: Projection) -> (Option<f64>, Option<f64>) {
        (it.planned.map(Points::get), it.achievable.map(Points::get))
    }

    #[test]
    fn plans_add_and_accepted_risks_give_up_what_their_controls_lack() {
        let controls = [
            listed(ToAddress, 1.0, 4.0),
            listed(Planned, 2.5, 5.0),
            listed(RiskAccepted, 3.0, 8.0),
            listed(ThirdParty, 6.0, 6.0),
        ];
        assert_eq!(
            projected(12.5, 23.0, &controls),
            (Some(15.0), Some(18.0)),
            "3 partial points of the accepted control stay"
        );
    }

    #[test]
    fn a_control_that_is_not_scored_or_has_all_points_changes_nothing() {
        let not_owned = Listed {
            score: None,
            ..listed(RiskAccepted, 0.0, 9.0)
        };
        let controls = [
            listed(ToAddress, 1.0, 4.0),
            listed(Unknown, 5.0, 5.0),
            not_owned,
        ];
        assert_eq!(projected(6.0, 9.0, &controls), (Some(6.0), Some(9.0)));
    }

    #[test]
    fn unknown_points_of_a_decided_control_leave_its_number_out() {
        let unknown = |state| Listed {
            max: None,
            ..listed(state, 1.0, 0.0)
        };
        for (state, expected) in [
            (RiskAccepted, (Some(1.0), None)),
            (Planned, (None, Some(9.0))),
            (Unknown, (None, None)),
            (ToAddress, (Some(1.0), Some(9.0))),
        ] {
            assert_eq!(
                projected(1.0, 9.0, &[unknown(state)]),
                expected,
                "{state:?}"
            );
        }
    }

    #[test]
    fn an_unknown_state_leaves_both_out_in_its_category_only() {
        let controls = [
            listed(Unknown, 1.0, 4.0),
            Listed {
                category: Category::Apps,
                ..listed(RiskAccepted, 1.0, 4.0)
            },
        ];
        assert_eq!(projected(2.0, 8.0, &controls), (None, None));
        let snapshot = join(Some(&catalogue(&controls)), report(2.0, 8.0, &controls));
        let totals = snapshot.category_totals().into_iter();
        let totals: Vec<_> = totals
            .map(|it| {
                let projection = snapshot.category_projection(&it);
                (it.category.as_str(), numbers(projection))
            })
            .collect();
        let apps = (Some(1.0), Some(1.0));
        assert_eq!(totals, [("Identity", (None, None)), ("Apps", apps)]);
    }

    #[test]
    fn a_score_outside_the_catalogue_has_an_unknown_state() {
        let controls = [listed(ToAddress, 1.0, 4.0), listed(ToAddress, 0.0, 4.0)];
        let listing = catalogue(&controls[..1]);
        let snapshot = join(Some(&listing), report(1.0, 8.0, &controls));
        assert_eq!(snapshot.projection(), Projection::default());
    }

    #[test]
    fn a_skipped_score_may_be_that_of_a_decided_control() {
        let controls = |state| {
            let not_scored = Listed {
                score: None,
                ..listed(state, 0.0, 9.0)
            };
            [listed(ToAddress, 1.0, 4.0), not_scored]
        };
        let skipping = |controls: &[Listed]| {
            let mut anomalies = Anomalies::default();
            anomalies.skipped(SkippedField::Score);
            let report = Report {
                anomalies,
                ..report(1.0, 13.0, controls)
            };
            numbers(join(Some(&catalogue(controls)), report).projection())
        };
        let known = (Some(1.0), Some(13.0));
        assert_eq!(projected(1.0, 13.0, &controls(RiskAccepted)), known);
        assert_eq!(skipping(&controls(RiskAccepted)), (Some(1.0), None));
        assert_eq!(skipping(&controls(Planned)), (None, Some(13.0)));
        assert_eq!(skipping(&controls(ToAddress)), known);
    }

    #[test]
    fn without_a_catalogue_a_report_or_its_scores_nothing_is_projected() {
        let controls = [listed(ToAddress, 4.0, 4.0)];
        let alone = join(None, report(4.0, 4.0, &controls));
        assert_eq!(alone.projection(), Projection::default());
        assert_eq!(
            alone.category_projection(&alone.category_totals()[0]),
            Projection::default(),
            "full points, but in an unknown state"
        );
        assert_eq!(projected(4.0, 9.0, &[]), (None, None), "no scores");
        let listing = catalogue(&controls);
        let unscored = join(Some(&listing), Report::new("t"));
        assert_eq!(unscored.projection(), Projection::default());
    }

    #[test]
    fn one_total_gives_one_number_and_contradicting_ones_none() {
        let controls = [listed(Planned, 1.0, 4.0), listed(RiskAccepted, 1.0, 4.0)];
        assert_eq!(projected(2.0, -1.0, &controls), (Some(5.0), None));
        assert_eq!(projected(-1.0, 8.0, &controls), (None, Some(5.0)));
        assert_eq!(projected(9.0, 8.0, &controls), (None, None));
    }

    #[test]
    fn microsofts_totals_limit_what_the_controls_add_and_give_up() {
        let controls = [listed(Planned, 1.0, 9.0), listed(RiskAccepted, 1.0, 9.0)];
        assert_eq!(projected(2.0, 4.0, &controls), (Some(4.0), Some(2.0)));
        let more = projected(2.0, 100.0, &controls);
        assert_eq!(more, (Some(10.0), Some(92.0)), "the difference stays");
    }

    fn state() -> impl Strategy<Value = ControlState> {
        prop::sample::select(vec![ToAddress, Planned, RiskAccepted, ThirdParty, Unknown])
    }

    fn quarters(most: u32) -> impl Strategy<Value = f64> {
        (0..=most).prop_map(|it| f64::from(it) / 4.0)
    }

    /// A control whose points are not above its maximum.
    fn control() -> impl Strategy<Value = Listed> {
        let category = prop::sample::select(Category::ALL.to_vec());
        let max = prop_oneof![9 => quarters(40).prop_map(Some), 1 => Just(None)];
        let share = prop::option::weighted(0.8, 0..=4_u32);
        (category, state(), max, share).prop_map(|(category, state, max, share)| Listed {
            category,
            state,
            max,
            score: share.map(|share| max.unwrap_or(4.0) * f64::from(share) / 4.0),
        })
    }

    fn sum(points: impl Iterator<Item = Option<Points>>) -> Option<f64> {
        points.sum::<Option<Points>>().map(Points::get)
    }

    proptest! {
        #[test]
        fn a_projection_lies_between_score_and_maximum(
            controls in prop::collection::vec(control(), 0..12),
            (score, max) in (quarters(200), quarters(200)),
        ) {
            let snapshot = join(Some(&catalogue(&controls)), report(score, max, &controls));
            let tenant = (Points::new(score), Points::new(max), snapshot.projection());
            let totals = snapshot.category_totals().into_iter();
            let totals = totals.map(|it| (Some(it.score), it.max_score, snapshot.category_projection(&it)));
            for (score, max, projection) in totals.chain([tenant]) {
                for it in [projection.planned, projection.achievable].into_iter().flatten() {
                    prop_assert!(Some(it) >= score);
                    prop_assert!(max.is_none_or(|max| it <= max));
                }
            }
        }

        /// Where Microsoft's totals are the sums of its controls.
        #[test]
        fn a_reconciled_tenant_is_the_sum_of_its_categories(
            controls in prop::collection::vec(control(), 1..12),
        ) {
            let scored = || controls.iter().filter(|it| it.score.is_some());
            let score = scored().filter_map(|it| it.score).sum();
            let max: f64 = scored().filter_map(|it| it.max).sum();
            let snapshot = join(Some(&catalogue(&controls)), report(score, max, &controls));
            prop_assume!(snapshot.unknown_maxima().next().is_none());
            let (tenant, totals) = (snapshot.projection(), snapshot.category_totals());
            let projections = totals.iter().map(|it| snapshot.category_projection(it));
            let planned = sum(projections.clone().map(|it| it.planned));
            let achievable = sum(projections.map(|it| it.achievable));
            if scored().next().is_some() {
                prop_assert_eq!(numbers(tenant), (planned, achievable));
            }
            if let (Some(planned), Some(achievable)) = (planned, achievable) {
                prop_assert!(planned <= achievable, "no control is planned and accepted");
                let given_up = scored().any(|it| it.state == RiskAccepted && it.score != it.max);
                prop_assert_eq!(given_up, achievable < max);
            }
        }
    }
}
