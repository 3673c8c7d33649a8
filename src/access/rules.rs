//! Which tenants the configuration grants to whom.

use super::tenant_scope::{TenantScope, grants_all};
use crate::config_values::pattern::Pattern;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use strict_yaml::Span;

/// Which tenants the configuration grants to whom. Without such rules every
/// client sees every tenant; with them, clients that they do not name see none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRules {
    grants: Vec<AccessGrant>,
    /// The aliases of the configuration. Patterns match no other tenant.
    configured: Arc<BTreeSet<String>>,
}

/// The tenants of one user or certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessGrant {
    /// To whom they are granted.
    pub grantee: Grantee,
    /// Patterns of aliases.
    pub tenants: Vec<Pattern>,
    /// The key in the configuration that names the grantee.
    pub path: String,
    /// Where it was written.
    pub span: Span,
}

/// A client that rules can name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Grantee {
    /// A user of the web configuration.
    User(String),
    /// A name in a verified client certificate.
    Certificate(String),
}

impl fmt::Debug for Grantee {
    /// Without the name: a secret may have been written in its place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User(_) => "User",
            Self::Certificate(_) => "Certificate",
        })
    }
}

impl AccessRules {
    /// Rules that do not come from a file, or have been checked, where these aliases
    /// are configured.
    pub fn new(grants: Vec<AccessGrant>, configured: impl IntoIterator<Item = String>) -> Self {
        Self {
            grants,
            configured: Arc::new(configured.into_iter().collect()),
        }
    }

    /// The grants, in the order of the file.
    pub fn grants(&self) -> &[AccessGrant] {
        &self.grants
    }

    /// The tenants of a user; `None` if no rule names the user.
    pub fn of_user(&self, user: &str) -> Option<TenantScope> {
        self.scope(|grantee| matches!(grantee, Grantee::User(it) if it == user))
    }

    /// The tenants of a certificate with these names; `None` if no rule names it.
    /// Names are compared exactly.
    pub fn of_certificate<'a>(
        &self,
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<TenantScope> {
        self.scope(|grantee| match grantee {
            Grantee::Certificate(granted) => names.clone().any(|name| name == granted),
            Grantee::User(_) => false,
        })
    }

    fn scope(&self, names: impl Fn(&Grantee) -> bool) -> Option<TenantScope> {
        let mut granted = self.grants.iter().filter(|grant| names(&grant.grantee));
        let first = granted.next()?;
        let all = std::iter::once(first).chain(granted);
        let patterns = all.flat_map(|grant| grant.tenants.iter().cloned());
        Some(TenantScope::of(patterns, &self.configured))
    }

    /// The first pattern that would grant the tenant with this alias if it were
    /// configured, with the path of its grantee.
    pub fn pattern_without_effect(&self, alias: &str) -> Option<(&Pattern, &str)> {
        if self.configured.contains(alias) {
            return None;
        }
        let matches = |it: &&Pattern| it.has_wildcard() && !grants_all(it) && it.matches(alias);
        self.grants.iter().find_map(|grant| {
            let pattern = grant.tenants.iter().find(matches)?;
            Some((pattern, &*grant.path))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(grantee: Grantee, pattern: &str) -> AccessGrant {
        AccessGrant {
            grantee,
            tenants: vec![Pattern::new(pattern).unwrap()],
            path: "access[0].user".to_owned(),
            span: Span::Nowhere,
        }
    }

    fn rules() -> AccessRules {
        let grants = vec![
            grant(Grantee::User("alice".to_owned()), "contoso"),
            grant(Grantee::Certificate("alice".to_owned()), "fabrikam"),
            grant(Grantee::Certificate("scraper.example".to_owned()), "adatum"),
        ];
        AccessRules::new(grants, [])
    }

    #[test]
    fn a_user_is_not_a_certificate_of_the_same_name() {
        let alice = rules().of_user("alice").unwrap();
        assert!(alice.includes("contoso") && !alice.includes("fabrikam"));
        for stranger in ["scraper.example", "Alice", "alice ", "", "*"] {
            assert_eq!(rules().of_user(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn a_certificate_gets_what_each_of_its_names_is_granted() {
        let names = ["scraper.example", "alice", "other"];
        let both = rules().of_certificate(names.into_iter()).unwrap();
        assert!(both.includes("fabrikam") && both.includes("adatum"));
        assert!(!both.includes("contoso"));
        assert_eq!(rules().of_certificate(["other"].into_iter()), None);
        assert_eq!(rules().of_certificate([].into_iter()), None);
    }

    #[test]
    fn a_pattern_without_effect_is_one_that_matches_a_discovered_tenant() {
        let user = |pattern| grant(Grantee::User("alice".to_owned()), pattern);
        let grants = ["*", "contoso-1", "contoso-*"].map(user);
        let rules = AccessRules::new(grants.into(), ["contoso-emea".to_owned()]);
        let (pattern, path) = rules.pattern_without_effect("contoso-1").unwrap();
        assert_eq!((&**pattern.text(), path), ("contoso-*", "access[0].user"));
        for alias in ["contoso-emea", "contoso"] {
            assert_eq!(rules.pattern_without_effect(alias), None, "{alias}");
        }
    }
}
