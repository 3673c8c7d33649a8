//! A recommendation of Entra, joined with its control in Secure Score.

use crate::{
    Approval, ControlState, Decision, DecisionState, Judgement, RecommendationEntry,
    RecommendationStatus, StatusChange, StatusHistory, Timestamp,
};
use std::sync::Arc;

/// A recommendation with all that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// What Entra says.
    pub entry: Arc<RecommendationEntry>,
    /// Its statuses, as the exporter saw them.
    pub history: StatusHistory,
    /// The id of the same control in Secure Score, where there is one.
    pub control: Option<Arc<str>>,
    /// The state of that control.
    pub control_state: Option<ControlState>,
    /// Whether the configuration selects its series.
    pub selected: bool,
    /// Whether it, or its control, is on the watch list.
    pub watched: bool,
    /// The decisions that name it for this tenant, including expired ones.
    pub decisions: Vec<Arc<Decision>>,
}

impl Recommendation {
    /// A selected recommendation without a control.
    pub fn new(entry: RecommendationEntry) -> Self {
        Self {
            entry: Arc::new(entry),
            history: StatusHistory::default(),
            control: None,
            control_state: None,
            selected: true,
            watched: false,
            decisions: Vec::new(),
        }
    }

    /// Whether it is accepted, dismissed or postponed.
    pub fn is_set_aside(&self) -> bool {
        self.entry.status.sets_aside() == Some(true)
    }

    /// Whether it is declared as solved by other means, for which Microsoft gives
    /// all points without proof. No decision approves *completed by user*, which
    /// Microsoft's next check ends where it is not true.
    pub fn is_claimed(&self) -> bool {
        let state = DecisionState::of_recommendation(self.entry.status);
        state.is_some_and(DecisionState::is_claim)
    }

    /// Whether a person declared its status, it is unknown, or one of its resources
    /// is dismissed.
    pub fn is_declared(&self) -> bool {
        let resources = self.entry.impacted_resources.as_ref();
        let dismissed = resources.and_then(|it| it.get(&RecommendationStatus::Dismissed));
        let is_open = self.entry.status.is_open();
        let is_of_graph = is_open || self.entry.status == RecommendationStatus::CompletedBySystem;
        !is_of_graph || dismissed.is_some_and(|count| *count > 0)
    }

    /// How and when it came into its present status, where that is known.
    pub fn changed(&self) -> Option<&StatusChange> {
        let last = self.history.last();
        last.filter(|it| it.status == self.entry.status)
    }

    /// Like [`changed`](Self::changed), unless it is as Microsoft listed it: then no
    /// person has changed it.
    pub fn changed_since_listed(&self) -> Option<&StatusChange> {
        let is_untouched = self.history.changes().len() == 1 && self.history.begins_as_listed();
        self.changed().filter(|_| !is_untouched)
    }

    /// Whether it is set aside in one place and open in the other; `None`
    /// without a control, or where one of the two is unknown.
    pub fn disagrees(&self) -> Option<bool> {
        let set_aside = self.entry.status.sets_aside()?;
        Some(match self.control_state? {
            ControlState::Unknown => return None,
            ControlState::RiskAccepted => self.entry.status.is_open(),
            ControlState::ToAddress => set_aside,
            _ => false,
        })
    }

    /// The decisions that cover its newest acceptance, or would cover a first
    /// one, including expired ones.
    pub fn covering(&self) -> Vec<&Arc<Decision>> {
        self.judgement().covering_acceptance().collect()
    }

    /// What was declared about it, judged by the decisions that name it.
    pub fn judgement(&self) -> Judgement<'_> {
        let declarations = match self.decisions.is_empty() {
            true => Vec::new(),
            false => self.history.declarations(),
        };
        let present = DecisionState::of_recommendation(self.entry.status);
        Judgement::new(declarations, present, &self.decisions)
    }

    /// The approval of its newest acceptance.
    pub fn approval(&self, now: Timestamp) -> Approval<'_> {
        self.judgement().acceptance_approval(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecommendationStatus;
    use RecommendationStatus::{
        Active, CompletedBySystem, Dismissed, Postponed, RiskAccepted, ThirdParty, Unknown,
    };

    #[test]
    fn places_disagree_where_one_is_set_aside_and_the_other_open() {
        let disagrees = |status, state| {
            let recommendation = Recommendation {
                control_state: state,
                ..Recommendation::new(RecommendationEntry {
                    status,
                    ..RecommendationEntry::new("A")
                })
            };
            recommendation.disagrees()
        };
        let open = Some(ControlState::ToAddress);
        let accepted = Some(ControlState::RiskAccepted);
        for status in [Dismissed, Postponed, RiskAccepted] {
            assert_eq!(disagrees(status, open), Some(true), "{status}");
            assert_eq!(disagrees(status, accepted), Some(false), "{status}");
        }
        assert_eq!(disagrees(Active, accepted), Some(true));
        assert_eq!(disagrees(Active, open), Some(false));
        assert_eq!(disagrees(CompletedBySystem, accepted), Some(false));
        assert_eq!(disagrees(ThirdParty, accepted), Some(false));
        assert_eq!(
            disagrees(RiskAccepted, Some(ControlState::Planned)),
            Some(false)
        );
        assert_eq!(disagrees(RiskAccepted, None), None);
        assert_eq!(disagrees(RiskAccepted, Some(ControlState::Unknown)), None);
        assert_eq!(disagrees(Unknown, open), None);
    }
}
