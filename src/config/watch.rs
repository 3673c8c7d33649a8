//! The watch list.

use super::pattern::{BadPattern, Pattern};
use std::sync::Arc;
use strict_yaml::{Diagnostics, Text};

/// The default list: multifactor authentication, the risk policies and legacy
/// authentication. Tenants are breached where these are missing.
const DEFAULT: [&str; 5] = [
    "UserRiskPolicy",
    "SigninRiskPolicy",
    "AdminMFAV2",
    "MFARegistrationV2",
    "BlockLegacyAuthentication",
];

/// Controls whose accepted risk raises an alert of its own: ids or patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchList(Vec<Watch>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Watch {
    text: Arc<str>,
    pattern: Pattern,
}

impl WatchList {
    /// Whether a control is watched.
    pub fn watches(&self, id: &str) -> bool {
        self.0.iter().any(|watch| watch.pattern.matches(id))
    }

    /// The entries that match no control of a catalogue: misspelt, renamed by
    /// Microsoft, or not offered to this tenant.
    pub fn unmatched(&self, ids: &[&str]) -> Vec<Arc<str>> {
        let is_unmatched = |watch: &&Watch| !ids.iter().any(|id| watch.pattern.matches(id));
        let unmatched = self.0.iter().filter(is_unmatched);
        unmatched.map(|watch| Arc::clone(&watch.text)).collect()
    }
}

impl Default for WatchList {
    fn default() -> Self {
        let watches = DEFAULT.iter().filter_map(|id| watch(id).ok());
        Self(watches.collect())
    }
}

pub(super) fn resolve(texts: Option<Vec<Text>>, diagnostics: &mut Diagnostics) -> WatchList {
    let Some(texts) = texts else {
        return WatchList::default();
    };
    let mut watches = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match watch(text.value.trim()) {
            Ok(watch) => watches.push(watch),
            Err(error) => {
                let path = format!("risk_accepted.watch[{index}]");
                diagnostics.error(text.span, path, error.to_string());
            }
        }
    }
    WatchList(watches)
}

fn watch(text: &str) -> Result<Watch, BadPattern> {
    Ok(Watch {
        text: text.into(),
        pattern: Pattern::new(text)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::FileRiskAccepted;

    #[test]
    fn five_controls_are_watched_by_default() {
        let list = WatchList::default();
        assert_eq!(list.0.len(), DEFAULT.len());
        assert!(list.watches("adminmfav2"));
        assert!(!list.watches("scid_2000"));
        let mut keys = FileRiskAccepted::SECTION.keys.iter();
        let key = keys.find(|key| key.name == "watch").unwrap();
        let documented = DEFAULT.map(|id| format!("`{id}`")).join(", ");
        assert_eq!(key.default, documented);
    }

    #[test]
    fn an_entry_without_a_control_is_returned_as_written() {
        let list = WatchList(vec![
            watch("AdminMFA*").unwrap(),
            watch("UserRisk").unwrap(),
        ]);
        let unmatched = list.unmatched(&["AdminMFAV2", "UserRiskPolicy"]);
        assert_eq!(unmatched, [Arc::from("UserRisk")]);
    }
}
