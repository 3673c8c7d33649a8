//! What an alert is about, and when it was decided.

use jiff::Timestamp;

/// What an alert is about; empty where the alert lacks the label.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// The tenant.
    pub tenant: String,
    /// The control of Secure Score.
    pub control: String,
    /// The recommendation of Entra.
    pub recommendation: String,
}

/// When an administrator decided about a subject; `None` if never.
pub type DecisionTime = Box<dyn Fn(&Subject) -> Option<Timestamp> + Send + Sync>;
