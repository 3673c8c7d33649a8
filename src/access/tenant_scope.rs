//! The tenants that one client sees.

use crate::config_values::pattern::{Pattern, any_matches};

/// The pattern that grants every tenant, and what belongs to no tenant.
const ALL: &str = "*";

/// The tenants that one client sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantScope {
    /// Every tenant, and what belongs to the whole exporter: its own metrics, the
    /// partners, and reloads.
    All,
    /// The tenants whose alias matches one of these.
    Matching(Vec<Pattern>),
}

impl TenantScope {
    /// What these patterns grant. Only `*` itself grants all: other patterns that
    /// match every alias do not grant what belongs to the whole exporter.
    pub fn of(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let patterns: Vec<Pattern> = patterns.into_iter().collect();
        match patterns.iter().any(|it| &**it.text() == ALL) {
            true => Self::All,
            false => Self::Matching(patterns),
        }
    }

    /// Whether the client sees the tenant with this alias.
    pub fn includes(&self, alias: &str) -> bool {
        match self {
            Self::All => true,
            Self::Matching(patterns) => any_matches(patterns, alias),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(patterns: &[&str]) -> TenantScope {
        TenantScope::of(patterns.iter().map(|it| Pattern::new(it).unwrap()))
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
        assert!(!TenantScope::of([]).includes("contoso"));
    }

    #[test]
    fn only_the_star_grants_what_belongs_to_no_tenant() {
        assert_eq!(scope(&["contoso", "*"]), TenantScope::All);
        assert_ne!(scope(&["**"]), TenantScope::All);
        assert!(scope(&["**"]).includes("contoso"));
    }
}
