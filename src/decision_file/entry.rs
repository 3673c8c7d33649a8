//! A decision as an entry of a file.

use crate::config::{ListedDecision, Pattern};
use crate::yaml_list::scalar::plain_or_quoted;
use secure_score_model::DecisionState;
use std::collections::BTreeSet;

/// The keys that bind a decision to some declarations. Entries with other values are
/// other decisions.
const BINDING_KEYS: [&str; 2] = ["accepted_by", "approved_on"];

/// How an entry of a file relates to a new decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// It is the same decision, perhaps with other dates or details.
    Same,
    /// It is the same decision but for these keys, which only one of the two has.
    DiffersBy(Vec<&'static str>),
    /// It is another decision.
    Other,
}

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
            lines.push(format!("  {key}: {}", scalar(key, value)));
        }
        lines.push(format!("  expires: {}", self.expires));
        lines.join("\n")
    }

    /// How an entry of a file relates to it.
    pub fn compare(&self, listed: &ListedDecision) -> Comparison {
        if !self.is_about_same(listed) {
            return Comparison::Other;
        }
        let mut missing = Vec::new();
        for key in BINDING_KEYS {
            let listed = listed.value(key).map(|it| it.text.to_lowercase());
            let own = self.keys.iter().find(|(name, _)| *name == key);
            let own = own.map(|(_, value)| value.trim().to_lowercase());
            match (listed, own) {
                (None, None) => {}
                (Some(listed), Some(own)) if listed == own => {}
                (Some(_), Some(_)) => return Comparison::Other,
                (Some(_), None) | (None, Some(_)) => missing.push(key),
            }
        }
        match missing.is_empty() {
            true => Comparison::Same,
            false => Comparison::DiffersBy(missing),
        }
    }

    /// Whether an entry names the same subject, tenant, states and reference.
    fn is_about_same(&self, listed: &ListedDecision) -> bool {
        let value = |key: &str| listed.value(key).map(|it| it.text.as_str());
        let subject = value(self.subject_key());
        let other = match self.is_recommendation {
            true => value("control"),
            false => value("recommendation"),
        };
        subject.is_some_and(|it| it.eq_ignore_ascii_case(&self.subject))
            && other.is_none()
            && listed.tenants == [self.tenant.as_str()]
            && value("reference") == Some(self.reference.trim())
            && self.has_states_of(listed)
    }

    fn has_states_of(&self, listed: &ListedDecision) -> bool {
        let own: BTreeSet<&str> = self.state_words().into_iter().collect();
        let words = listed.states.iter().map(|it| it.to_ascii_lowercase());
        let mut states: BTreeSet<String> = words.collect();
        if states.is_empty() {
            states.insert(DecisionState::RiskAccepted.as_str().to_owned());
        }
        states.iter().map(String::as_str).eq(own)
    }

    /// Whether the configuration accepts its subject. Graph may send an id with
    /// characters that no pattern has.
    pub fn has_valid_subject(&self) -> bool {
        Pattern::new(&self.subject).is_ok()
    }

    /// The keys whose value an entry of the same decision may have otherwise.
    pub fn details(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let keys = self.keys.iter();
        let keys = keys.filter(|(key, _)| !BINDING_KEYS.contains(key));
        let keys = keys.map(|(key, value)| (*key, value.as_str()));
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

/// A value as YAML. A day needs no quotes, since the exporter reads every scalar as
/// text.
pub(super) fn scalar(key: &str, value: &str) -> String {
    let is_day = matches!(key, "approved_on" | "expires")
        && value.chars().all(|c| c.is_ascii_digit() || c == '-');
    match is_day {
        true => value.to_owned(),
        false => plain_or_quoted(value),
    }
}
