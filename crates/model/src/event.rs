//! The closed sets of events and of their deliveries.

use crate::label_values::label_values;

label_values! {
    /// What happened to a control, or to a customer of a partner.
    pub enum EventKind {
        /// Its state changed.
        StateChanged = "state_changed",
        /// Its history lost changes that it listed before.
        HistoryShortened = "history_shortened",
        /// It left the catalogue while its risk was accepted.
        AcceptedControlLeft = "accepted_control_left",
        /// Microsoft withdrew it while its risk was accepted.
        AcceptedControlDeprecated = "accepted_control_deprecated",
        /// Its risk was accepted without a comment.
        AcceptanceWithoutComment = "acceptance_without_comment",
        /// A customer of a partner is watched as a new tenant.
        TenantDiscovered = "tenant_discovered",
        /// A watched tenant is no longer among the partner's customers.
        TenantLeft = "tenant_left",
    }
}

label_values! {
    /// How the delivery of an event to the webhook ended.
    pub enum Delivery {
        /// The receiver accepted it.
        Delivered = "delivered",
        /// The receiver rejected it, or was unavailable for too long.
        Failed = "failed",
        /// It was not sent: the queue was full, no receiver was configured, or
        /// the process ended without storing it.
        Dropped = "dropped",
    }
}
