//! The partner of the demo, whose list contains the simulated tenants.

use crate::config::{
    ClientSecret, Cloud, Credential, CustomerDefaults, CustomerSource, DisplayNames, NewCustomers,
    Partner, Recommendations, Secret, TargetLabels, Tenant,
};
use crate::text::count;
use graph_simulator::{Customer, Simulator, TenantAccess};
use std::sync::Arc;
use std::time::Duration;

/// The customers that the configuration names although they did not consent, so that the
/// demo shows what that looks like.
const NOT_CONSENTED: [&str; 2] = ["woodgrove", "tailspin"];

/// The interval of the list, shorter than a configuration allows, so that a viewer sees a
/// customer that signs up within seconds.
const INTERVAL: Duration = Duration::from_secs(10);

/// The partners as configured. `target` is that of customers; a long list of tenants
/// stretches the interval.
pub(super) fn partners(simulator: &Simulator, target: f64, stretch: u32) -> Vec<Partner> {
    let handle = simulator.handle();
    let partners = handle.partners().into_iter();
    let partners = partners.filter_map(|access| {
        let application = handle.partner(&access.name).ok()?.customers_application();
        Some(partner(access, application, target, INTERVAL * stretch))
    });
    partners.collect()
}

/// `application` is the one to which customers consent.
fn partner(access: TenantAccess, application: String, target: f64, interval: Duration) -> Partner {
    let credential = |client_id: &str| {
        Credential::ClientSecret(ClientSecret {
            client_id: client_id.to_owned(),
            secret: Secret::new(access.client_secret.clone()),
            expires: None,
        })
    };
    let (own, of_customers) = (credential(&access.client_id), credential(&application));
    Partner {
        name: access.name,
        tenant_id: access.entra_id,
        cloud: Cloud::Simulator,
        credential: own,
        display_names: DisplayNames::Plain,
        interval,
        sources: vec![CustomerSource::DelegatedAdminCustomers],
        include: Vec::new(),
        exclude: Vec::new(),
        new_customers: NewCustomers::Report,
        defaults: CustomerDefaults {
            credential: of_customers,
            cloud: Cloud::Simulator,
            target: Some(target),
            recommendations: Recommendations::default(),
            selection: Arc::default(),
            labels: TargetLabels::new(),
            entry_keys: Vec::new(),
        },
    }
}

/// The customers of [`NOT_CONSENTED`] as tenants of the partners' configuration.
pub(super) fn tenants(simulator: &Simulator, partners: &[Partner]) -> Vec<Tenant> {
    let handle = simulator.handle();
    let customers = partners.iter().flat_map(|partner| {
        let customers = handle.partner(&partner.name).map(|it| it.customers());
        let customers = customers.unwrap_or_default().into_iter();
        customers.filter_map(move |customer| tenant(partner, customer))
    });
    customers.collect()
}

fn tenant(partner: &Partner, customer: Customer) -> Option<Tenant> {
    let is_named = NOT_CONSENTED.contains(&customer.name.as_str());
    let id = customer.tenant_id.filter(|_| is_named)?;
    Some(partner.tenant(customer.name, &id, &customer.display_name))
}

/// What is said of the customers without consent: a line, or nothing where there are none.
pub(super) fn without_consent(simulator: &Simulator) -> String {
    let handle = simulator.handle();
    let partners = handle.partners().into_iter();
    let lists = partners.filter_map(|it| Some(handle.partner(&it.name).ok()?.customers()));
    let names = lists.flatten().map(|customer| customer.name);
    let names = names.filter(|name| NOT_CONSENTED.contains(&name.as_str()));
    let names: Vec<String> = names.collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(
            "The customers {} gave no consent to the application: nothing of them is read.\n",
            names.join(", ")
        ),
    }
}

/// The number of customers, as the continuation of a sentence; empty without a partner.
pub(super) fn customers(simulator: &Simulator) -> String {
    let handle = simulator.handle();
    let partners = handle.partners().into_iter();
    let lists = partners.filter_map(|it| Some(handle.partner(&it.name).ok()?.customers()));
    match lists.map(|customers| customers.len()).sum() {
        0_usize => String::new(),
        number => format!(" and a partner with {}", count(number, "customer")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::config;
    use super::*;
    use graph_simulator::{Options, PartnerOptions};

    #[tokio::test]
    async fn two_customers_are_configured_with_the_customers_application_and_the_rest_is_not() {
        let simulator = Simulator::start(Options {
            partners: vec![PartnerOptions::default()],
            ..Options::default()
        });
        let simulator = simulator.await.unwrap();
        let config = config(&simulator);
        let partner = &config.partners[0];
        let aliases = config.tenants.iter().map(|tenant| tenant.alias.as_str());
        assert_eq!(
            aliases.collect::<Vec<_>>(),
            [
                "contoso",
                "fabrikam",
                "adatum",
                "litware",
                "northwind",
                "woodgrove",
                "tailspin"
            ]
        );
        let woodgrove = &config.tenants[5];
        assert_eq!(woodgrove.credential, partner.defaults.credential);
        assert_ne!(woodgrove.credential, partner.credential);
        assert_eq!(woodgrove.display_name, "Woodgrove Bank");
        assert_ne!(config.tenants[0].credential, partner.credential);
        assert_eq!(customers(&simulator), " and a partner with 12 customers");
        let line = without_consent(&simulator);
        assert!(line.contains("woodgrove, tailspin gave no"), "{line}");
    }

    #[tokio::test]
    async fn a_simulator_without_a_partner_has_its_own_tenants_only() {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let config = config(&simulator);
        assert_eq!((config.tenants.len(), config.partners.len()), (5, 0));
        assert_eq!(customers(&simulator), "");
        assert_eq!(without_consent(&simulator), "");
    }
}
