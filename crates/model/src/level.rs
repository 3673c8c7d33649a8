//! A rough amount.

use crate::label_values::label_values;

label_values! {
    /// A rough amount: of impact on users, or of cost.
    pub enum Level {
        /// Little.
        Low = "low",
        /// Some; Graph also writes `medium`.
        Moderate = "moderate",
        /// Much.
        High = "high",
        /// Missing, or a word outside this set.
        Unknown = "unknown",
    }
}
