//! What people declared about a control or a recommendation over time, as
//! decisions cover it.

use crate::label_values::label_values;
use crate::{ControlState, RecommendationStatus, Timestamp};
use std::str::FromStr;

label_values! {
    /// A state that a decision can approve.
    pub enum DecisionState {
        /// The risk is accepted.
        RiskAccepted = "risk_accepted",
        /// Declared as solved by another product.
        ThirdParty = "third_party",
        /// Declared as solved by other means.
        AlternateMitigation = "alternate_mitigation",
        /// Declared as planned.
        Planned = "planned",
        /// A recommendation of Entra that a person does not want to see.
        Dismissed = "dismissed",
        /// A recommendation of Entra that is hidden until a day.
        Postponed = "postponed",
    }
}

impl FromStr for DecisionState {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.as_str() == word).ok_or(())
    }
}

impl DecisionState {
    /// The states that hide a risk; a control has the first one only.
    pub const ACCEPTANCES: [Self; 3] = [Self::RiskAccepted, Self::Dismissed, Self::Postponed];

    /// The declared state of a control, if a decision can approve it.
    pub const fn of_control(state: ControlState) -> Option<Self> {
        Some(match state {
            ControlState::RiskAccepted => Self::RiskAccepted,
            ControlState::ThirdParty => Self::ThirdParty,
            ControlState::AlternateMitigation => Self::AlternateMitigation,
            ControlState::Planned => Self::Planned,
            ControlState::ToAddress | ControlState::Unknown => return None,
        })
    }

    /// The status of a recommendation, if a decision can approve it.
    pub const fn of_recommendation(status: RecommendationStatus) -> Option<Self> {
        Some(match status {
            RecommendationStatus::RiskAccepted => Self::RiskAccepted,
            RecommendationStatus::ThirdParty => Self::ThirdParty,
            RecommendationStatus::AlternateMitigation => Self::AlternateMitigation,
            RecommendationStatus::Planned => Self::Planned,
            RecommendationStatus::Dismissed => Self::Dismissed,
            RecommendationStatus::Postponed => Self::Postponed,
            _ => return None,
        })
    }

    /// Whether a control can be in it.
    pub const fn is_of_controls(self) -> bool {
        !matches!(self, Self::Dismissed | Self::Postponed)
    }

    /// Whether it hides a risk.
    pub const fn is_acceptance(self) -> bool {
        matches!(self, Self::RiskAccepted | Self::Dismissed | Self::Postponed)
    }

    /// Whether Microsoft gives full points for it without proof.
    pub const fn is_claim(self) -> bool {
        matches!(self, Self::ThirdParty | Self::AlternateMitigation)
    }
}

/// One time in which a control or a recommendation was in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration<'a> {
    /// The state.
    pub state: DecisionState,
    /// When it began, where that is known.
    pub at: Option<Timestamp>,
    /// Who declared it, as Graph sends it.
    pub by: Option<&'a str>,
    /// When another state replaced it, where that happened and is known.
    pub ended_at: Option<Timestamp>,
}

impl Declaration<'_> {
    /// Whether it hides a risk.
    pub const fn is_acceptance(&self) -> bool {
        self.state.is_acceptance()
    }

    /// Whether it is a claim of full points without proof.
    pub const fn is_claim(&self) -> bool {
        self.state.is_claim()
    }
}
