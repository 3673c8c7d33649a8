//! Which tenants grant the permission to read Entra's recommendations.

/// The generated tenants that grant `DirectoryRecommendations.Read.All` at the start.
///
/// [`SimulatorHandle`](crate::SimulatorHandle) changes it for a running simulator.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RecommendationsAccess {
    /// No tenant.
    #[default]
    Off,
    /// Every tenant.
    Granted,
    /// Every tenant except those with these names.
    GrantedExcept(Vec<String>),
}

impl RecommendationsAccess {
    /// Whether a tenant grants it.
    pub(crate) fn is_granted(&self, tenant: &str) -> bool {
        match self {
            Self::Off => false,
            Self::Granted => true,
            Self::GrantedExcept(names) => names.iter().all(|name| name != tenant),
        }
    }
}
