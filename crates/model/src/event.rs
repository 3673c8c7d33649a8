//! The closed words of what can happen to a control, and to its telling.

/// What happened to a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// Its state changed.
    StateChanged,
    /// Changes that its history listed are gone from it.
    HistoryShortened,
    /// Its risk was accepted when it left the catalogue.
    AcceptedControlLeft,
    /// Its risk was accepted when Microsoft withdrew it.
    AcceptedControlDeprecated,
    /// Somebody accepted its risk and did not say why.
    AcceptanceWithoutComment,
}

impl EventKind {
    /// All of them, so that each has a counter from the start.
    pub const ALL: [Self; 5] = [
        Self::StateChanged,
        Self::HistoryShortened,
        Self::AcceptedControlLeft,
        Self::AcceptedControlDeprecated,
        Self::AcceptanceWithoutComment,
    ];

    /// The word used in the log, in labels and in the webhook.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StateChanged => "state_changed",
            Self::HistoryShortened => "history_shortened",
            Self::AcceptedControlLeft => "accepted_control_left",
            Self::AcceptedControlDeprecated => "accepted_control_deprecated",
            Self::AcceptanceWithoutComment => "acceptance_without_comment",
        }
    }
}

/// How the delivery of an event to the webhook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// The receiver took it.
    Delivered,
    /// The receiver refused it, or was away for too long.
    Failed,
    /// It was never tried, or not to the end: too many were waiting, or the
    /// process ended.
    Dropped,
}

impl Delivery {
    /// All of them, so that each has a counter from the start.
    pub const ALL: [Self; 3] = [Self::Delivered, Self::Failed, Self::Dropped];

    /// The word used in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}
