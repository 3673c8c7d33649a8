//! Where a risk is accepted.

use crate::label_values::label_values;

label_values! {
    /// Where a risk is accepted.
    pub enum Place {
        /// Secure Score: a control.
        SecureScore = "secure_score",
        /// Entra: a recommendation.
        Entra = "entra",
    }
}
