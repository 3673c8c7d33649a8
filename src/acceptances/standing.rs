//! How far a tenant is with one measure, in one word.

use crate::store::TenantState;
use secure_score_model::{
    Approval, Control, ControlState, Points, Recommendation, RecommendationStatus, Timestamp,
};

/// How far a tenant is with a measure, in the order of the attention it needs.
///
/// Where Secure Score and Entra differ, the first one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The risk is accepted and no unexpired decision approves it.
    Accepted,
    /// It is claimed to be solved by other means, and no unexpired decision
    /// approves that.
    Claimed,
    /// The risk was accepted, and is open again.
    Reverted,
    /// The state or the catalogue is not known.
    Unknown,
    /// It is accepted or claimed, and an unexpired decision approves that.
    Approved,
    /// There are points to gain.
    Open,
    /// All points are reached.
    Met,
    /// The tenant does not have the control, or is not scored on it.
    NotScored,
}

impl Standing {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::Accepted,
        Self::Claimed,
        Self::Reverted,
        Self::Unknown,
        Self::Approved,
        Self::Open,
        Self::Met,
        Self::NotScored,
    ];

    /// The word in addresses and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Claimed => "claimed",
            Self::Reverted => "reverted",
            Self::Unknown => "unknown",
            Self::Approved => "approved",
            Self::Open => "open",
            Self::Met => "met",
            Self::NotScored => "not_scored",
        }
    }

    /// Whether it needs attention: something is declared that no decision
    /// approves, or was taken back, or is not known.
    pub const fn needs_attention(self) -> bool {
        matches!(
            self,
            Self::Accepted | Self::Claimed | Self::Reverted | Self::Unknown
        )
    }

    /// Of a control.
    pub(super) fn of_control(tenant: &TenantState, control: &Control, now: Timestamp) -> Self {
        let Some(history) = control.history() else {
            return Self::Unknown;
        };
        match history.state() {
            ControlState::Unknown => Self::Unknown,
            ControlState::RiskAccepted => Self::Accepted.unless(Some(control.approval(now))),
            _ if control.is_claimed() => {
                Self::Claimed.unless(control.judgement().present_approval(now))
            }
            _ => {
                let lookback = tenant.policy.lookback.get();
                match Self::of_points(tenant, control) {
                    Self::Met => Self::Met,
                    _ if history.accepted_within(lookback) == Some(true) => Self::Reverted,
                    open => open,
                }
            }
        }
    }

    /// Of a control about which nothing is declared.
    fn of_points(tenant: &TenantState, control: &Control) -> Self {
        let has_report = tenant.snapshot.report.is_some();
        let is_counted = control.max_score().is_some_and(|max| max > Points::ZERO);
        match control.points_to_gain() {
            Some(missing) if missing > Points::ZERO => Self::Open,
            Some(_) if is_counted => Self::Met,
            None if control.score.is_some() || !has_report => Self::Unknown,
            _ => Self::NotScored,
        }
    }

    /// Of a recommendation.
    pub(super) fn of_recommendation(it: &Recommendation, now: Timestamp) -> Self {
        use RecommendationStatus::{CompletedBySystem, CompletedByUser, Unknown};
        match it.entry.status {
            Unknown => Self::Unknown,
            CompletedBySystem | CompletedByUser => Self::Met,
            _ if it.is_set_aside() => Self::Accepted.unless(Some(it.approval(now))),
            _ if it.is_claimed() => Self::Claimed.unless(it.judgement().present_approval(now)),
            _ if it.history.withdrawal().is_some() => Self::Reverted,
            _ => Self::Open,
        }
    }

    /// This standing, unless an unexpired decision approves it.
    fn unless(self, approval: Option<Approval<'_>>) -> Self {
        match approval {
            Some(Approval::Approved(_)) => Self::Approved,
            Some(Approval::Expired(_) | Approval::Missing) | None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acceptances::Subject;
    use ControlState::{AlternateMitigation, Planned, RiskAccepted, ThirdParty, ToAddress};
    use secure_score_model::{
        Anomalies, CatalogueEntry, Category, ControlScore, Decision, DecisionState, History,
        RecommendationEntry, Report, StateUpdate, TenantIdentity, TenantSnapshot,
    };
    use std::sync::Arc;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn control(states: &[ControlState], score: f64) -> Control {
        let updates = states.iter().zip(1..).map(|(state, at)| StateUpdate {
            at: Some(Timestamp::from_seconds(at)),
            ..StateUpdate::new(*state)
        });
        let entry = CatalogueEntry {
            max_score: Points::new(8.0),
            history: History::from_updates(updates.collect()),
            ..CatalogueEntry::new("A")
        };
        let score = ControlScore::new("A", Category::Identity, Points::new(score).unwrap());
        Control {
            score: Some(Arc::new(score)),
            watched: true,
            ..Control::listed(entry)
        }
    }

    fn tenant(controls: Vec<Control>, recommendations: Vec<Recommendation>) -> TenantState {
        TenantState {
            snapshot: Arc::new(TenantSnapshot {
                controls,
                recommendations,
                catalogue_anomalies: Some(Anomalies::default()),
                report: Some(Arc::new(Report::default())),
                ..TenantSnapshot::default()
            }),
            ..TenantState::new(TenantIdentity::new("contoso"))
        }
    }

    fn standing(tenant: &TenantState) -> Standing {
        Subject::find(tenant, "a").unwrap().standing(NOW)
    }

    fn of(control: Control) -> Standing {
        standing(&tenant(vec![control], Vec::new()))
    }

    fn decided(mut control: Control, state: DecisionState, expires: i64) -> Control {
        control.decisions = vec![Arc::new(Decision {
            states: vec![state],
            ..Decision::new("A", "SEC-1", Timestamp::from_seconds(expires))
        })];
        control
    }

    #[test]
    fn a_control_has_one_standing() {
        for (states, score, expected) in [
            (&[][..], 8.0, Standing::Met),
            (&[], 7.5, Standing::Open),
            (&[Planned], 0.0, Standing::Open),
            (&[RiskAccepted], 0.0, Standing::Accepted),
            (&[ThirdParty], 8.0, Standing::Claimed),
            (&[AlternateMitigation], 8.0, Standing::Claimed),
            (&[RiskAccepted, ToAddress], 0.0, Standing::Reverted),
            (&[RiskAccepted, ToAddress], 8.0, Standing::Met),
            (
                &[RiskAccepted, ToAddress, Planned, ToAddress],
                0.0,
                Standing::Open,
            ),
            (&[ControlState::Unknown], 8.0, Standing::Unknown),
        ] {
            assert_eq!(of(control(states, score)), expected, "{states:?}");
        }
    }

    #[test]
    fn an_unexpired_decision_approves_what_it_names() {
        let accepted = || control(&[RiskAccepted], 0.0);
        let claimed = || control(&[ThirdParty], 8.0);
        let (risk, third) = (DecisionState::RiskAccepted, DecisionState::ThirdParty);
        assert_eq!(of(decided(accepted(), risk, 2_000)), Standing::Approved);
        assert_eq!(of(decided(accepted(), risk, 999)), Standing::Accepted);
        assert_eq!(of(decided(claimed(), third, 2_000)), Standing::Approved);
        assert_eq!(of(decided(claimed(), risk, 2_000)), Standing::Claimed);
    }

    #[test]
    fn what_is_not_scored_is_not_open_and_what_is_not_known_is_not_met() {
        let unscored = Control {
            score: None,
            ..control(&[], 0.0)
        };
        assert_eq!(of(unscored.clone()), Standing::NotScored);
        let mut without_report = tenant(vec![unscored], Vec::new());
        Arc::make_mut(&mut without_report.snapshot).report = None;
        assert_eq!(standing(&without_report), Standing::Unknown);
        let unlisted = Control {
            entry: None,
            ..control(&[], 8.0)
        };
        let unlisted = Control {
            id: "A".into(),
            ..unlisted
        };
        assert_eq!(of(unlisted), Standing::Unknown);
    }

    #[test]
    fn of_two_places_the_one_that_needs_more_attention_counts() {
        let recommendation = |status| Recommendation {
            control: Some("A".into()),
            ..Recommendation::new(RecommendationEntry {
                status,
                ..RecommendationEntry::new("a")
            })
        };
        for (status, expected) in [
            (RecommendationStatus::Dismissed, Standing::Accepted),
            (RecommendationStatus::Postponed, Standing::Accepted),
            (RecommendationStatus::ThirdParty, Standing::Claimed),
            (RecommendationStatus::Unknown, Standing::Unknown),
            (RecommendationStatus::Active, Standing::Open),
            (RecommendationStatus::CompletedBySystem, Standing::Met),
        ] {
            let both = tenant(vec![control(&[], 8.0)], vec![recommendation(status)]);
            assert_eq!(standing(&both), expected, "{status}");
        }
        let alone = Recommendation {
            control: None,
            ..recommendation(RecommendationStatus::Dismissed)
        };
        assert_eq!(
            standing(&tenant(Vec::new(), vec![alone])),
            Standing::Accepted
        );
    }

    #[test]
    fn the_approval_is_of_the_place_whose_standing_counts() {
        let (risk, third) = (DecisionState::RiskAccepted, DecisionState::ThirdParty);
        let claimed = decided(control(&[ThirdParty], 8.0), third, 2_000);
        let accepted = decided(control(&[RiskAccepted], 0.0), risk, 999);
        let dismissed = Recommendation {
            control: Some("A".into()),
            ..Recommendation::new(RecommendationEntry {
                status: RecommendationStatus::Dismissed,
                ..RecommendationEntry::new("a")
            })
        };
        let both = |control| tenant(vec![control], vec![dismissed.clone()]);
        for (tenant, standing, is_approved, has_decision) in [
            (both(claimed.clone()), Standing::Accepted, false, false),
            (
                tenant(vec![claimed], Vec::new()),
                Standing::Approved,
                true,
                true,
            ),
            (both(accepted), Standing::Accepted, false, true),
        ] {
            let subject = Subject::find(&tenant, "a").unwrap();
            let approval = subject.approval(NOW).unwrap();
            assert_eq!(subject.standing(NOW), standing);
            assert_eq!(approval.is_approved(), is_approved, "{standing:?}");
            assert_eq!(approval.decision().is_some(), has_decision, "{standing:?}");
        }
    }
}
