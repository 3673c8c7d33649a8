//! Whether a tenant's administrator consented to an application.

use serde::{Deserialize, Serialize};

/// The consent of a tenant in Entra, for every application in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// An administrator consented: tokens are issued.
    #[default]
    Granted,
    /// The application is unknown in the tenant: AADSTS700016.
    UnknownApplication,
    /// The application is known, but no administrator consented: AADSTS65001.
    NotGranted,
    /// The application has no service principal in the tenant: AADSTS7000229.
    NoServicePrincipal,
}

impl Consent {
    /// The AADSTS number of the response to a token request; `None` if a token is issued.
    pub(crate) fn aadsts(self) -> Option<u32> {
        match self {
            Self::Granted => None,
            Self::UnknownApplication => Some(700_016),
            Self::NotGranted => Some(65_001),
            Self::NoServicePrincipal => Some(7_000_229),
        }
    }
}
