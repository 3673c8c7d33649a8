//! A decision as an entry of a file.

use crate::config::{ListedDecision, Pattern};
use crate::yaml_list::scalar::plain_or_quoted;
use secure_score_model::DecisionState;

/// A decision to write down, about one control or recommendation of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// The tenant's alias.
    pub tenant: String,
    /// The control's id, or the recommendation's name.
    pub subject: String,
    /// Whether the subject is a recommendation of Entra.
    pub is_recommendation: bool,
    /// The states that it approves.
    pub states: Vec<DecisionState>,
    /// Where the decision is recorded.
    pub reference: String,
    /// Further keys with their values, in the order of the file.
    pub keys: Vec<(&'static str, String)>,
    /// The last day, `2027-03-31`.
    pub expires: String,
}

impl NewDecision {
    /// The entry in lines, without the last line break.
    pub fn entry(&self) -> String {
        let mut lines = vec![format!(
            "- {}: {}",
            self.subject_key(),
            plain_or_quoted(&self.subject)
        )];
        lines.push(format!("  tenants: [{}]", plain_or_quoted(&self.tenant)));
        if self.states != [DecisionState::RiskAccepted] {
            lines.push(format!("  states: [{}]", self.state_words().join(", ")));
        }
        let reference = [("reference", self.reference.clone())];
        for (key, value) in reference.iter().chain(&self.keys) {
            lines.push(format!("  {key}: {}", plain_or_quoted(value)));
        }
        lines.push(format!("  expires: {}", self.expires));
        lines.join("\n")
    }

    /// Whether an entry is the same decision, with other dates or details.
    pub fn is_same_as(&self, listed: &ListedDecision) -> bool {
        let value = |key: &str| listed.value(key).map(|it| it.text.as_str());
        let subject = value(self.subject_key());
        let other = match self.is_recommendation {
            true => value("control"),
            false => value("recommendation"),
        };
        subject.is_some_and(|it| it.eq_ignore_ascii_case(&self.subject))
            && other.is_none()
            && listed.tenants == [self.tenant.as_str()]
            && value("reference") == Some(&self.reference)
            && self.has_states_of(listed)
    }

    fn has_states_of(&self, listed: &ListedDecision) -> bool {
        let mut own = self.state_words();
        let mut states: Vec<&str> = match listed.states.is_empty() {
            true => vec![DecisionState::RiskAccepted.as_str()],
            false => listed.states.iter().map(String::as_str).collect(),
        };
        own.sort_unstable();
        states.sort_unstable();
        own == states
    }

    /// Whether it is about a control or recommendation of this name; its subject may be
    /// a pattern.
    pub fn names(&self, name: &str) -> bool {
        Pattern::new(&self.subject).is_ok_and(|it| it.matches(name))
    }

    /// The keys whose value an entry may have otherwise.
    pub fn details(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let keys = self.keys.iter().map(|(key, value)| (*key, value.as_str()));
        keys.chain([("expires", self.expires.as_str())])
    }

    const fn subject_key(&self) -> &'static str {
        match self.is_recommendation {
            true => "recommendation",
            false => "control",
        }
    }

    fn state_words(&self) -> Vec<&'static str> {
        self.states.iter().map(|it| it.as_str()).collect()
    }
}
