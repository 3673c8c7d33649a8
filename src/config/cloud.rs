//! The clouds in which a tenant can live.

use std::fmt;
use strict_yaml::{Diagnostics, Text, suggest};

/// Which of Microsoft's clouds holds the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Cloud {
    /// The worldwide cloud.
    #[default]
    Global,
    /// US Government L4.
    GccHigh,
    /// US Government L5.
    Dod,
    /// Our own stand-in for Graph, on this machine.
    Simulator,
}

impl Cloud {
    /// Every cloud.
    pub const ALL: [Self; 4] = [Self::Global, Self::GccHigh, Self::Dod, Self::Simulator];

    /// The word in the configuration and in the label `cloud`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::GccHigh => "gcc-high",
            Self::Dod => "dod",
            Self::Simulator => "simulator",
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names of the cloud that exists but has no Secure Score.
const CHINA: [&str; 3] = ["china", "china21vianet", "21vianet"];

pub(super) fn resolve(path: &str, word: &Text, diagnostics: &mut Diagnostics) -> Option<Cloud> {
    let written = word.value.trim().to_lowercase();
    let cloud = Cloud::ALL
        .into_iter()
        .find(|cloud| cloud.as_str() == written);
    if cloud.is_none() {
        let message = if CHINA.contains(&written.as_str()) {
            "Microsoft does not offer Secure Score in the China cloud; leave such tenants out"
                .to_owned()
        } else {
            suggest::unknown("cloud", &written, &Cloud::ALL.map(Cloud::as_str))
        };
        diagnostics.error(word.span, path, message);
    }
    cloud
}
