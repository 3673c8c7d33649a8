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

    fn visible(&self, tenants: &Tenants) -> Tenants {
        let states = tenants.states.iter();
        let states = states.filter(|state| self.includes(&state.identity.alias));
        let states: Vec<Arc<TenantState>> = states.cloned().collect();
        let decisions = VisibleDecisions::of(&states);
        let names_other = |it: &RefreshHealth| {
            let reason = it.trouble.as_ref().map(|trouble| trouble.reason);
            reason == Some(Reason::DuplicateTenant)
        };
        let states = states.into_iter().map(|mut state| {
            if state.health.lists().any(|(_, it)| names_other(it)) {
                hide_other_tenant(Arc::make_mut(&mut state));
            }
            decisions.apply(&mut state);
            state
        });
        Tenants {
            generation: tenants.generation,
            states: states.collect(),
        }
    }
}

/// Replaces the messages that name the other alias of the same Entra tenant.
fn hide_other_tenant(state: &mut TenantState) {
    for api in Api::ALL {
        if let Some(trouble) = &mut state.health.of_mut(api).trouble
            && trouble.reason == Reason::DuplicateTenant
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
