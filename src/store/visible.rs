//! The store as one client sees it.

use super::visible_decisions::VisibleDecisions;
use super::{Partners, Store, TenantState, Tenants};
use crate::access::TenantScope;
use secure_score_model::{Api, Reason, RefreshHealth};
use std::sync::Arc;

/// What a client learns where a message names another tenant.
const OTHER_TENANT: &str =
    "the list is not used: another entry of the configuration is the same Entra tenant";

/// The store as one client sees it: what an exporter with only these tenants would
/// hold.
///
/// Everything that answers a request reads this and not the store, so that no page
/// can show another tenant by mistake.
#[derive(Debug, Clone)]
pub struct VisibleStore {
    store: Arc<Store>,
    scope: TenantScope,
}

impl VisibleStore {
    /// The part of the store in this scope.
    pub fn new(store: Arc<Store>, scope: TenantScope) -> Self {
        Self { store, scope }
    }

    /// The current state of the visible tenants.
    pub fn tenants(&self) -> Arc<Tenants> {
        let tenants = self.store.current();
        match self.scope {
            TenantScope::All => tenants,
            TenantScope::Some(_) => Arc::new(self.visible(&tenants)),
        }
    }

    /// The visible tenants with their lines, for scrapes. Decisions and messages are as
    /// the store has them: none of a line shows where a decision is written, or a
    /// message.
    pub fn tenants_with_lines(&self) -> Arc<Tenants> {
        let tenants = self.store.current();
        match self.scope {
            TenantScope::All => tenants,
            TenantScope::Some(_) => Arc::new(self.included(&tenants)),
        }
    }

    /// The current state of the partners. A partner's list names tenants of every
    /// customer, so it is visible only with all tenants.
    pub fn partners(&self) -> Arc<Partners> {
        match self.scope {
            TenantScope::All => self.store.partners(),
            TenantScope::Some(_) => Arc::default(),
        }
    }

    /// Whether a tenant of this alias is visible, if there is one.
    pub fn includes(&self, alias: &str) -> bool {
        self.scope.includes(alias)
    }

    /// The store itself, for a client that sees all of it.
    pub fn whole(&self) -> Option<&Arc<Store>> {
        (self.scope == TenantScope::All).then_some(&self.store)
    }

    fn included(&self, tenants: &Tenants) -> Tenants {
        let states = tenants.states.iter();
        let states = states.filter(|state| self.includes(&state.identity.alias));
        Tenants {
            generation: tenants.generation,
            states: states.cloned().collect(),
        }
    }

    fn visible(&self, tenants: &Tenants) -> Tenants {
        let mut visible = self.included(tenants);
        let decisions = VisibleDecisions::of(&visible.states);
        for state in &mut visible.states {
            if state.health.lists().any(|(_, it)| names_other(it)) {
                hide_other_tenant(Arc::make_mut(state));
            }
            decisions.apply(state);
        }
        visible
    }
}

/// Whether the message names the other alias of the same Entra tenant.
fn names_other(health: &RefreshHealth) -> bool {
    let trouble = health.trouble.as_ref();
    trouble.is_some_and(|it| it.reason == Reason::DuplicateTenant)
}

/// Replaces the messages that name the other alias of the same Entra tenant.
fn hide_other_tenant(state: &mut TenantState) {
    for api in Api::ALL {
        let health = state.health.of_mut(api);
        if names_other(health)
            && let Some(trouble) = &mut health.trouble
        {
            OTHER_TENANT.clone_into(&mut trouble.message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_values::pattern::Pattern;
    use crate::store::PartnerState;
    use secure_score_model::{PartnerSnapshot, TenantIdentity, Trouble};

    fn store() -> Arc<Store> {
        let store = Store::default();
        for alias in ["contoso", "contoso-old", "fabrikam"] {
            let mut state = TenantState::new(TenantIdentity::new(alias));
            if alias == "contoso-old" {
                let message = "the catalogue is not used: fabrikam is the same Entra tenant";
                let trouble = Trouble::new(Reason::DuplicateTenant, message);
                state.health.profiles.trouble = Some(trouble);
            }
            store.publish(state);
        }
        let partner = PartnerState::new(PartnerSnapshot::new("msp"), true);
        store.publish_partners(Partners::new(vec![Arc::new(partner)]));
        Arc::new(store)
    }

    fn visible(pattern: &str) -> VisibleStore {
        let configured = ["contoso", "contoso-old", "fabrikam"].map(str::to_owned);
        let scope = TenantScope::of(Pattern::new(pattern), &Arc::new(configured.into()));
        VisibleStore::new(store(), scope)
    }

    fn message(visible: &VisibleStore) -> String {
        let tenants = visible.tenants();
        let trouble = tenants
            .find("contoso-old")
            .unwrap()
            .health
            .profiles
            .trouble
            .clone();
        trouble.unwrap().message
    }

    #[test]
    fn a_client_with_some_tenants_sees_neither_the_others_nor_the_partners() {
        let some = visible("contoso*");
        let aliases = some.tenants().states.len();
        assert_eq!(aliases, 2);
        assert!(some.tenants().find("fabrikam").is_none());
        assert!(some.partners().states.is_empty());
        assert!(some.whole().is_none());
        let all = visible("*");
        assert_eq!(all.tenants().states.len(), 3);
        assert_eq!(all.partners().states.len(), 1);
        assert!(all.whole().is_some());
    }

    #[test]
    fn a_message_names_another_tenant_only_to_those_who_see_all() {
        assert_eq!(message(&visible("contoso*")), OTHER_TENANT);
        assert!(message(&visible("*")).contains("fabrikam"));
    }
}
