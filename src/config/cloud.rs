//! Microsoft's national clouds.

use std::fmt;
use strict_yaml::{Diagnostics, Text, suggest};

/// The cloud that hosts a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Cloud {
    /// The worldwide cloud.
    #[default]
    Global,
    /// US Government L4.
    GccHigh,
    /// US Government L5.
    Dod,
    /// The Graph simulator on this machine.
    Simulator,
}

impl Cloud {
    const ALL: [Self; 4] = [Self::Global, Self::GccHigh, Self::Dod, Self::Simulator];

    /// Their names in the configuration.
    pub(super) const WORDS: &[&str] = &[
        Self::Global.as_str(),
        Self::GccHigh.as_str(),
        Self::Dod.as_str(),
        Self::Simulator.as_str(),
    ];

    /// The name in the configuration and in the label `cloud`.
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

pub(super) fn resolve(path: &str, text: &Text, diagnostics: &mut Diagnostics) -> Option<Cloud> {
    let name = text.value.trim().to_lowercase();
    let cloud = Cloud::ALL.into_iter().find(|it| it.as_str() == name);
    if cloud.is_none() {
        let message = if CHINA.contains(&name.as_str()) {
            "Microsoft does not offer Secure Score in the China cloud; leave such tenants out"
                .to_owned()
        } else {
            suggest::unknown("cloud", &name, Cloud::WORDS)
        };
        diagnostics.error(text.span, path, message);
    }
    cloud
}
