//! The tenants that one client sees.

use crate::config_values::pattern::Pattern;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The pattern that grants every tenant, and what belongs to no tenant.
const ALL: &str = "*";

/// The tenants that one client sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantScope {
    /// Every tenant, and what belongs to the whole exporter: its own metrics, the
    /// partners, and reloads.
    All,
    /// Only those that each of these grants.
    Some(Vec<GrantedTenants>),
}

/// The tenants that patterns grant: those that one names exactly, and of those in the
/// configuration also the ones that match a wildcard.
///
/// The alias of a tenant that a partner discovered is made of a name that the customer
/// chooses itself, so that it may begin like the alias of another customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedTenants {
    patterns: Vec<Pattern>,
    configured: Arc<BTreeSet<String>>,
}

impl TenantScope {
    /// What these patterns grant where these aliases are configured. Only `*` itself
    /// grants all: other patterns that match every alias grant neither discovered
    /// tenants nor what belongs to the whole exporter.
    pub fn of(
        patterns: impl IntoIterator<Item = Pattern>,
        configured: &Arc<BTreeSet<String>>,
    ) -> Self {
        let patterns: Vec<Pattern> = patterns.into_iter().collect();
        match patterns.iter().any(grants_all) {
            true => Self::All,
            false => Self::Some(vec![GrantedTenants {
                patterns,
                configured: Arc::clone(configured),
            }]),
        }
    }

    /// Whether the client sees the tenant with this alias.
    pub fn includes(&self, alias: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(granted) => granted.iter().all(|it| it.include(alias)),
        }
    }

    /// What belongs to both scopes.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, scope) | (scope, Self::All) => scope,
            (Self::Some(one), Self::Some(other)) => Self::Some([one, other].concat()),
        }
    }
}

impl GrantedTenants {
    fn include(&self, alias: &str) -> bool {
        let mut matching = self.patterns.iter().filter(|it| it.matches(alias));
        match self.configured.contains(alias) {
            true => matching.next().is_some(),
            false => matching.any(|it| !it.has_wildcard()),
        }
    }
}

/// Whether a pattern grants every tenant, and what belongs to no tenant.
pub fn grants_all(pattern: &Pattern) -> bool {
    &**pattern.text() == ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(patterns: &[&str]) -> TenantScope {
        let configured = ["contoso", "contosolar", "fabrikam", "fabrikam-emea"];
        let configured = configured.map(str::to_owned);
        TenantScope::of(
            patterns.iter().map(|it| Pattern::new(it).unwrap()),
            &Arc::new(configured.into()),
        )
    }

    #[test]
    fn a_scope_includes_what_a_pattern_matches_as_a_whole() {
        let scope = scope(&["contoso", "fabrikam-*"]);
        for alias in ["contoso", "fabrikam-emea"] {
            assert!(scope.includes(alias), "{alias}");
        }
        for alias in ["contosolar", "fabrikam", "not-contoso", ""] {
            assert!(!scope.includes(alias), "{alias}");
        }
        assert!(!TenantScope::of([], &Arc::default()).includes("contoso"));
    }

    #[test]
    fn a_discovered_tenant_is_granted_by_its_alias_and_by_no_pattern() {
        let stranger = "fabrikam-5f4e3d2c";
        for patterns in [["fabrikam-*"], ["fabrikam-5f4e3d2?"], ["**"], ["?*"]] {
            assert!(!scope(&patterns).includes(stranger), "{patterns:?}");
        }
        for patterns in [["*"], [stranger], ["Fabrikam-5F4E3D2C"]] {
            assert!(scope(&patterns).includes(stranger), "{patterns:?}");
        }
    }

    #[test]
    fn two_scopes_have_in_common_what_both_include() {
        let both = scope(&["contoso*"]).and(scope(&["contoso", "fabrikam"]));
        assert!(both.includes("contoso"));
        assert!(!both.includes("contosolar") && !both.includes("fabrikam"));
        let some = scope(&["contoso"]);
        assert_eq!(some.clone().and(TenantScope::All), some);
        assert_eq!(TenantScope::All.and(some.clone()), some);
        assert_eq!(TenantScope::All.and(TenantScope::All), TenantScope::All);
    }

    #[test]
    fn only_the_star_grants_what_belongs_to_no_tenant() {
        assert_eq!(scope(&["contoso", "*"]), TenantScope::All);
        assert_ne!(scope(&["**"]), TenantScope::All);
        assert!(scope(&["**"]).includes("contoso"));
    }
}
