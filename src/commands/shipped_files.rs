//! Files of this repository that the program contains.

/// The alerts.
pub(super) const RULES: &str = include_str!("../../alerts/secure-score.rules.yml");

/// The inhibition rules, for an existing configuration of Alertmanager.
pub(super) const ALERTMANAGER_FRAGMENT: &str =
    include_str!("../../alerts/alertmanager.fragment.yml");

/// A complete configuration of Alertmanager.
#[cfg(feature = "demo")]
pub(super) const ALERTMANAGER: &str = include_str!("../../alerts/alertmanager.yml");

/// The texts of messages.
pub(super) const TEMPLATES: &str = include_str!("../../alerts/templates/secure-score.tmpl");
