//! The controls nobody may accept the risk of in silence.

use super::pattern::Pattern;
use std::sync::Arc;
use strict_yaml::{Diagnostics, Text, suggest};

/// What is watched unless the configuration says otherwise: multifactor
/// authentication, the risk policies and legacy authentication. Accepting one
/// of these is how tenants are breached.
const WATCHED: [&str; 5] = [
    "UserRiskPolicy",
    "SigninRiskPolicy",
    "AdminMFAV2",
    "MFARegistrationV2",
    "BlockLegacyAuthentication",
];

/// Ids of controls, or patterns of ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchList(Vec<Watch>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Watch {
    written: Arc<str>,
    pattern: Pattern,
}

impl WatchList {
    /// Whether a control is watched.
    pub fn watches(&self, id: &str) -> bool {
        self.0.iter().any(|watch| watch.pattern.matches(id))
    }

    /// What on the list fits no control of a catalogue: misspelt, renamed by
    /// Microsoft, or not offered to this tenant. Such a line watches nothing,
    /// and somebody believes that it does.
    pub fn unmatched(&self, ids: &[&str]) -> Vec<Arc<str>> {
        let fits_none = |watch: &&Watch| !ids.iter().any(|id| watch.pattern.matches(id));
        let unmatched = self.0.iter().filter(fits_none);
        unmatched.map(|watch| Arc::clone(&watch.written)).collect()
    }
}

impl Default for WatchList {
    fn default() -> Self {
        let watches = WATCHED.iter().filter_map(|id| watch(id).ok());
        Self(watches.collect())
    }
}

/// The nearest of some ids to one that fits none.
pub fn nearest_id<'a>(written: &str, ids: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    suggest::nearest(written, ids)
}

pub(super) fn resolve(written: Option<Vec<Text>>, diagnostics: &mut Diagnostics) -> WatchList {
    let Some(written) = written else {
        return WatchList::default();
    };
    let mut watches = Vec::new();
    for (index, text) in written.iter().enumerate() {
        match watch(text.value.trim()) {
            Ok(watch) => watches.push(watch),
            Err(bad) => {
                let path = format!("risk_accepted.watch[{index}]");
                diagnostics.error(text.span, path, bad.to_string());
            }
        }
    }
    WatchList(watches)
}

fn watch(written: &str) -> Result<Watch, super::BadPattern> {
    Ok(Watch {
        written: written.into(),
        pattern: Pattern::new(written)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_list_the_five_that_matter_most_are_watched() {
        let list = WatchList::default();
        assert_eq!(list.0.len(), WATCHED.len());
        assert!(list.watches("adminmfav2"));
        assert!(!list.watches("scid_2000"));
    }

    #[test]
    fn what_fits_no_control_is_told_as_it_was_written() {
        let list = WatchList(vec![
            watch("AdminMFA*").unwrap(),
            watch("UserRisk").unwrap(),
        ]);
        let unmatched = list.unmatched(&["AdminMFAV2", "UserRiskPolicy"]);
        assert_eq!(unmatched, [Arc::from("UserRisk")]);
    }
}
