//! The configuration of one tenant's controls.

use std::sync::Arc;

use super::controls::ControlSelection;
use super::exceptions::ApprovedException;
use super::resolve::Config;
use secure_score_model::{Category, ControlRules, Exception};

/// The selection of controls, which all tenants share, and a tenant's exceptions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TenantRules {
    controls: Arc<ControlSelection>,
    exceptions: Vec<ApprovedException>,
}

impl Config {
    /// The rules for the controls of one tenant.
    pub fn rules(&self, alias: &str) -> TenantRules {
        TenantRules {
            controls: Arc::clone(&self.controls),
            exceptions: self.exceptions.of_tenant(alias),
        }
    }
}

impl ControlRules for TenantRules {
    fn category_override(&self, id: &str) -> Option<Category> {
        self.controls.category_override(id)
    }

    fn selects(&self, id: &str, category: Category) -> bool {
        self.controls.selects(id, category)
    }

    fn watches(&self, id: &str) -> bool {
        self.controls.watches(id)
    }

    fn unmatched_watches(&self, ids: &[&str]) -> Vec<Arc<str>> {
        self.controls.unmatched_watches(ids)
    }

    fn exceptions(&self) -> Vec<Arc<Exception>> {
        let exceptions = self.exceptions.iter();
        exceptions.map(|it| Arc::clone(&it.exception)).collect()
    }

    fn exceptions_of(&self, id: &str) -> Vec<Arc<Exception>> {
        let named = self.exceptions.iter().filter(|it| it.controls.matches(id));
        named.map(|it| Arc::clone(&it.exception)).collect()
    }
}
