//! The state of a control.

use crate::label_values::label_values;

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
