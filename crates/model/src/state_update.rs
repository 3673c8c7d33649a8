//! One declaration of an administrator about a control.

use crate::Timestamp;
use crate::label_values::label_values;
use serde::{Deserialize, Serialize};
use std::ops::Not;
use std::sync::Arc;

label_values! {
    /// What an administrator declared about a control, in the portal's words.
    ///
    /// Graph uses other words; the exporter translates them where it decodes
    /// an answer, and nowhere else.
    pub enum ControlState {
        /// No declaration.
        ToAddress = "to_address",
        /// The risk is accepted: no points, and hidden from the to-do list.
        RiskAccepted = "risk_accepted",
        /// Declared as solved by another product: full points, unverified.
        ThirdParty = "third_party",
        /// Declared as solved by other means: full points, unverified.
        AlternateMitigation = "alternate_mitigation",
        /// Declared as planned.
        Planned = "planned",
        /// A word outside this set.
        Unknown = "unknown",
    }
}

/// The names of states, as letters: in Graph, in the portal, in Entra and in
/// labels. Tools write one of them where a person would give a reason.
const STATE_NAMES: [&str; 25] = [
    "accepted",
    "active",
    "alternatemitigation",
    "completed",
    "completedbysystem",
    "completedbyuser",
    "default",
    "dismiss",
    "dismissed",
    "ignore",
    "ignored",
    "inprogress",
    "needsmoreaction",
    "planned",
    "postpone",
    "postponed",
    "resolved",
    "resolvedthroughalternatemitigation",
    "resolvedthroughthirdparty",
    "reviewed",
    "riskaccepted",
    "thirdparty",
    "thirdpartymitigation",
    "toaddress",
    "unknown",
];

/// How many characters the reason of an acceptance has at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimumReason(pub usize);

impl MinimumReason {
    /// Whether a comment gives a reason: it is neither shorter, nor the name of a
    /// state, as some tools write it.
    pub fn is_met_by(self, comment: Option<&str>) -> bool {
        let comment = comment.unwrap_or_default().trim();
        let letters = comment.chars().filter(|c| c.is_alphanumeric());
        let letters: String = letters.flat_map(char::to_lowercase).collect();
        !letters.is_empty()
            && comment.chars().count() >= self.0
            && !STATE_NAMES.contains(&&*letters)
    }
}

impl Default for MinimumReason {
    fn default() -> Self {
        Self(10)
    }
}

/// One declaration of a state, as Graph lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StateUpdate {
    /// The state that was set.
    pub state: ControlState,
    /// When it was set; missing on the placeholder that Graph lists for
    /// untouched controls. For a date in the future, when it counts as set, see
    /// `History`; missing while its place in the history is not known.
    pub at: Option<Timestamp>,
    /// Who set it, as Graph sends it: a sign-in name or an object id.
    pub by: Option<Arc<str>>,
    /// The administrator's comment.
    pub comment: Option<Arc<str>>,
    /// To whom the control was assigned with it.
    #[serde(rename = "assigned")]
    pub assigned_to: Option<Arc<str>>,
    /// The date that Graph sends, where it was in the future when the update
    /// was first seen.
    #[serde(rename = "future", default, skip_serializing_if = "Option::is_none")]
    pub future_date: Option<Timestamp>,
    /// Whether Graph sent a date that cannot be read.
    #[serde(rename = "odd_date", default, skip_serializing_if = "Not::not")]
    pub date_is_unreadable: bool,
}

impl StateUpdate {
    /// An update without a time, a person or a comment.
    pub const fn new(state: ControlState) -> Self {
        Self {
            state,
            at: None,
            by: None,
            comment: None,
            assigned_to: None,
            future_date: None,
            date_is_unreadable: false,
        }
    }

    /// Whether this update accepts the risk.
    pub fn is_acceptance(&self) -> bool {
        self.state == ControlState::RiskAccepted
    }

    pub(crate) fn is_unknown(&self) -> bool {
        self.state == ControlState::Unknown
    }

    /// Graph's update for an untouched control has no time and no person.
    pub(crate) fn is_placeholder(&self) -> bool {
        self.state == ControlState::ToAddress
            && self.date().is_none()
            && !self.date_is_unreadable
            && self.by.is_none()
    }

    /// The date that Graph sends.
    pub fn date(&self) -> Option<Timestamp> {
        self.future_date.or(self.at)
    }

    /// Whether Graph lists the same update again.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    pub(crate) fn key(&self) -> (ControlState, Option<Timestamp>, Option<&str>) {
        (self.state, self.date(), self.by.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_a_short_comment_and_the_name_of_a_state_are_no_reason() {
        let lacks = |comment: &str, minimum| !MinimumReason(minimum).is_met_by(Some(comment));
        assert!(!MinimumReason(0).is_met_by(None));
        for comment in [
            "",
            "   ",
            "…",
            "-",
            "Risk accepted",
            "RISK_ACCEPTED.",
            "Resolved through third party",
            "Planned",
            "AlternateMitigation",
            // Graph's words, in any case and with any signs between.
            "ThirdPartyMitigation",
            "third party - mitigation",
            "Ignored",
            "I g n o r e d",
            "ignore",
            "Reviewed",
            "Default",
            "in progress",
            "InProgress",
            // Those of Entra.
            "completedByUser",
            "Completed by system",
            "DISMISSED",
            "postponed!",
            "Needs more action",
        ] {
            assert!(lacks(comment, 0), "{comment}");
        }
        assert!(lacks("too short", 10) && !lacks("too short", 9));
        assert!(lacks(" too short  ", 10), "blanks around it do not count");
        assert!(!lacks("ein Gerät", 9), "characters, not bytes");
        assert!(!lacks("Risk accepted by the board, SEC-1", 10));
        for state in ControlState::ALL {
            assert!(lacks(state.as_str(), 0), "{state}");
        }
        for status in crate::RecommendationStatus::ALL {
            assert!(lacks(status.as_str(), 0), "{status}");
        }
        for state in crate::DecisionState::ALL {
            assert!(lacks(state.as_str(), 0), "{state}");
        }
    }
}
